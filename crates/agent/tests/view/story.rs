use std::time::Duration;

use jarre_agent::Purpose::{self, Act, Plan, Reflect};
use jarre_agent::view::{Lesson, Story};
use jarre_agent::{ApprovalToken, Decision, Event, Outcome, Phase, Record, SCHEMA};
use jarre_core::{Cost, Timestamp, ToolCall, ToolOutput, Usage};
use proptest::prelude::*;

use crate::sample;

#[test]
fn a_run_is_told_in_steps_with_what_came_of_them() {
    let records = sample::run("r1", Timestamp::UNIX_EPOCH);
    let story = Story::of(&records);
    assert_eq!((story.run.as_str(), story.task.name.as_str(), story.next), ("r1", "Mend the calendar", records.len() as u64));
    let purposes: Vec<Purpose> = story.steps.iter().map(|step| step.purpose).collect();
    assert_eq!(purposes, [Plan, Act, Act, Act, Reflect, Plan, Act, Act, Act]);
    let usage = story.steps.iter().map(|step| step.usage).sum::<Usage>();
    assert_eq!((story.usage, story.usage.prompt_tokens), (usage, 22_610));
    assert_eq!(story.cost, story.steps.iter().map(|step| step.cost).sum::<Cost>());
    assert!(story.plan.starts_with("1. Give `days_in` the year."), "the last plan counts");
    let edit = &story.steps[2].calls[0];
    assert!(edit.diff.as_ref().unwrap().contains("+    if day.day == days_in(day.month) {"));
    assert_eq!(edit.took, Some(Duration::from_millis(6)));
    assert!(matches!(&edit.approval.as_ref().unwrap().answer, Some((Decision::Approved, by, _)) if by == "ada"));
    assert_eq!(story.failures.len(), 1);
    let failure = &story.failures[0];
    assert_eq!((failure.step, failure.tests.failed, failure.recalled.len()), (3, 2, 1));
    assert!(matches!(&failure.lesson, Some(Lesson::Parts { what, .. }) if what.starts_with("December")));
    assert!(matches!(story.outcome, Some(Outcome::Done { .. })));
    assert_eq!((story.phase, story.pending().count()), (Phase::Ended, 0));
}

#[test]
fn every_prefix_is_the_story_so_far() {
    let records = sample::run("r1", Timestamp::UNIX_EPOCH);
    let mut story = Story::default();
    for (count, record) in records.iter().enumerate() {
        assert_eq!(story, Story::of(&records[..count]));
        let before = story.clone();
        let changed = story.push(record);
        for (place, step) in story.steps.iter().enumerate() {
            assert!(before.steps.get(place) == Some(step) || changed == Some(place), "step {place} by record {count}");
        }
    }
}

#[test]
fn a_question_shows_what_its_answer_binds() {
    let read = ToolCall::new("c", "file_read", r#"{"path":"a"}"#);
    for (wrote, bound) in [
        (ToolCall::new("", "file_write", "{}"), ToolCall::new("c", "file_write", r#"{"path":"b"}"#)),
        (ToolCall::new("d", "file_write", "{'path': 'b'}"), ToolCall::new("d", "file_write", r#"{"path":"b"}"#)),
    ] {
        let mut log = sample::Log::new("r1", Timestamp::UNIX_EPOCH);
        log.start("a task", "do it");
        log.model(Act, "", vec![read.clone(), wrote], Usage::default());
        let token = log.ask(&bound, "it writes");
        let story = Story::of(&log.records);
        let asked: Vec<_> = story.pending().map(|(_, call)| (&call.call, &call.approval.as_ref().unwrap().token)).collect();
        assert_eq!(asked, [(&bound, &token)]);
        assert!(story.steps[0].calls[0].call == read && story.steps[0].calls[0].approval.is_none());
    }
}

#[test]
fn a_question_waits_until_it_is_answered() {
    let (mut log, call, token) = sample::until_approval("r1", Timestamp::UNIX_EPOCH);
    let story = Story::of(&log.records);
    let waiting: Vec<&ToolCall> = story.pending().map(|(_, call)| &call.call).collect();
    assert_eq!((waiting, story.phase), (vec![&call], Phase::NeedsApproval));
    log.answer(Duration::ZERO, ApprovalToken::from("another".to_owned()), Decision::Approved);
    assert_eq!(Story::of(&log.records).pending().count(), 1, "an answer to something else");
    log.answer(Duration::ZERO, token, Decision::Denied { reason: "no".to_owned() });
    let story = Story::of(&log.records);
    assert_eq!(story.pending().count(), 0);
    assert!(story.steps[2].calls[0].is_denied());
}

#[test]
fn a_call_that_was_in_doubt_and_made_again_is_one() {
    let (mut log, call, token) = sample::until_approval("r1", Timestamp::UNIX_EPOCH);
    log.answer(Duration::ZERO, token, Decision::Approved);
    let key = "k".to_owned();
    log.push(Duration::ZERO, Event::ToolStarted { call: call.clone(), key: key.clone() });
    log.push(Duration::from_secs(9), Event::ToolStarted { call, key: key.clone() });
    log.push(Duration::ZERO, Event::ToolFinished { key, output: ToolOutput::new("done"), took: Duration::ZERO });
    let story = Story::of(&log.records);
    assert_eq!(story.steps[2].calls.len(), 1);
    assert_eq!(story.steps[2].calls[0].output.as_ref().unwrap().text, "done");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn records_in_any_order_make_some_story(order in prop::collection::vec((0..40_usize, any::<u64>(), any::<i64>()), 0..60)) {
        let known = [sample::run("r", Timestamp::UNIX_EPOCH), sample::hostile("x\u{202e}")].concat();
        let record = |(place, seq, at): (usize, u64, i64)| Record {
            schema: SCHEMA,
            seq,
            at: Timestamp::from_unix_micros(at),
            ..known[place % known.len()].clone()
        };
        let records: Vec<Record> = order.into_iter().map(record).collect();
        let story = Story::of(&records);
        jarre_agent::view::html(&story, &jarre_agent::view::HtmlOptions::default());
        jarre_agent::view::Terminal::new(0).story(&story);
        jarre_agent::trace::otlp(&story, &jarre_agent::trace::TraceOptions::default());
    }
}
