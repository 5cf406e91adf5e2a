use serde_json::{Value, json};

use crate::harness::{Rig, config, options, server_with};

const CHAT: &str = "/v1/chat/completions";

/// Shows tools as the models of Hermes are shown them.
const TEMPLATE: &str = "{% if tools %}<tools>{% for tool in tools %}{{ tool | tojson }}{% endfor %}</tools> as <tool_call>{% endif %}\
    {% for message in messages %}{{ message.role }}: {{ message.content }}{% for call in message.tool_calls or [] %}\
    <tool_call>{{ call.function | tojson }}</tool_call>{% endfor %}\n{% endfor %}assistant:";

fn rig() -> Rig {
    Rig::over(server_with(TEMPLATE, &options(), config()))
}

fn body(fields: Value) -> Value {
    let city =
        json!({"type": "object", "properties": {"city": {"enum": ["Bern", "Rome"]}}, "required": ["city"], "additionalProperties": false});
    let none = json!({"type": "object", "properties": {}, "additionalProperties": false});
    let tool = |name: &str, parameters: Value| json!({"type": "function", "function": {"name": name, "parameters": parameters}});
    let mut body = json!({
        "model": "jarre-tiny", "messages": [{"role": "user", "content": "Weather?"}], "max_tokens": 380, "seed": 3,
        "tools": [tool("weather", city), tool("stop", none)],
    });
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn tools_that_must_not_be_called_are_not_shown() {
    let rig = rig();
    let shown = rig.post(CHAT, &body(json!({"max_tokens": 4}))).await.ok();
    let hidden = rig.post(CHAT, &body(json!({"max_tokens": 4, "tool_choice": "none"}))).await.ok();
    let bare = json!({"model": "jarre-tiny", "messages": [{"role": "user", "content": "Weather?"}], "max_tokens": 4, "seed": 3});
    let none = rig.post(CHAT, &bare).await.ok();
    assert_eq!(hidden["usage"], none["usage"]);
    assert_eq!(hidden["choices"], none["choices"]);
    assert!(shown["usage"]["prompt_tokens"].as_u64() > hidden["usage"]["prompt_tokens"].as_u64().map(|tokens| tokens + 20));
    assert_eq!((&shown["choices"][0]["finish_reason"], &shown["choices"][0]["message"]["tool_calls"]), (&json!("length"), &Value::Null));
}

#[tokio::test]
async fn calls_and_their_answers_are_part_of_a_conversation() {
    let call = json!({"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\": \"Bern\"}"}});
    let messages = json!([
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": null, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
    ]);
    rig().post(CHAT, &body(json!({"messages": messages, "max_tokens": 4}))).await.ok();
}

#[cfg(not(feature = "grammar"))]
#[tokio::test]
async fn calls_cannot_be_demanded_where_nothing_forces_them() {
    let error = rig().post(CHAT, &body(json!({"tool_choice": "required"}))).await.refused(400);
    assert_eq!(error["param"], "tools");
}

#[cfg(feature = "grammar")]
mod forced {
    use super::*;

    fn check(call: &Value) {
        assert_eq!(call["type"], "function");
        assert!(call["id"].as_str().unwrap().starts_with("call_"));
        let arguments: Value = serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
        match call["function"]["name"].as_str().unwrap() {
            "weather" => assert!(arguments == json!({"city": "Bern"}) || arguments == json!({"city": "Rome"}), "{arguments}"),
            "stop" => assert_eq!(arguments, json!({})),
            other => panic!("{other} is not offered"),
        }
    }

    #[tokio::test]
    async fn a_call_that_is_demanded_comes_whole_and_names_why_the_answer_ended() {
        let rig = rig();
        let mut ended = 0;
        for seed in 0..4 {
            let asked = json!({"tool_choice": "required", "parallel_tool_calls": false, "seed": seed});
            let choice = rig.post(CHAT, &body(asked)).await.ok()["choices"][0].clone();
            if choice["finish_reason"] == "length" {
                continue;
            }
            ended += 1;
            assert_eq!((&choice["finish_reason"], &choice["message"]["content"]), (&json!("tool_calls"), &Value::Null));
            let calls = choice["message"]["tool_calls"].as_array().unwrap();
            assert_eq!(calls.len(), 1);
            check(&calls[0]);
        }
        assert!(ended >= 3, "{ended} of 4 came to an end");
    }

    #[tokio::test]
    async fn several_calls_of_an_answer_are_told_apart() {
        let answer = rig().post(CHAT, &body(json!({"tool_choice": "required", "max_tokens": 200}))).await.ok();
        let calls = answer["choices"][0]["message"]["tool_calls"].as_array().unwrap().clone();
        let ids: std::collections::BTreeSet<&str> = calls.iter().map(|call| call["id"].as_str().unwrap()).collect();
        assert!(calls.len() > 1 && ids.len() == calls.len(), "{calls:?}");
        calls.iter().for_each(check);
    }

    #[tokio::test]
    async fn a_stream_has_the_calls_of_the_whole_answer() {
        let rig = rig();
        for seed in 0..4 {
            let asked = json!({"tool_choice": {"type": "function", "function": {"name": "weather"}}, "seed": seed});
            let whole = rig.post(CHAT, &body(asked.clone())).await.ok()["choices"][0].clone();
            let mut streamed = body(asked);
            streamed["stream"] = json!(true);
            let chunks = rig.post(CHAT, &streamed).await.events();
            let deltas: Vec<&Value> = chunks.iter().filter_map(|chunk| chunk["choices"].get(0)).collect();
            let calls: Vec<&Value> =
                deltas.iter().flat_map(|choice| choice["delta"]["tool_calls"].as_array().into_iter().flatten()).collect();
            let finish = deltas.iter().find_map(|choice| choice["finish_reason"].as_str());
            assert_eq!(finish, whole["finish_reason"].as_str());
            let Some(expected) = whole["message"]["tool_calls"].as_array() else { continue };
            assert_eq!((calls.len(), expected.len()), (1, 1));
            assert_eq!((&calls[0]["function"], calls[0]["index"].as_u64()), (&expected[0]["function"], Some(0)));
            check(calls[0]);
        }
    }

    #[tokio::test]
    async fn an_answer_has_one_form() {
        let error = rig().post(CHAT, &body(json!({"response_format": {"type": "json_object"}}))).await.refused(400);
        assert_eq!(error["param"], "tools");
        assert!(error["message"].as_str().unwrap().contains("leave one of them out"), "{error}");
        rig().post(CHAT, &body(json!({"response_format": {"type": "json_object"}, "tool_choice": "none", "max_tokens": 4}))).await.ok();
    }
}
