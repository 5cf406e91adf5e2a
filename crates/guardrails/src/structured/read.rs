use jarre_core::FinishReason;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Outcome;
use crate::{
    json::{Recovered, Recovery, Step, Unrecovered},
    schema::{Schema, Violation},
};

/// What became of an answer's text.
pub(super) enum Reading<T> {
    Fits { value: T, json: Value, steps: Vec<Step> },
    Fails(Outcome),
}

/// Reads a whole answer: as JSON, by the schema, as a `T`.
pub(super) fn read<T: DeserializeOwned>(text: &str, finish: FinishReason, schema: &Schema) -> Reading<T> {
    match (finish, recover(text, schema)) {
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
fn recover(text: &str, schema: &Schema) -> Result<(Value, Vec<Step>), Vec<Violation>> {
    match Recovery::default().recover(text, Some(schema)) {
        Ok(Recovered { value, steps }) => Ok((value, steps)),
        // The likeliest document is what the model has to mend.
        Err(Unrecovered::Invalid { value, .. }) => Err(schema.validate(&value)),
        // A text that holds no document is none that the schema allows.
        Err(_) => Err(schema.check_text(text).err().unwrap_or_default()),
    }
}

fn serde_path<T: DeserializeOwned>(json: &Value) -> Result<T, String> {
    T::deserialize(json).map_err(|error| error.to_string())
}
