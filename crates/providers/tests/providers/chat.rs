use std::time::Duration;

use jarre_core::{
    Capability, ChatModel, ChatRequest, ChatResponse, Delta, ErrorKind, FinishReason, Message, ModelInfo, Part, Permission, ResponseFormat,
    Sampling, ToolCall, ToolChoice, ToolResult, ToolSpec, Usage, future, testing::contract,
};
use jarre_providers::{ApiKey, Dialect, Endpoint, EndpointConfig, OpenAiChat};
use serde_json::json;

use crate::server::{Server, answer, end, events, reply, text};

fn model(server: &Server) -> OpenAiChat {
    OpenAiChat::new(Endpoint::new(&EndpointConfig::new(&server.url)).unwrap(), "m")
}

fn able(model: OpenAiChat) -> OpenAiChat {
    let able = [Capability::Images, Capability::Tools, Capability::JsonObject, Capability::JsonSchema];
    model.with_info(able.into_iter().fold(ModelInfo::new("test", "m"), ModelInfo::with_capability))
}

#[tokio::test]
async fn the_contract_is_kept() {
    let server = Server::start(|number, _| answer(&format!("id-{number}"), &["because ", "of scattering"]));
    contract::chat_model(&model(&server)).await;
    contract::chat_model(&able(model(&server))).await;
}

#[tokio::test]
async fn a_request_is_sent_as_asked_and_its_answer_folded() {
    let server = Server::start(|_, _| answer("id", &["", "good ", "morning"]));
    let config = EndpointConfig::new(format!("{}/", server.url)).with_api_key(ApiKey::new("sk-1").unwrap()).with_organization("org-7");
    let model = OpenAiChat::new(Endpoint::new(&config).unwrap(), "m");
    let sampling = Sampling::default().with_temperature(0.5).with_max_tokens(7).with_top_k(3).with_seed(5).with_stop(["END"]);
    let response = model.chat(ChatRequest::user("hi").with_sampling(sampling)).await.unwrap();

    assert_eq!((response.message, response.finish_reason), (Message::assistant("good morning"), FinishReason::Stop));
    assert_eq!(response.usage, Usage::new(9, 4).with_cached(3));
    assert_eq!((response.id.as_deref(), response.model.as_deref()), (Some("id"), Some("m-1")));
    assert!(response.timings.time_to_first_token.unwrap() <= response.timings.total);

    let request = &server.requests()[0];
    assert_eq!(request.line, "POST /v1/chat/completions HTTP/1.1");
    assert_eq!((request.headers["authorization"].as_str(), request.headers["openai-organization"].as_str()), ("Bearer sk-1", "org-7"));
    let expected = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}], "temperature": 0.5, "max_completion_tokens": 7,
                          "seed": 5, "stop": ["END"], "stream": true, "stream_options": {"include_usage": true}});
    assert_eq!(request.body, expected);
}

#[tokio::test]
async fn a_dialect_decides_what_is_sent() {
    let server = Server::start(|_, _| answer("id", &["a"]));
    let config = EndpointConfig::new(&server.url).with_dialect(Dialect::Extended);
    let model = OpenAiChat::new(Endpoint::new(&config).unwrap(), "m");
    model.chat(ChatRequest::user("hi").with_sampling(Sampling::default().with_top_k(3).with_max_tokens(7))).await.unwrap();
    let body = &server.requests()[0].body;
    assert_eq!((&body["top_k"], &body["max_tokens"], body.get("max_completion_tokens")), (&json!(3), &json!(7), None));
    assert!(!server.requests()[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn chunks_are_given_out_as_they_come() {
    let server = Server::start(|_, _| {
        let mut acts = events(&[text("id", "first")]);
        acts.push(crate::server::Act::Wait(Duration::from_secs(1)));
        acts.extend(events(&[text("id", " second")].into_iter().chain(end("id", "length")).collect::<Vec<_>>()).split_off(1));
        acts
    });
    let start = std::time::Instant::now();
    let mut stream = model(&server).stream(ChatRequest::user("hi")).await.unwrap();
    let first = future::next(&mut stream).await.unwrap().unwrap();
    assert_eq!(first.deltas, [Delta::Text { index: 0, text: "first".into() }]);
    assert!(start.elapsed() < Duration::from_millis(800), "the first chunk does not wait for the second");
    let mut rest = Vec::new();
    while let Some(chunk) = future::next(&mut stream).await {
        rest.push(Ok(chunk.unwrap()));
    }
    assert!(start.elapsed() >= Duration::from_secs(1));
    let response = ChatResponse::collect(future::iter(std::iter::once(Ok(first)).chain(rest))).await.unwrap();
    assert_eq!((response.message.text().as_str(), response.finish_reason), ("first second", FinishReason::Length));
    assert!(future::next(&mut stream).await.is_none(), "a stream that has ended stays so");
}

#[tokio::test]
async fn tools_formats_and_pictures_go_out_and_calls_come_back() {
    let deltas = [
        json!({"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": {"name": "look_up", "arguments": ""}}]}),
        json!({"tool_calls": [{"index": 0, "function": {"arguments": "{\"word\":"}}]}),
        json!({"tool_calls": [{"index": 1, "id": "c2", "function": {"name": "now", "arguments": "{}"}}, {"index": 0, "function": {"arguments": "\"cat\"}"}}]}),
    ];
    let datas =
        deltas.map(|delta| json!({"choices": [{"index": 0, "delta": delta}]}).to_string()).into_iter().chain(end("id", "tool_calls"));
    let script = events(&datas.collect::<Vec<_>>());
    let server = Server::start(move |_, _| script.clone());
    let schema = json!({"type": "object", "properties": {"word": {"type": "string"}}});
    let earlier = ToolCall::new("c0", "look_up", r#"{"word":"dog"}"#);
    let request = ChatRequest::new([
        Message::user("look").with_part(Part::image_bytes("image/png", [1, 2, 3])),
        Message::new(jarre_core::Role::Assistant, [earlier.clone().into()]),
        Message::tool(ToolResult::new(&earlier, "an animal")),
    ])
    .with_tool(ToolSpec::new("look_up", "looks a word up", schema.clone(), Permission::Read))
    .with_tool_choice(ToolChoice::Required)
    .with_response_format(ResponseFormat::json_schema("answer", schema.clone()));
    let response = able(model(&server)).chat(request).await.unwrap();
    let calls: Vec<_> = response.message.tool_calls().cloned().collect();
    assert_eq!(calls, [ToolCall::new("c1", "look_up", r#"{"word":"cat"}"#), ToolCall::new("c2", "now", "{}")]);
    assert_eq!(response.finish_reason, FinishReason::ToolCalls);

    let body = &server.requests()[0].body;
    assert_eq!(body["messages"][0]["content"][1]["image_url"]["url"], "data:image/png;base64,AQID");
    assert_eq!(body["messages"][1]["tool_calls"][0]["function"], json!({"name": "look_up", "arguments": "{\"word\":\"dog\"}"}));
    assert_eq!(body["messages"][2], json!({"role": "tool", "tool_call_id": "c0", "content": "an animal"}));
    assert_eq!(body["tools"][0]["function"]["parameters"], schema);
    assert_eq!(body["tool_choice"], "required");
    assert_eq!(body["response_format"]["json_schema"], json!({"name": "answer", "schema": schema, "strict": true}));
}

#[tokio::test]
async fn what_the_model_cannot_do_is_not_sent() {
    let server = Server::start(|_, _| answer("id", &["a"]));
    let request = ChatRequest::user("a").with_response_format(ResponseFormat::JsonObject);
    assert_eq!(model(&server).chat(request).await.unwrap_err().kind(), ErrorKind::InvalidRequest);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_whole_answer_in_place_of_a_stream_is_understood() {
    let body = json!({"id": "id", "model": "m-1", "choices": [{"index": 0, "message": {"role": "assistant", "content": "whole"},
                      "finish_reason": "stop"}], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}});
    let server = Server::start(move |_, _| reply(200, "", &body.to_string()));
    let response = model(&server).chat(ChatRequest::user("hi")).await.unwrap();
    assert_eq!((response.message.text().as_str(), response.usage), ("whole", Usage::new(1, 2)));
}

#[tokio::test]
async fn models_are_listed() {
    let server = Server::start(|_, _| reply(200, "", r#"{"object": "list", "data": [{"id": "m", "object": "model"}]}"#));
    let models = Endpoint::new(&EndpointConfig::new(&server.url)).unwrap().models().await.unwrap();
    assert_eq!(models.data[0].id, "m");
    assert_eq!(server.requests()[0].line, "GET /v1/models HTTP/1.1");
}
