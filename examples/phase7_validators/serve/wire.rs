use jarre_core::{ChatRequest, ErrorKind};
use jarre_openai::{ApiError, ChatCompletionRequest};
use serde_json::{Map, Value, json};

use super::failure::defect;

/// Parameters that the proxy deals with itself, that say the same under another name, or that nobody misses in an answer.
const DEALT_WITH: [&str; 5] = ["max_completion_tokens", "stream", "stream_options", "tool_choice", "user"];

/// The conversation that `wire` asks to be continued. Guards read one answer as text, so what cannot come through them is refused rather than
/// left out.
///
/// # Errors
/// A 400 that names the parameter.
pub(super) fn read(wire: &ChatCompletionRequest) -> Result<ChatRequest, ApiError> {
    let request = wire.to_core()?;
    let mut bare = request.clone();
    bare.messages.clear();
    let kept = ChatCompletionRequest::from_core(&wire.model, &bare).map_err(|error| match error.kind() {
        ErrorKind::InvalidRequest => ApiError::invalid_request(error.to_string()),
        _ => defect(),
    })?;
    let kept = parameters(&kept);
    let lost =
        |(name, value): &(&String, &Value)| !kept.contains_key(*name) && !DEALT_WITH.contains(&name.as_str()) && !is_default(name, value);
    let asked = parameters(&ChatCompletionRequest { messages: Vec::new(), ..wire.clone() });
    match asked.iter().find(lost) {
        None => Ok(request),
        Some((name, _)) => {
            let told = format!("the parameter '{name}' cannot be passed through the guards; leave it out");
            Err(ApiError::invalid_request(told).with_param(name).with_code("unsupported_parameter"))
        }
    }
}

fn parameters(wire: &ChatCompletionRequest) -> Map<String, Value> {
    match serde_json::to_value(wire) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

/// Whether a parameter says what holds without it.
fn is_default(name: &str, value: &Value) -> bool {
    let default = match name {
        "n" => json!(1),
        "min_tokens" | "priority" => json!(0),
        "ignore_eos" | "include_stop_str_in_output" | "logprobs" => json!(false),
        "add_generation_prompt" | "parallel_tool_calls" | "skip_special_tokens" => json!(true),
        "response_format" => json!({"type": "text"}),
        _ => return false,
    };
    *value == default
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(parameters: &str) -> Option<String> {
        let body = format!(r#"{{"model": "m", "messages": [{{"role": "user", "content": "hello"}}], {parameters}}}"#);
        read(&ChatCompletionRequest::from_json(body.as_bytes()).unwrap()).err().and_then(|error| error.body.param)
    }

    #[test]
    fn what_cannot_come_through_is_refused_and_defaults_are_not() {
        for (parameters, name) in [
            (r#""n": 2"#, "n"),
            (r#""logprobs": true"#, "logprobs"),
            (r#""logit_bias": {"1": 5}"#, "logit_bias"),
            (r#""min_tokens": 3"#, "min_tokens"),
            (r#""structured_outputs": {"regex": "a+"}"#, "structured_outputs"),
        ] {
            assert_eq!(lost(parameters).as_deref(), Some(name));
        }
        for parameters in [
            r#""n": 1, "logprobs": false, "min_tokens": 0, "user": "anna", "stream": true, "stream_options": {"include_usage": true}"#,
            r#""max_completion_tokens": 5, "temperature": 0, "top_k": 3, "seed": 1, "stop": "x", "response_format": {"type": "text"}"#,
            r#""tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "auto", "parallel_tool_calls": true"#,
            r#""response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}, "strict": true}}"#,
        ] {
            assert_eq!(lost(parameters), None, "{parameters}");
        }
    }
}
