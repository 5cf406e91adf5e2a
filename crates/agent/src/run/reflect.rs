use std::sync::LazyLock;

use jarre_core::{Capability, ChatRequest, ModelInfo, ResponseFormat};
use jarre_guardrails::{
    json::Recovery,
    schema::{Schema, SchemaConfig},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::shorten::head_and_tail;
use crate::Reflection;

/// Bytes of a task and of a field that a reflection keeps.
const FIELD_BYTES: usize = 2_000;

/// What an analysis of a failure has to be.
static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let text = |description: &str| json!({"type": "string", "minLength": 1, "description": description});
    let schema = json!({
        "type": "object",
        "properties": {
            "what": text("what failed"),
            "why": text("the cause, not the symptom"),
            "instead": text("what to do otherwise in the next attempt"),
        },
        "required": ["what", "why", "instead"],
        "additionalProperties": false,
    });
    Schema::compile(&schema, &SchemaConfig::default()).expect("the schema above is one of the dialect 2020-12")
});

#[derive(Deserialize)]
struct Analysis {
    what: String,
    why: String,
    instead: String,
}

/// Holds the model to the schema where it can be held, and returns what else it has to be told.
pub(super) fn demand(request: ChatRequest, model: &ModelInfo) -> (ChatRequest, Option<String>) {
    if model.can(Capability::JsonSchema) {
        let format = ResponseFormat::JsonSchema { name: "reflection".to_owned(), schema: SCHEMA.source().clone() };
        return (request.with_response_format(format), None);
    }
    let told = format!("Answer with one JSON object that this JSON Schema allows, and nothing else:\n{}", SCHEMA.source());
    (request, Some(told))
}

/// Reads an analysis of `failure`.
pub(super) fn read(text: &str, task: &str, failure: &str) -> Result<Reflection, String> {
    let value = document(text)?;
    let analysis = Analysis::deserialize(&value).map_err(|error| format!("the analysis cannot be taken in: {error}"))?;
    let [what, why, instead] = [analysis.what, analysis.why, analysis.instead].map(|field| head_and_tail(field.trim(), FIELD_BYTES));
    Ok(Reflection { task: head_and_tail(task, FIELD_BYTES), failure: failure.to_owned(), what, why, instead })
}

fn document(text: &str) -> Result<Value, String> {
    let violations = match SCHEMA.check_text(text) {
        Ok(value) => return Ok(value),
        Err(violations) => violations,
    };
    let recovered = Recovery::default().recover(text, Some(&*SCHEMA));
    recovered.map(|recovered| recovered.value).map_err(|_| {
        let lines: Vec<String> = violations.iter().map(|violation| format!("\n- {violation}")).collect();
        format!("the analysis does not fit its schema:{}\nanswer with the whole JSON object again", lines.concat())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_analysis_is_read_also_out_of_prose() {
        let text = "Here it is:\n```json\n{\"what\": \"a\", \"why\": \"b\", 'instead': 'c'}\n```";
        let reflection = read(text, "task", "f").unwrap();
        assert_eq!((reflection.what.as_str(), reflection.instead.as_str(), reflection.failure.as_str()), ("a", "c", "f"));
    }

    #[test]
    fn what_is_missing_is_told() {
        let wrong = read(r#"{"what": "a", "why": ""}"#, "", "").unwrap_err();
        assert!(wrong.contains("instead") && wrong.contains("`/why`"), "{wrong}");
        assert!(read("I do not know", "", "").unwrap_err().contains("JSON"));
    }
}
