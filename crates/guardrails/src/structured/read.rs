use jarre_core::FinishReason;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Outcome;
use crate::{
    json::{Recovered, Recovery, RecoveryConfig, Step, Unrecovered},
    schema::{Schema, Violation},
};

/// What became of an answer's text.
pub(super) enum Reading<T> {
    Fits { value: T, json: Value, steps: Vec<Step> },
    Fails(Outcome),
}

/// Reads a whole answer: as JSON, by the schema, as a `T`.
pub(super) fn read<T: DeserializeOwned>(text: &str, finish: FinishReason, schema: &Schema, config: &RecoveryConfig) -> Reading<T> {
    match (finish, recover(text, schema, config)) {
        (FinishReason::ContentFilter, _) => Reading::Fails(Outcome::Withheld),
        (_, Ok((json, steps))) => match serde_path(&json) {
            Ok(value) => Reading::Fits { value, json, steps },
            Err(reason) => Reading::Fails(Outcome::Mistyped(reason)),
        },
        (FinishReason::Length, Err(_)) => Reading::Fails(Outcome::CutOff),
        (_, Err(violations)) => Reading::Fails(Outcome::Violates(violations)),
    }
}

/// The one place where a text becomes a value: what is returned fits the schema. What was done to it comes with it.
fn recover(text: &str, schema: &Schema, config: &RecoveryConfig) -> Result<(Value, Vec<Step>), Vec<Violation>> {
    let unrecovered = match Recovery::new(config.clone()).recover(text, Some(schema)) {
        Ok(Recovered { value, steps }) => return Ok((value, steps)),
        Err(unrecovered) => unrecovered,
    };
    // What is told is what the model wrote, not what was made of it; where that is no document, the likeliest one in it.
    let written = schema.check_text(text).err().unwrap_or_default();
    match unrecovered {
        Unrecovered::Invalid { value, .. } if written.iter().any(|violation| violation.keyword == "json") => Err(schema.validate(&value)),
        _ => Err(written),
    }
}

fn serde_path<T: DeserializeOwned>(json: &Value) -> Result<T, String> {
    T::deserialize(json).map_err(|error| error.to_string())
}
