use jarre_openai::{ApiError, ResponseFormat, StructuredOutputs};
use serde_json::Value;

use crate::Request;

/// What a format and structured outputs, of which a request has one at most, ask of the text.
pub(super) fn wanted(format: Option<&ResponseFormat>, structured: Option<&StructuredOutputs>) -> Option<StructuredOutputs> {
    match format {
        Some(ResponseFormat::JsonObject) => Some(StructuredOutputs::JsonObject),
        Some(ResponseFormat::JsonSchema { json_schema }) => Some(StructuredOutputs::Json(Value::Object(json_schema.schema.clone()))),
        Some(ResponseFormat::Text) | None => structured.cloned(),
    }
}

/// The same request, whose answers keep to what is wanted.
#[cfg(feature = "grammar")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature it refuses")]
pub(super) fn constrain(request: Request, wanted: Option<StructuredOutputs>) -> Result<Request, ApiError> {
    use crate::Grammar;
    let Some(wanted) = wanted else { return Ok(request) };
    Ok(request.with_grammar(match wanted {
        StructuredOutputs::Json(schema) => Grammar::JsonSchema(schema),
        StructuredOutputs::JsonObject => Grammar::JsonObject,
        StructuredOutputs::Regex(pattern) => Grammar::Regex(pattern),
        StructuredOutputs::Choice(texts) => Grammar::Choice(texts),
        StructuredOutputs::Grammar(grammar) => Grammar::Lark(grammar),
    }))
}

/// Refuses to promise a form that nothing here can hold answers to.
#[cfg(not(feature = "grammar"))]
#[expect(clippy::needless_pass_by_value, reason = "with the feature `grammar` it is taken")]
pub(super) fn constrain(request: Request, wanted: Option<StructuredOutputs>) -> Result<Request, ApiError> {
    let param = match wanted {
        None => return Ok(request),
        Some(StructuredOutputs::Json(_) | StructuredOutputs::JsonObject) => "response_format",
        Some(_) => "structured_outputs",
    };
    Err(super::failure::refused(param, "asks for text of a form, and this server was built without the feature 'grammar'"))
}
