use std::collections::BTreeMap;

use jsonschema::Draft;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The deepest nesting of arrays and objects that any limit can allow: what `serde_json` reads without a deeper stack.
pub(super) const DEEPEST: usize = 127;

/// What a schema may refer to and how much it and its instances may ask for.
///
/// Everything is counted and nothing is timed, so that the same schema and text always meet with the same answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SchemaConfig {
    /// The dialect of a schema that names none by `$schema`; 2020-12 where it is not set either.
    pub dialect: Option<Dialect>,
    /// Whether `format` is checked (dates, addresses, URIs) and not only noted.
    pub formats: bool,
    /// The documents beside itself that the schema may refer to, by URI without a fragment. The meta-schemas of the drafts are always
    /// there. Nothing is ever fetched.
    pub remotes: BTreeMap<String, Value>,
    /// The largest schema, remotes included one by one.
    pub schema: Extent,
    /// The largest instance.
    pub instance: Extent,
    /// The most subschemas that are applied to one instance, each counted as often as it is applied: what nested `allOf`, `anyOf` and
    /// `$ref` multiply.
    pub steps: u64,
    /// The size of a compiled pattern in bytes, approximately. Patterns run in time linear in the text whatever they are; so
    /// lookahead, lookbehind and back-references are refused.
    pub pattern_bytes: usize,
    /// The most violations that are told.
    pub violations: usize,
    /// The most characters of a violation's message.
    pub message_chars: usize,
}

impl Default for SchemaConfig {
    fn default() -> Self {
        Self {
            dialect: None,
            formats: true,
            remotes: BTreeMap::new(),
            schema: Extent { bytes: 1 << 20, depth: 100, values: 50_000 },
            instance: Extent::default(),
            steps: 50_000_000,
            pattern_bytes: 1 << 20,
            violations: 16,
            message_chars: 240,
        }
    }
}

/// How large a JSON text or value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Extent {
    /// The most bytes of a text; values that come parsed are not measured by it.
    pub bytes: usize,
    /// The deepest nesting of arrays and objects, at most 127: a number is 0 deep and `[[]]` is 2.
    pub depth: usize,
    /// The most values, counting arrays and objects and everything in them.
    pub values: usize,
}

impl Default for Extent {
    /// 10 MiB, 100 levels, 10 million values.
    fn default() -> Self {
        Self { bytes: 10 << 20, depth: 100, values: 10_000_000 }
    }
}

/// A published version of JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Dialect {
    /// Draft 4 (2013).
    #[serde(rename = "draft-04")]
    Draft4,
    /// Draft 6 (2017).
    #[serde(rename = "draft-06")]
    Draft6,
    /// Draft 7 (2018).
    #[serde(rename = "draft-07")]
    Draft7,
    /// Draft 2019-09.
    #[serde(rename = "2019-09")]
    Draft201909,
    /// Draft 2020-12.
    #[serde(rename = "2020-12")]
    Draft202012,
}

impl From<Dialect> for Draft {
    fn from(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Draft4 => Self::Draft4,
            Dialect::Draft6 => Self::Draft6,
            Dialect::Draft7 => Self::Draft7,
            Dialect::Draft201909 => Self::Draft201909,
            Dialect::Draft202012 => Self::Draft202012,
        }
    }
}
