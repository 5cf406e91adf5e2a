use serde::{Deserialize, Serialize};

use crate::{json::RecoveryConfig, schema::SchemaConfig};

/// How a model is asked for an answer that fits a schema, and what it may cost. Time is the request's deadline to bound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StructuredConfig {
    /// Names the schema to the model: letters, digits, `_` and `-`.
    pub name: String,
    /// The most times that the model is asked, at least 1.
    pub attempts: usize,
    /// The most tokens, prompts and answers of all attempts together: once so many are used, the model is not asked again. A model that
    /// does not count its tokens is held by `attempts` alone.
    pub max_tokens: Option<u64>,
    /// Whether a stream is broken off at the first byte after which the schema cannot be met. What is broken off is not recovered, also
    /// where a value could have been fitted.
    pub stop_early: bool,
    /// How answers are mended and fitted before they are judged.
    pub recovery: RecoveryConfig,
    /// The limits of the schema and of the answer.
    pub schema: SchemaConfig,
}

impl Default for StructuredConfig {
    /// Three attempts, any number of tokens, streams broken off early.
    fn default() -> Self {
        Self {
            name: "answer".to_owned(),
            attempts: 3,
            max_tokens: None,
            stop_early: true,
            recovery: RecoveryConfig::default(),
            schema: SchemaConfig::default(),
        }
    }
}
