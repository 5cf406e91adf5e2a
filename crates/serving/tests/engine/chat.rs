use std::sync::Arc;

use jarre_core::{ChatModel, ChatRequest, ErrorKind, FinishReason, Sampling, SystemClock};
use jarre_serving::{ChatEngine, ServeOptions};
use jarre_transformer::chat_template::ChatTemplate;

use crate::fixture::{family, shipped};

const TEMPLATE: &str = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}assistant:";

fn chat_model() -> ChatEngine {
    let model = shipped().with_template(ChatTemplate::new(TEMPLATE, []).unwrap());
    ChatEngine::start(model, &ServeOptions::default(), Arc::new(SystemClock::new())).unwrap()
}

#[test]
fn the_engine_keeps_the_contract_of_chat_models() {
    pollster::block_on(jarre_core::testing::contract::chat_model(&chat_model()));
}

#[test]
fn a_conversation_is_answered_with_usage_and_times() {
    let model = chat_model();
    let request = ChatRequest::user("What is ownership?").with_sampling(Sampling::greedy().with_max_tokens(12));
    let prompt = model.prompt(&request).unwrap();
    let response = pollster::block_on(model.chat(request)).unwrap();
    assert_eq!(response.usage.prompt_tokens, prompt.len() as u64);
    assert!(response.usage.completion_tokens <= 12);
    assert!(matches!(response.finish_reason, FinishReason::Length | FinishReason::Stop));
    assert!(response.timings.time_to_first_token.unwrap() <= response.timings.total);
}

#[test]
fn what_a_model_cannot_do_is_refused() {
    let no_template = ChatEngine::start(family("llama"), &ServeOptions::default(), Arc::new(SystemClock::new())).unwrap_err();
    assert!(no_template.to_string().contains("no chat template"), "{no_template}");
    let long = ChatRequest::user("word ".repeat(20_000));
    let error = pollster::block_on(chat_model().chat(long)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ContextLength);
}

/// Whatever a model of five million weights would say, it says it as the schema wants it.
#[cfg(feature = "grammar")]
#[test]
fn an_answer_keeps_to_the_schema_that_it_is_asked_for() {
    let schema = serde_json::json!({
        "type": "object",
        "properties": {"kind": {"enum": ["fruit", "tool"]}, "count": {"type": "integer", "minimum": 0, "maximum": 9}},
        "required": ["kind", "count"],
        "additionalProperties": false,
    });
    let mut whole = 0;
    for seed in 0..8_u64 {
        let sampling = Sampling::default().with_seed(seed).with_max_tokens(300);
        let format = jarre_core::ResponseFormat::json_schema("thing", schema.clone());
        let request = ChatRequest::user("Describe a hammer.").with_sampling(sampling).with_response_format(format);
        let response = pollster::block_on(chat_model().chat(request)).unwrap();
        if response.finish_reason == FinishReason::Length {
            // White space between tokens goes on and on.
            continue;
        }
        whole += 1;
        let value: serde_json::Value = serde_json::from_str(&response.message.text()).unwrap();
        assert!(["fruit", "tool"].contains(&value["kind"].as_str().unwrap()) && value["count"].as_u64().unwrap() < 10, "{value}");
    }
    assert!(whole >= 4, "{whole} of 8 came to an end");
}

#[cfg(feature = "grammar")]
#[test]
fn a_call_that_is_demanded_is_a_part_of_the_message() {
    use jarre_core::{Permission, ToolChoice, ToolSpec};
    let template = format!("{{% for tool in tools or [] %}}{{{{ tool | tojson }}}} as <tool_call>{{% endfor %}}{TEMPLATE}");
    let model = shipped().with_template(ChatTemplate::new(&template, []).unwrap());
    let model = ChatEngine::start(model, &ServeOptions::default(), Arc::new(SystemClock::new())).unwrap();
    pollster::block_on(jarre_core::testing::contract::chat_model(&model));
    let day =
        serde_json::json!({"type": "object", "properties": {"day": {"enum": [1, 2]}}, "required": ["day"], "additionalProperties": false});
    let request = ChatRequest::user("Which day?")
        .with_tool(ToolSpec::new("choose", "chooses a day", day, Permission::Read))
        .with_tool_choice(ToolChoice::Tool { name: "choose".to_owned() });
    let mut called = 0;
    for seed in 0..6_u64 {
        let request = request.clone().with_sampling(Sampling::default().with_seed(seed).with_max_tokens(120));
        let response = pollster::block_on(model.chat(request)).unwrap();
        if response.finish_reason == FinishReason::Length {
            continue;
        }
        called += 1;
        assert_eq!(response.finish_reason, FinishReason::ToolCalls);
        let calls: Vec<_> = response.message.tool_calls().collect();
        assert_eq!((calls.len(), calls[0].name.as_str(), response.message.text().as_str()), (1, "choose", ""));
        let arguments: serde_json::Value = serde_json::from_str(&calls[0].arguments).unwrap();
        assert!([1, 2].contains(&arguments["day"].as_i64().unwrap()), "{arguments}");
    }
    assert!(called >= 2, "{called} of 6 came to an end");
}
