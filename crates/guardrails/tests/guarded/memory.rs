//! What is read once, and what is read again.

use std::sync::{Arc, atomic::Ordering};

use jarre_core::{ChatModel, ChatRequest, Message, RequestId, ToolCall, ToolResult, testing::ScriptedModel};
use jarre_guardrails::{
    Basis, Effect, Reach, Stage,
    guarded::{Guarded, GuardedConfig, Memory, Verdicts},
    pii::{PiiConfig, PiiGuard, RestoreConfig, RestoreGuard},
    scan::Whole,
};
use pollster::block_on;

use crate::{
    guards::{Of, pattern, unreadable},
    models::{layer, pipeline},
};

const TURNS: usize = 12;

fn answering(times: usize) -> ScriptedModel {
    (0..times).fold(ScriptedModel::new(), |model, at| model.with_text(format!("answer {at}")))
}

/// A conversation up to a turn: questions, answers, and a tool's result.
fn conversation(turn: usize) -> ChatRequest {
    let result = ToolResult::new(&ToolCall::new("c", "web", "{}"), "page 101");
    let earlier = (0..turn).flat_map(|at| [Message::user(format!("question {at}")), Message::assistant(format!("answer {at}"))]);
    ChatRequest::new(
        [Message::system("be"), Message::tool(result)].into_iter().chain(earlier).chain([Message::user(format!("question {turn}"))]),
    )
}

/// Replaces numbers at the stages of a request, and goes by `basis`.
fn reads(basis: Basis) -> Of {
    by(basis, pattern("numbers", "[0-9]{1,9}", Effect::Replace("#".into())))
}

fn by(basis: Basis, mut guard: Of) -> Of {
    guard.basis = basis;
    guard
}

/// How many readings are begun in a conversation of [`TURNS`] turns, and that the model is asked the same in each case.
fn readings(guard: &Of, config: GuardedConfig) -> usize {
    let layers = [layer(guard.clone()).at([Stage::Input, Stage::Context])];
    let model = Guarded::new(answering(TURNS), pipeline(layers), config);
    let before = guard.begun.load(Ordering::Relaxed);
    (0..TURNS).for_each(|turn| drop(block_on(model.chat(conversation(turn))).unwrap()));
    for (turn, asked) in model.inner().requests().iter().enumerate() {
        let texts: Vec<String> = asked.messages.iter().map(Message::text).collect();
        assert_eq!(texts.len(), 2 * turn + 3);
        assert!(texts[2..].iter().enumerate().all(|(at, text)| text == ["question #", "answer #"][at % 2]), "{texts:?}");
    }
    guard.begun.load(Ordering::Relaxed) - before
}

#[test]
fn every_message_of_a_long_history_is_read_once() {
    // The tool's result, and two texts a turn but for the last answer, which is in no request.
    assert_eq!(readings(&reads(Basis::Text), GuardedConfig::default()), 2 * TURNS);
    let all: usize = (0..TURNS).map(|turn| 2 * turn + 2).sum();
    assert_eq!(readings(&reads(Basis::Other), GuardedConfig::default()), all);
    assert_eq!(readings(&reads(Basis::Text), GuardedConfig { remember: 0, ..GuardedConfig::default() }), all);
}

#[test]
fn what_goes_by_the_conversation_is_read_again_where_that_changed() {
    // The result is known by the last question, which is another one each turn, and so is each text by the question before it, which is not.
    let read = readings(&reads(Basis::Context), GuardedConfig::default());
    assert!((2 * TURNS..4 * TURNS).contains(&read), "{read}");
    let guard = reads(Basis::Context);
    let model = Guarded::new(answering(3), pipeline([layer(guard.clone()).at([Stage::Input])]), GuardedConfig::default());
    for (system, read) in [("one", 1), ("one", 1), ("other", 2)] {
        block_on(model.chat(ChatRequest::new([Message::system(system), Message::user("hi")]))).unwrap();
        assert_eq!(guard.begun.load(Ordering::Relaxed), read, "{system}");
    }
}

#[test]
fn pseudonyms_are_given_anew_for_every_request() {
    let pii = || layer(PiiGuard::new(PiiConfig::default()).unwrap()).at([Stage::Input]);
    let model = ScriptedModel::new().with_text("1").with_text("to <EMAIL_1>").with_text("to <EMAIL_1>");
    let restore = Arc::new(RestoreGuard::new(&RestoreConfig::default()).unwrap());
    let model = Guarded::new(model, pipeline([pii()]), GuardedConfig::default()).with_restore(restore);
    let ask =
        |texts: &[&str]| block_on(model.chat(ChatRequest::new(texts.iter().map(|text| Message::user(*text))))).unwrap().message.text();
    ask(&["I am ada@example.org", "and bob@example.org"]);
    assert_eq!(ask(&["and bob@example.org", "I am ada@example.org"]), "to bob@example.org");
    assert_eq!(ask(&["I am ada@example.org"]), "to ada@example.org");
}

#[test]
fn a_memory_is_shared_where_the_layers_are_the_same() {
    let (memory, guard, other) = (Arc::new(Memory::new(8)), reads(Basis::Text), reads(Basis::Text));
    let at_input = |guard: &Of| layer(guard.clone()).at([Stage::Input]);
    let shared = pipeline([at_input(&guard)]);
    for (pipeline, guard, read) in [
        (shared.clone(), &guard, 1),
        (shared.clone(), &guard, 1),
        (pipeline([at_input(&other)]), &other, 1),
        (shared.with_group([at_input(&other)]), &other, 2),
    ] {
        let model = Guarded::new(answering(1), pipeline, GuardedConfig::default()).with_memory(memory.clone());
        block_on(model.chat(ChatRequest::user("room 101"))).unwrap();
        assert_eq!(guard.begun.load(Ordering::Relaxed), read);
    }
}

#[test]
fn no_more_is_kept_than_the_capacity() {
    let guard = reads(Basis::Text);
    let config = GuardedConfig { remember: 4, ..GuardedConfig::default() };
    let model = Guarded::new(answering(40), pipeline([layer(guard.clone()).at([Stage::Input])]), config);
    let reads_for = |text: &str| {
        let before = guard.begun.load(Ordering::Relaxed);
        block_on(model.chat(ChatRequest::user(text))).unwrap();
        guard.begun.load(Ordering::Relaxed) - before
    };
    assert_eq!(["a", "b", "a", "c", "a", "d", "e", "f"].map(reads_for), [1, 1, 0, 1, 0, 1, 1, 1]);
    // The latest are there, and what was not asked for is gone.
    assert_eq!(["f", "b", "c"].map(reads_for), [0, 1, 1]);
}

#[test]
fn failures_are_not_kept_and_blocks_are() {
    let fails =
        Of::new("fails", Reach::Whole, |_| Box::new(Whole::new(|text| if text == "bad" { Err(unreadable()) } else { Ok(Vec::new()) })));
    let (fails, stops) = (by(Basis::Text, fails), by(Basis::Text, pattern("stops", "evil", Effect::Block)));
    let model = Guarded::new(answering(0), pipeline([layer(fails.clone()), layer(stops.clone())]), GuardedConfig::default());
    for text in ["bad", "bad", "evil", "evil"] {
        assert!(block_on(model.chat(ChatRequest::user(text))).is_err());
    }
    assert_eq!((fails.begun.load(Ordering::Relaxed), stops.begun.load(Ordering::Relaxed)), (3, 1));
}

#[test]
fn decisions_that_are_known_are_told_as_well() {
    let verdicts = Arc::new(Verdicts::new(8));
    let pipeline = pipeline([layer(reads(Basis::Text)).at([Stage::Input])]).with_sink(verdicts.clone());
    let model = Guarded::new(answering(2), pipeline, GuardedConfig::default());
    for id in ["a", "b"] {
        block_on(model.chat(ChatRequest::user("room 101").with_id(id))).unwrap();
    }
    let of = |id: &str| verdicts.of(&RequestId::from(id)).remove(0);
    let (first, again) = (of("a"), of("b"));
    assert_eq!((again.stage, again.allowed, again.complete), (Stage::Input, true, true));
    assert_eq!((first.layers[0].action, &first.layers[0].spans), (again.layers[0].action, &again.layers[0].spans));
    assert_eq!(again.layers[0].spans[0].start, 5);
}
