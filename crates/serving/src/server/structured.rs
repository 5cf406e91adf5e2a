use jarre_openai::{ApiError, ResponseFormat, StructuredOutputs};
use serde_json::Value;

use super::failure::refused;
use crate::{Grammar, Request};

/// A form that answers have to keep to, and the parameter that asks for it.
pub(super) struct Form {
    grammar: Grammar,
    param: &'static str,
}

/// What a format and structured outputs, of which a request has one at most, ask of the text.
pub(super) fn wanted(format: Option<&ResponseFormat>, structured: Option<&StructuredOutputs>) -> Option<Form> {
    let form = |param, grammar| Some(Form { grammar, param });
    match format {
        Some(ResponseFormat::JsonObject) => form("response_format", Grammar::JsonObject),
        Some(ResponseFormat::JsonSchema { json_schema }) => {
            form("response_format", Grammar::JsonSchema(Value::Object(json_schema.schema.clone())))
        }
        Some(ResponseFormat::Text) | None => form("structured_outputs", grammar(structured?)),
    }
}

/// The same request, whose answers keep to what is wanted.
pub(super) fn constrain(request: Request, wanted: Option<Form>) -> Result<Request, ApiError> {
    let Some(Form { grammar, param }) = wanted else { return Ok(request) };
    request.held_to(grammar).map_err(|error| refused(param, &format!("cannot be used: {error}")))
}

fn grammar(structured: &StructuredOutputs) -> Grammar {
    match structured.clone() {
        StructuredOutputs::Json(schema) => Grammar::JsonSchema(schema),
        StructuredOutputs::JsonObject => Grammar::JsonObject,
        StructuredOutputs::Regex(pattern) => Grammar::Regex(pattern),
        StructuredOutputs::Choice(texts) => Grammar::Choice(texts),
        StructuredOutputs::Grammar(grammar) => Grammar::Lark(grammar),
    }
}
