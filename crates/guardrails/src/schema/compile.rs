use std::{collections::BTreeMap, fmt, sync::Arc};

use jsonschema::{Draft, PatternOptions, ReferencingError, Registry, Retrieve, Uri, ValidationError, Validator};
use serde_json::Value;

use super::{
    Incremental, SchemaConfig, Violation,
    config::DEEPEST,
    graph::Graph,
    parse::parse,
    violation::at_root,
    work::{Meter, NESTING, Overrun},
};
use crate::{Error, Result};

/// The most steps after which every violation is looked for.
const TOLD: u64 = 1_000_000;

/// A compiled JSON Schema. A clone shares what was compiled.
///
/// ```
/// use jarre_guardrails::schema::{Schema, SchemaConfig};
/// use serde_json::json;
///
/// let schema = json!({"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]});
/// let schema = Schema::compile(&schema, &SchemaConfig::default())?;
/// let violations = schema.validate(&json!({"age": "12"}));
/// assert_eq!(violations[0].message, "`/age` must be an integer, it is the string \"12\"");
/// assert_eq!(schema.check_text("{}").unwrap_err()[0].keyword, "required");
/// # Ok::<(), jarre_guardrails::Error>(())
/// ```
#[derive(Clone)]
pub struct Schema {
    inner: Arc<Inner>,
}

struct Inner {
    source: Value,
    config: SchemaConfig,
    validator: Validator,
    graph: Arc<Graph>,
}

impl Schema {
    /// Compiles `source`.
    ///
    /// # Errors
    /// [`Error::Schema`] where it is no schema of its dialect, a reference leads nowhere or round in a circle at one place, or a pattern
    /// cannot be run in linear time; [`Error::SchemaLimit`] where it is beyond its limits; [`Error::SchemaRemote`] where it refers to a
    /// document that is not among the remotes.
    pub fn compile(source: &Value, config: &SchemaConfig) -> Result<Self> {
        check_config(config)?;
        for document in config.remotes.values().chain([source]) {
            let excess = |excess: super::extent::Excess| Error::SchemaLimit { what: excess.what, limit: excess.limit };
            config.schema.measure(document).map_err(excess)?;
        }
        let fallback = config.dialect.map(Draft::from).filter(|_| source.get("$schema").is_none());
        let draft = fallback.unwrap_or_default().detect(source);
        let remotes = Remotes(config.remotes.clone());
        let graph = Graph::new(source, draft, &registry(source, draft, &remotes)?)?;
        check_cost(&graph, config)?;
        let options = jsonschema::options().with_retriever(remotes).should_validate_formats(config.formats);
        let options = options.with_pattern_options(PatternOptions::regex().size_limit(config.pattern_bytes));
        let options = if let Some(draft) = fallback { options.with_draft(draft) } else { options };
        let validator = options.build(source).map_err(|error| from_build(&error))?;
        let inner = Inner { source: source.clone(), config: config.clone(), validator, graph: Arc::new(graph) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Compiles a schema that is there as text, which is read within the limits first.
    ///
    /// # Errors
    /// As for [`compile`](Self::compile), and [`Error::Schema`] where the text is not JSON.
    pub fn compile_text(text: &str, config: &SchemaConfig) -> Result<Self> {
        check_config(config)?;
        let source = parse(text.as_bytes(), &config.schema).map_err(|violation| Error::Schema { reason: violation.message })?;
        Self::compile(&source, config)
    }

    /// What is wrong with `instance`, in the order of the schema's keywords; nothing where the schema allows it.
    ///
    /// An instance beyond the limits is never allowed: it has one violation, of the keyword `limit`. Of one that takes more than a million
    /// steps to check, only the first violation is told.
    pub fn validate(&self, instance: &Value) -> Vec<Violation> {
        let Inner { config, validator, graph, .. } = &*self.inner;
        if let Err(excess) = config.instance.measure(instance) {
            return vec![at_root("limit", format!("the document has more than {} {}", excess.limit, excess.what))];
        }
        let steps = match Meter::new(graph, config.steps).measure(instance) {
            Ok(steps) => steps,
            Err(overrun) => return vec![at_root("limit", overrun.message(config.steps))],
        };
        if validator.is_valid(instance) {
            return Vec::new();
        }
        // Each step may be an error, and all of them are made before the first is told.
        let told = if steps > TOLD { Vec::new() } else { validator.iter_errors(instance).take(config.violations.max(1)).collect() };
        let violations: Vec<_> = told.iter().map(|error| Violation::new(error, config.message_chars)).collect();
        if violations.is_empty() { vec![self.first(instance)] } else { violations }
    }

    /// The first violation of an instance that is not valid, as far as reading it from its start on tells.
    fn first(&self, instance: &Value) -> Violation {
        let seen = self.incremental().push(&instance.to_string()).err().map(|stopped| stopped.violation);
        let seen = seen.filter(|violation| !matches!(violation.keyword.as_str(), "json" | "limit"));
        seen.unwrap_or_else(|| at_root("schema", "the document does not fit the schema, and is too large to tell where".to_owned()))
    }

    /// Whether the schema allows `instance`: whether [`validate`](Self::validate) finds nothing.
    pub fn allows(&self, instance: &Value) -> bool {
        let Inner { config, validator, graph, .. } = &*self.inner;
        let measured = config.instance.measure(instance).is_ok() && Meter::new(graph, config.steps).measure(instance).is_ok();
        measured && validator.is_valid(instance)
    }

    /// Reads `text` as one JSON document within the limits and checks it.
    ///
    /// # Errors
    /// What is wrong: never empty, and one violation of the keyword `json` or `limit` where the text cannot be read. A key that an object
    /// has twice, and a number beyond a double's range, cannot be read.
    pub fn check_text(&self, text: &str) -> Result<Value, Vec<Violation>> {
        self.check_bytes(text.as_bytes())
    }

    /// As [`check_text`](Self::check_text), for bytes that may not be UTF-8.
    ///
    /// # Errors
    /// As there; where a string is not UTF-8, the keyword is `json`.
    pub fn check_bytes(&self, text: &[u8]) -> Result<Value, Vec<Violation>> {
        let value = parse(text, &self.inner.config.instance).map_err(|violation| vec![violation])?;
        let violations = self.validate(&value);
        if violations.is_empty() { Ok(value) } else { Err(violations) }
    }

    /// Begins to read a document as it is written.
    pub fn incremental(&self) -> Incremental {
        Incremental::new(Arc::clone(&self.inner.graph), self.inner.config.instance)
    }

    /// The schema as it was given.
    pub fn source(&self) -> &Value {
        &self.inner.source
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Schema").field("source", &self.inner.source).finish_non_exhaustive()
    }
}

/// The documents that may be referred to, and no others.
#[derive(Clone)]
struct Remotes(BTreeMap<String, Value>);

impl Retrieve for Remotes {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        self.0.get(uri.as_str().trim_end_matches('#')).cloned().ok_or_else(|| "it is not among the remotes".into())
    }
}

fn registry<'a>(source: &'a Value, draft: Draft, remotes: &Remotes) -> Result<Registry<'a>> {
    let id = source.get(draft.id_keyword()).and_then(Value::as_str).map(|id| id.trim_end_matches('#'));
    let base = id.filter(|id| !id.starts_with('#')).unwrap_or_default();
    let builder = Registry::new().retriever(remotes.clone()).draft(draft);
    let added = builder.add(base, referencing::ResourceRef::new(source, draft));
    added.and_then(referencing::RegistryBuilder::prepare).map_err(|error| from_reference(&error))
}

fn check_config(config: &SchemaConfig) -> Result<()> {
    if config.schema.depth.max(config.instance.depth) > DEEPEST {
        return Err(Error::Schema { reason: format!("its configuration allows a nesting deeper than {DEEPEST}, set a lower `depth`") });
    }
    Ok(())
}

fn check_cost(graph: &Graph, config: &SchemaConfig) -> Result<()> {
    match graph.overrun(config.steps, NESTING) {
        None => Ok(()),
        Some(Overrun::Steps) => Err(Error::SchemaLimit { what: "subschemas applied to one place", limit: config.steps }),
        Some(Overrun::Nesting) => {
            Err(Error::SchemaLimit { what: "subschemas that lead to one another at one place", limit: NESTING.into() })
        }
    }
}

fn from_build(error: &ValidationError<'_>) -> Error {
    if let jsonschema::error::ValidationErrorKind::Referencing(error) = error.kind() {
        return from_reference(error);
    }
    Error::Schema { reason: super::wording::clip(&format!("`{}`: {error}", error.instance_path()), 400) }
}

pub(super) fn from_reference(error: &ReferencingError) -> Error {
    match error {
        ReferencingError::Unretrievable { uri, .. } => Error::SchemaRemote { uri: uri.clone() },
        error => Error::Schema { reason: error.to_string() },
    }
}
