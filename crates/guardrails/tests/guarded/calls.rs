//! The tool calls that a model makes.

use jarre_core::{
    ChatChunk, ChatModel, ChatRequest, ChatResponse, Delta, FinishReason, Message, Part, Role, ToolCall, testing::ScriptedModel,
};
use jarre_guardrails::{Stage, guarded::GuardedConfig};
use pollster::block_on;

use crate::models::{guarded, layer, numbers, stops_at, streamed};

fn ask() -> ChatRequest {
    ChatRequest::user("hi")
}

fn piece(index: usize, id: Option<&str>, arguments: &str) -> ChatChunk {
    Delta::ToolCall { index, id: id.map(Into::into), name: id.map(|_| "mail".into()), arguments: arguments.into() }.into()
}

fn answer(arguments: &[&str]) -> ChatResponse {
    let calls = arguments.iter().enumerate().map(|(at, text)| ToolCall::new(format!("c{at}"), "mail", *text).into());
    ChatResponse::new(Message::new(Role::Assistant, calls), FinishReason::ToolCalls)
}

#[test]
fn a_call_is_held_until_it_is_whole() {
    let chunks = [
        piece(0, Some("c0"), "{\"to\": \"4"),
        piece(1, Some("c1"), "{\"n"),
        piece(0, None, "2\"}"),
        piece(1, None, "\": \"é\"}"),
        ChatChunk::finish(FinishReason::ToolCalls),
    ];
    let model = guarded(ScriptedModel::new().with_chunks(chunks.into_iter().map(Ok)), [layer(numbers("#"))]);
    let chunks = streamed(&model, ask());
    assert_eq!(chunks.len(), 1);
    let expected = [ToolCall::new("c0", "mail", "{\"to\": \"#\"}"), ToolCall::new("c1", "mail", "{\"n\": \"é\"}")].map(Part::from);
    let answer = crate::models::collect(chunks).unwrap();
    assert_eq!((&answer.message.parts[..], answer.finish_reason), (&expected[..], FinishReason::ToolCalls));
}

#[test]
fn a_stopped_call_is_withheld_and_the_others_go_on() {
    let stop = || [layer(stops_at("bad@x")).at([Stage::ToolCall])];
    let withheld = || Part::text(GuardedConfig::default().withheld);
    let reply = |arguments: &[&str]| block_on(guarded(ScriptedModel::new().with_response(answer(arguments)), stop()).chat(ask())).unwrap();
    // An escape hides nothing.
    let both = reply(&[r#"{"to": "bad\u0040x"}"#, r#"{"to": "good"}"#]);
    assert_eq!(both.message.parts, [withheld(), ToolCall::new("c1", "mail", r#"{"to": "good"}"#).into()]);
    assert_eq!(both.finish_reason, FinishReason::ToolCalls);
    let none = reply(&[r#"{"to": "bad@x"}"#]);
    assert_eq!((none.message.parts, none.finish_reason), (vec![withheld()], FinishReason::ContentFilter));
}

#[test]
fn arguments_that_a_replacement_would_break_are_withheld() {
    let reply =
        |text: &str| block_on(guarded(ScriptedModel::new().with_response(answer(&[text])), [layer(numbers("#"))]).chat(ask())).unwrap();
    assert_eq!(reply(r#"{"n": 42}"#).message.tool_calls().count(), 0);
    assert_eq!(reply(r#"{"n": "42"}"#).message.tool_calls().count(), 1);
    // What was no JSON before is the caller's to mend.
    assert_eq!(reply("n = 42").message.tool_calls().next().unwrap().arguments, "n = #");
}
