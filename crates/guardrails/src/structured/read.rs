use jarre_core::FinishReason;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Outcome;
use crate::schema::{Schema, Violation};

/// What became of an answer's text.
pub(super) enum Reading<T> {
    Fits { value: T, json: Value, repairs: Vec<String> },
    Fails(Outcome),
}

/// Reads a whole answer: as JSON, by the schema, as a `T`.
pub(super) fn read<T: DeserializeOwned>(text: &str, finish: FinishReason, schema: &Schema) -> Reading<T> {
    match (finish, recover(text, schema)) {
        (FinishReason::ContentFilter, _) => Reading::Fails(Outcome::Withheld),
        (_, Ok((json, repairs))) => match serde_path(&json) {
            Ok(value) => Reading::Fits { value, json, repairs },
            Err(reason) => Reading::Fails(Outcome::Mistyped(reason)),
        },
        (FinishReason::Length, Err(_)) => Reading::Fails(Outcome::CutOff),
        (_, Err(violations)) => Reading::Fails(Outcome::Violates(violations)),
    }
}

/// The one place where a text becomes a value: what is returned fits the schema. The names of the repairs come with it.
fn recover(text: &str, schema: &Schema) -> Result<(Value, Vec<String>), Vec<Violation>> {
    schema.check_text(text).map(|value| (value, Vec::new()))
}

fn serde_path<T: DeserializeOwned>(json: &Value) -> Result<T, String> {
    T::deserialize(json).map_err(|error| error.to_string())
}
