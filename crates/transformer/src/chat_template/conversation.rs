//! What a template reads of a conversation: the dictionaries that transformers passes to it.

use jarre_core::{Image, Message, Part, Role, ToolCall, ToolResult, ToolSpec};
use minijinja::value::{Serde, Value};

use crate::error::{Error, Result};

/// `[{"role": "user", "content": "..."}, ...]`.
///
/// `content` is text, or a list of `{"type": "text", "text": "..."}` and `{"type": "image"}` where there are pictures. It is left out
/// where the assistant only calls tools. Each tool result is a message of its own.
pub(super) fn messages(messages: &[Message]) -> Result<Value> {
    let mut dicts = Vec::with_capacity(messages.len());
    for message in messages {
        dicts.extend(message.parts.iter().filter_map(tool_result));
        let is_answered = message.role == Role::Tool || !message.parts.is_empty();
        let only_results = is_answered && message.parts.iter().all(|part| matches!(part, Part::ToolResult(_)));
        if !only_results {
            dicts.push(spoken(message)?);
        }
    }
    Ok(dicts.into())
}

/// `[{"type": "function", "function": {"name": ..., "description": ..., "parameters": ...}}]`, or `none` where there are no tools.
pub(super) fn tools(tools: &[ToolSpec]) -> Value {
    let dict = |tool: &ToolSpec| {
        let (name, description) = (tool.name.as_str().into(), tool.description.as_str().into());
        function([("name", name), ("description", description), ("parameters", json(&tool.parameters))])
    };
    if tools.is_empty() { Value::from(()) } else { tools.iter().map(|tool| Value::from_pairs(dict(tool))).collect() }
}

/// Objects keep the order of their keys as `json` has it.
pub(super) fn json(json: &serde_json::Value) -> Value {
    Serde(json).into()
}

fn function<const N: usize>(pairs: [(&'static str, Value); N]) -> [(&'static str, Value); 2] {
    [("type", "function".into()), ("function", Value::from_pairs(pairs))]
}

fn tool_result(part: &Part) -> Option<Value> {
    let Part::ToolResult(ToolResult { call_id, name, text, .. }) = part else { return None };
    Some(Value::from_pairs([("role", "tool"), ("tool_call_id", call_id), ("name", name), ("content", text)]))
}

fn spoken(message: &Message) -> Result<Value> {
    let calls: Vec<Value> = message.tool_calls().map(tool_call).collect();
    let mut pairs = vec![("role", Value::from(role(message.role)))];
    pairs.extend(content(message)?.or_else(|| calls.is_empty().then(|| "".into())).map(|content| ("content", content)));
    if !calls.is_empty() {
        pairs.push(("tool_calls", calls.into()));
    }
    Ok(Value::from_pairs(pairs))
}

fn role(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    }
}

fn content(message: &Message) -> Result<Option<Value>> {
    let mut parts = Vec::new();
    let mut is_text = true;
    for part in &message.parts {
        match part {
            Part::Text { text } => parts.push(Value::from_pairs([("type", "text"), ("text", text)])),
            Part::Image(image) => {
                is_text = false;
                parts.push(picture(image));
            }
            Part::ToolCall(_) | Part::ToolResult(_) => {}
            _ => return Err(Error::Template { reason: "it cannot be given a message part of this kind".to_owned() }),
        }
    }
    Ok(match (parts.is_empty(), is_text) {
        (true, _) => None,
        (false, true) => Some(message.text().into()),
        (false, false) => Some(parts.into()),
    })
}

/// A template says where a picture stands; its pixels go to the model another way.
fn picture(image: &Image) -> Value {
    match image {
        Image::Url { url } => Value::from_pairs([("type", "image"), ("url", url)]),
        Image::Bytes { .. } => Value::from_pairs([("type", "image")]),
    }
}

/// The arguments as a dictionary, or as the text that the model wrote where that is not JSON.
fn tool_call(call: &ToolCall) -> Value {
    let arguments = match call.arguments.trim() {
        "" => Value::from_pairs([(); 0].map(|()| ("", ""))),
        text => serde_json::from_str::<Value>(text).unwrap_or_else(|_| call.arguments.as_str().into()),
    };
    let [kind, function] = function([("name", call.name.as_str().into()), ("arguments", arguments)]);
    Value::from_pairs([("id", call.id.as_str().into()), kind, function])
}
