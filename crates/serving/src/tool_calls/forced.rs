use jarre_core::{ToolChoice, ToolSpec};
use serde_json::{Value, json};

use super::ToolFormat;
use crate::error::{Error, Result};
use crate::grammar::Grammar;

impl ToolFormat {
    /// What an answer has to look like so that it calls the tools that `choice` asks for: one call or more of any of `tools`, or one call of the
    /// tool that is named, or of any where they must not be `parallel`; `None` where the model may answer with text. Models of [`Mistral`](Self::Mistral) expect the token `[TOOL_CALLS]` in
    /// front: see [`opening`](Self::opening).
    ///
    /// # Errors
    /// Where a call is asked for and there are no tools, or none with that name.
    pub fn grammar(self, tools: &[ToolSpec], choice: &ToolChoice, parallel: bool) -> Result<Option<Grammar>> {
        let (offered, single): (Vec<&ToolSpec>, bool) = match choice {
            ToolChoice::Required => (tools.iter().collect(), !parallel),
            ToolChoice::Tool { name } => (tools.iter().filter(|tool| tool.name == *name).collect(), true),
            _ => return Ok(None),
        };
        if offered.is_empty() {
            return Err(Error::Invalid("a call is asked for of a tool that is not offered".to_owned()));
        }
        let call = schema(&offered, self.arguments_key());
        Ok(Some(Grammar::Lark(match self {
            Self::Hermes => format!(
                "start: call{}\ncall: \"<tool_call>\\n\" body \"\\n</tool_call>\"\nbody: %json {}\n",
                if single { "" } else { " (\"\\n\" call)*" },
                spaced(call)
            ),
            Self::Mistral => format!("start: %json {}\n", spaced(listed(call, single))),
            Self::Llama3 | Self::Json => format!("start: %json {}\n", spaced(call)),
        })))
    }

    /// A special token that the model expects before calls, and that no grammar writes: put it behind the prompt when calls are forced, where
    /// the vocabulary has it.
    pub fn opening(self) -> Option<&'static str> {
        (self == Self::Mistral).then_some("[TOOL_CALLS]")
    }
}

/// The schema of a call of one of the tools. Schemas of arguments stand under `$defs`, and what they refer to moves with them.
fn schema(tools: &[&ToolSpec], key: &str) -> Value {
    let place = |index: usize| format!("#/$defs/tool{index}");
    let call = |(index, tool): (usize, &&ToolSpec)| {
        let properties = json!({"name": {"const": tool.name}, key: {"$ref": place(index)}});
        json!({"type": "object", "properties": properties, "required": ["name", key], "additionalProperties": false})
    };
    let mut definitions = serde_json::Map::new();
    for (index, tool) in tools.iter().enumerate() {
        let mut parameters = tool.parameters.clone();
        if parameters.is_null() {
            parameters = json!({"type": "object", "properties": {}, "additionalProperties": false});
        }
        relocate(&mut parameters, &place(index));
        definitions.insert(format!("tool{index}"), parameters);
    }
    json!({"anyOf": tools.iter().enumerate().map(call).collect::<Vec<_>>(), "$defs": definitions})
}

/// The schema of JSON that is written as models are shown calls: in one line, a space behind commas and colons and none elsewhere, so that
/// nobody loses himself in white space.
fn spaced(mut schema: Value) -> Value {
    schema["x-guidance"] = json!({"whitespace_flexible": false, "item_separator": ", ", "key_separator": ": "});
    schema
}

fn listed(mut call: Value, single: bool) -> Value {
    let definitions = call["$defs"].take();
    let items = json!({"anyOf": call["anyOf"].take()});
    let mut list = json!({"type": "array", "items": items, "minItems": 1, "$defs": definitions});
    if single {
        list["maxItems"] = json!(1);
    }
    list
}

/// Lets references inside a schema that moved to `place` follow it.
fn relocate(schema: &mut Value, place: &str) {
    match schema {
        Value::Object(entries) => {
            for (key, value) in entries {
                match value {
                    Value::String(target) if key == "$ref" && (target == "#" || target.starts_with("#/")) => {
                        *target = format!("{place}{}", &target[1..]);
                    }
                    _ => relocate(value, place),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| relocate(item, place)),
        _ => {}
    }
}
