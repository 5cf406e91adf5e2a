//! Answers are read as the official server sends them, and written so that the official client reads them.

#![expect(clippy::unwrap_used, reason = "tests")]

use jarre_core::{ChatAccumulator, ErrorKind, FinishReason, ToolCall, Usage};
use jarre_openai::{
    ChatCompletion, ChatCompletionChunk, ChunkReader, Completion, Embedding, EmbeddingResponse, EncodingFormat, ModelList, RerankResponse,
    ScoreResponse, StopReason, StreamEvent, TokenizeResponse, Vector, sse,
};
use serde_json::{Value, json};

#[test]
fn a_whole_answer_is_read_and_written() {
    let text = include_str!("golden/chat_response.json");
    let answer: ChatCompletion = serde_json::from_str(text).unwrap();
    let core = answer.clone().into_core().unwrap();
    assert_eq!(core.message.text(), "Hello! How can I help you today?");
    assert_eq!(core.usage, Usage::new(1117, 46).with_cached(1024));
    assert_eq!((core.finish_reason, core.model.as_deref()), (FinishReason::Stop, Some("gpt-4o-2024-08-06")));

    let mut expected: Value = serde_json::from_str(text).unwrap();
    let strip = |value: &mut Value, names: &[&str]| names.iter().for_each(|name| drop(value.as_object_mut().unwrap().remove(*name)));
    strip(&mut expected, &["service_tier"]);
    strip(&mut expected["usage"], &["completion_tokens_details"]);
    strip(&mut expected["usage"]["prompt_tokens_details"], &["audio_tokens"]);
    strip(&mut expected["choices"][0]["message"], &["annotations"]);
    strip(&mut expected["choices"][0]["logprobs"], &["refusal"]);
    let written = serde_json::to_value(&answer).unwrap();
    assert_eq!(as_f32(written), as_f32(expected));
}

/// Numbers at the precision that they are kept in.
fn as_f32(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => json!(number.as_f64().unwrap() as f32),
        Value::Array(items) => items.into_iter().map(as_f32).collect(),
        Value::Object(fields) => Value::Object(fields.into_iter().map(|(name, value)| (name, as_f32(value))).collect()),
        value => value,
    }
}

#[test]
fn a_stream_folds_to_the_answer() {
    let mut decoder = sse::Decoder::new(1 << 16);
    decoder.push(include_bytes!("golden/chat_stream.txt"));
    let (mut reader, mut answer, mut done) = (ChunkReader::new(), ChatAccumulator::new(), false);
    while let Some(event) = decoder.next_event() {
        assert!(!done, "nothing follows the end");
        match StreamEvent::parse(&event.unwrap().data).unwrap() {
            StreamEvent::Chunk(chunk) => answer.push(reader.read(*chunk)).unwrap(),
            StreamEvent::Done => done = true,
        }
    }
    let answer = answer.finish().unwrap();
    assert!(done);
    assert_eq!(answer.message.text(), "I look it up.");
    let calls: Vec<_> = answer.message.tool_calls().cloned().collect();
    assert_eq!(calls, [ToolCall::new("call_x", "weather", r#"{"city":"Oslo"}"#), ToolCall::new("call_y", "time", "{}")]);
    assert_eq!((answer.finish_reason, answer.usage), (FinishReason::ToolCalls, Usage::new(70, 31).with_cached(64)));
    assert_eq!(answer.id.as_deref(), Some("chatcmpl-123"));
}

#[test]
fn a_completion_is_read_and_written() {
    let text = include_str!("golden/completion_response.json");
    let answer: Completion = serde_json::from_str(text).unwrap();
    assert_eq!(answer.choices[0].logprobs.as_ref().unwrap().token_logprobs, [None, Some(-0.25)]);
    assert_eq!(serde_json::to_value(&answer).unwrap(), serde_json::from_str::<Value>(text).unwrap());
}

#[test]
fn other_servers_are_understood() {
    // Fields missing, null and unknown; a reason that is not the API's; a stop token of vLLM.
    let text = r#"{"choices": [{"message": {"content": "a", "tool_calls": null, "reasoning_content": "hm"}, "finish_reason": "eos",
                   "stop_reason": 7}], "usage": null, "id": null, "created": null, "kv_transfer_params": {}}"#;
    let answer: ChatCompletion = serde_json::from_str(text).unwrap();
    assert_eq!(answer.choices[0].stop_reason, Some(StopReason::Token(7)));
    let core = answer.into_core().unwrap();
    assert_eq!((core.message.text().as_str(), core.finish_reason, core.id), ("a", FinishReason::Other, None));
    assert_eq!(
        serde_json::from_str::<ChatCompletion>(r#"{"choices": null}"#).unwrap().into_core().unwrap_err().kind(),
        ErrorKind::InvalidResponse
    );

    let nameless =
        r#"{"choices": [{"message": {"tool_calls": [{"function": {"name": "a", "arguments": "{}"}}]}, "finish_reason": "stop"}]}"#;
    assert_eq!(serde_json::from_str::<ChatCompletion>(nameless).unwrap().into_core().unwrap_err().kind(), ErrorKind::InvalidResponse);
    // More cached tokens than tokens is a server's mistake that must not spread.
    let usage =
        r#"{"choices": [{"message": {"content": "a"}}], "usage": {"prompt_tokens": 2, "prompt_tokens_details": {"cached_tokens": 9}}}"#;
    assert_eq!(serde_json::from_str::<ChatCompletion>(usage).unwrap().into_core().unwrap().usage, Usage::new(2, 0).with_cached(2));
}

#[test]
fn refusals_and_demanded_calls_end_an_answer_for_what_they_are() {
    let reason = |text: &str| serde_json::from_str::<ChatCompletion>(text).unwrap().into_core().unwrap();
    let refused = reason(r#"{"choices": [{"message": {"content": null, "refusal": "I cannot."}, "finish_reason": "stop"}]}"#);
    assert_eq!((refused.message.text().as_str(), refused.finish_reason), ("I cannot.", FinishReason::ContentFilter));
    let called =
        r#"{"choices": [{"message": {"tool_calls": [{"id": "1", "function": {"name": "a", "arguments": ""}}]}, "finish_reason": "stop"}]}"#;
    assert_eq!(reason(called).finish_reason, FinishReason::ToolCalls);

    let mut reader = ChunkReader::new();
    let mut read = |text: &str| reader.read(serde_json::from_str::<ChatCompletionChunk>(text).unwrap());
    assert_eq!(read(r#"{"choices": [{"delta": {"refusal": "I cannot."}}, {"index": 1, "delta": {"content": "other"}}]}"#).deltas.len(), 1);
    assert_eq!(read(r#"{"choices": [{"delta": {}, "finish_reason": "stop"}]}"#).finish_reason, Some(FinishReason::ContentFilter));
}

#[test]
fn errors_inside_a_stream_are_told_apart_from_chunks() {
    let kind = |data: &str| StreamEvent::parse(data).unwrap_err().kind();
    assert_eq!(
        kind(r#"{"error": {"message": "too long", "code": "context_length_exceeded", "type": "invalid_request_error"}}"#),
        ErrorKind::ContextLength
    );
    assert_eq!(kind(r#"{"error": {"message": "no", "type": "BadRequestError", "code": 400}}"#), ErrorKind::InvalidRequest);
    assert_eq!(kind(r#"{"error": {"message": "wait", "type": "rate_limit_error"}}"#), ErrorKind::RateLimited);
    assert_eq!(kind(r#"{"error": "the model crashed"}"#), ErrorKind::Unavailable);
    assert_eq!(kind("{"), ErrorKind::InvalidResponse);
    assert_eq!(kind("[1]"), ErrorKind::InvalidResponse);
    assert!(matches!(StreamEvent::parse(r#"{"error": null, "choices": []}"#).unwrap(), StreamEvent::Chunk(_)));
    assert_eq!(StreamEvent::parse(" [DONE]").unwrap(), StreamEvent::Done);
}

#[test]
fn the_other_answers_have_the_documented_form() {
    let embedding = Embedding { index: 0, embedding: Vector::encode(&[0.5, -0.25], EncodingFormat::Float), ..Embedding::default() };
    let usage = jarre_openai::Usage { prompt_tokens: 8, total_tokens: 8, ..jarre_openai::Usage::default() };
    let response = EmbeddingResponse { data: vec![embedding], model: "m".into(), usage: Some(usage), ..EmbeddingResponse::default() };
    let wire = json!({"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -0.25]}], "model": "m",
                      "usage": {"prompt_tokens": 8, "completion_tokens": 0, "total_tokens": 8}});
    assert_eq!(serde_json::to_value(&response).unwrap(), wire);
    assert_eq!(serde_json::from_value::<EmbeddingResponse>(wire).unwrap(), response);

    let models = json!({"object": "list", "data": [{"id": "m", "object": "model", "created": 1, "owned_by": "us", "max_model_len": 2048}]});
    assert_eq!(serde_json::to_value(serde_json::from_value::<ModelList>(models.clone()).unwrap()).unwrap(), models);
    let tokens = json!({"count": 2, "max_model_len": 9, "tokens": [1, 2], "token_strs": null});
    assert_eq!(serde_json::to_value(serde_json::from_value::<TokenizeResponse>(tokens.clone()).unwrap()).unwrap(), tokens);
    let scores = json!({"id": "s", "object": "list", "created": 1, "model": "m", "data": [{"index": 0, "object": "score", "score": 0.5}], "usage": null});
    assert_eq!(serde_json::to_value(serde_json::from_value::<ScoreResponse>(scores.clone()).unwrap()).unwrap(), scores);
    let ranks =
        json!({"id": "r", "model": "m", "usage": null, "results": [{"index": 1, "document": {"text": "b"}, "relevance_score": 0.5}]});
    assert_eq!(serde_json::to_value(serde_json::from_value::<RerankResponse>(ranks.clone()).unwrap()).unwrap(), ranks);
}
