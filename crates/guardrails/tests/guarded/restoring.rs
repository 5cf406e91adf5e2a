//! Pseudonyms, and how they are put back.

use std::sync::Arc;

use jarre_core::{ChatModel, ChatRequest, ChatResponse, FinishReason, Message, Part, Role, ToolCall, testing::ScriptedModel};
use jarre_guardrails::{
    Effect, Guard, Reach, Stage,
    pii::Vault,
    scan::{Matcher, Pattern},
};
use pollster::block_on;

use crate::{
    guards::Of,
    models::{guarded, layer},
};

/// Replaces what `regex` matches by what `with` makes of it and of the request's vault.
fn vaulted(regex: &str, with: impl Fn(&Vault, &str) -> Effect + Clone + Send + Sync + 'static) -> Of {
    let patterns: Arc<[Pattern]> = [Pattern::new("name", regex).unwrap()].into();
    let Reach::Bytes(reach) = Matcher::reach(&patterns) else { panic!("patterns are bounded") };
    Of::new("vaulted", Reach::Bytes(reach), move |context| {
        let (vault, with) = (context.vault.clone(), with.clone());
        Box::new(Matcher::new(patterns.clone(), move |_, seen| with(&vault, seen.text)))
    })
}

fn hides() -> Of {
    vaulted("@[a-z\"]{1,9}", |vault, name| Effect::Replace(vault.pseudonym("name", name)))
}

fn restores() -> Arc<dyn Guard> {
    Arc::new(vaulted("<NAME_[0-9]{1,3}>", |vault, pseudonym| vault.value(pseudonym).map_or(Effect::Note, Effect::Replace)))
}

#[test]
fn the_model_sees_pseudonyms_and_the_person_does_not() {
    let call = ToolCall::new("c", "greet", r#"{"who": "<NAME_2>"}"#);
    let reply = ChatResponse::new(Message::assistant("hello <NAME_2> and <NAME_1>, not <NAME_3>").with_part(call), FinishReason::ToolCalls);
    let hides = layer(hides()).at([Stage::Input, Stage::Context]);
    let model = guarded(ScriptedModel::new().with_response(reply), [hides]).with_restore(restores());
    let answer = block_on(model.chat(ChatRequest::new([Message::user("@ada wrote to"), Message::user("@b\"ob and @ada")]))).unwrap();
    let asked: Vec<String> = model.inner().requests()[0].messages.iter().map(Message::text).collect();
    assert_eq!(asked, ["<NAME_1> wrote to", "<NAME_2> and <NAME_1>"]);
    assert_eq!(answer.message.text(), "hello @b\"ob and @ada, not <NAME_3>");
    // A tool may send its arguments anywhere.
    assert_eq!(answer.message.tool_calls().next().unwrap().arguments, r#"{"who": "<NAME_2>"}"#);
}

#[test]
fn only_the_tools_that_are_named_get_values() {
    let call = |tool: &str| ToolCall::new("c", tool, r#"{"who": "<NAME_1>, not <NAME_2>"}"#);
    let reply = ChatResponse::new(
        Message::new(Role::Assistant, [Part::text("<NAME_1>"), call("diary").into(), call("mail").into()]),
        FinishReason::ToolCalls,
    );
    let hides = layer(hides()).at([Stage::Input]);
    let model = guarded(ScriptedModel::new().with_response(reply), [hides]).with_restore_in_calls(restores(), |tool| tool == "diary");
    let answer = block_on(model.chat(ChatRequest::user("@b\"ob"))).unwrap().message;
    let arguments: Vec<&str> = answer.tool_calls().map(|call| call.arguments.as_str()).collect();
    assert_eq!(arguments, [r#"{"who": "@b\"ob, not <NAME_2>"}"#, r#"{"who": "<NAME_1>, not <NAME_2>"}"#]);
    assert_eq!(answer.text(), "<NAME_1>");
}

#[test]
fn requests_share_no_vault() {
    let model = ScriptedModel::new().with_text("ok").with_text("who is <NAME_1>?");
    let model = guarded(model, [layer(hides()).at([Stage::Input])]).with_restore(restores());
    block_on(model.chat(ChatRequest::user("@ada"))).unwrap();
    assert_eq!(block_on(model.chat(ChatRequest::user("hello"))).unwrap().message.text(), "who is <NAME_1>?");
}
