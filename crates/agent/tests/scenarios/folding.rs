use std::time::Duration;

use jarre_agent::{
    Action, ApprovalRequest, ApprovalToken, CodecKind, Decision, Event, Outcome, Purpose, Record, Reflection, Run, SCHEMA, Settings, Task,
    Verdict, request_digest,
};
use jarre_core::{
    ChatResponse, Cost, ErrorKind, FinishReason, Message, ModelInfo, Permission, Timestamp, ToolCall, ToolOutput, ToolSpec, Usage,
};
use proptest::prelude::*;
use serde_json::json;

fn started(settings: Settings) -> Event {
    let schema = json!({"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]});
    let tools = vec![
        ToolSpec::new("file_write", "w", schema.clone(), Permission::Write),
        ToolSpec::new("test_run", "t", json!({"type": "object"}), Permission::Execute),
        ToolSpec::new("finish", "f", json!({"type": "object"}), Permission::Read),
    ];
    Event::Started { run: "run".into(), task: Task::default(), settings, tools, model: ModelInfo::new("p", "m") }
}

fn record(seq: u64, event: Event) -> Record {
    Record { schema: SCHEMA, seq, at: Timestamp::from_unix_micros(seq as i64 * 1_000), previous: String::new(), event }
}

/// Answers of all sorts, from a few dice.
fn response(dice: u8) -> ChatResponse {
    let text = |text: &str| ChatResponse::new(Message::assistant(text), FinishReason::Stop).with_usage(Usage::new(20, 4));
    let call = |name: &str, arguments: &str| {
        ChatResponse::new(Message::assistant("t").with_part(ToolCall::new("c", name, arguments)), FinishReason::ToolCalls)
    };
    match dice % 12 {
        0 => text("Thought: x\nAction: test_run\nAction Input: {}"),
        1 => text(""),
        2 => text(r#"{"what": "a", "why": "b", "instead": "c"}"#),
        3 => call("file_write", r#"{"path": "a"}"#),
        4 => call("file_write", &format!(r#"{{"path": "b{dice}"}}"#)),
        5 => call("file_write", r#"{"path": 3"#),
        6 | 7 => call("test_run", "{}"),
        8 => call("finish", "{}"),
        9 => call("nothing", "[]"),
        10 => ChatResponse::new(Message::assistant("x").with_part(ToolCall::new("", "test_run", "")), FinishReason::Length),
        _ => text(&"long ".repeat(2_000)),
    }
}

fn output(dice: u8) -> ToolOutput {
    let report = |failed: u64| json!({"tests": {"passed": 1 - failed, "failed": failed, "skipped": 0, "failures": []}});
    match dice % 5 {
        0 => ToolOutput::new("ok"),
        1 => ToolOutput::error("no"),
        2 => ToolOutput::new("passed").with_data(report(0)),
        3 => ToolOutput::new("failed").with_data(report(1)),
        _ => ToolOutput::new("é".repeat(9_000)).with_data(json!({"tests": "no report"})),
    }
}

/// What could happen where this is waited for.
fn event(action: &Action, dice: u8) -> Option<Event> {
    let event = match action {
        Action::CallModel { call, purpose, request } => match dice % 7 {
            0..4 => Event::ModelCalled { call: *call, purpose: *purpose, digest: request_digest(request) },
            4 => Event::Cancelled { reason: "c".into() },
            _ => return None,
        },
        Action::CallTools(calls) if calls[0].in_doubt => {
            Event::ToolFinished { key: calls[0].key.clone(), output: output(dice), took: Duration::from_secs(1) }
        }
        Action::CallTools(calls) => Event::ToolStarted { call: calls[0].call.clone(), key: calls[0].key.clone() },
        Action::AskHuman(requests) => Event::ApprovalAnswered {
            token: requests[usize::from(dice) % requests.len()].token.clone(),
            decision: match dice % 3 {
                0 => Decision::Approved,
                1 => Decision::Denied { reason: "n".into() },
                _ => Decision::Edited { arguments: r#"{"path": "z"}"#.into() },
            },
            by: "p".into(),
        },
        Action::Recall { .. } => Event::Recalled { reflections: vec![] },
        Action::Remember(_) => Event::Remembered,
        Action::Finish(outcome) => Event::Finished { outcome: outcome.clone() },
        _ => return None,
    };
    Some(event)
}

fn settings(dice: u8) -> Settings {
    let mut settings = Settings::default();
    settings.rules.otherwise = if dice.is_multiple_of(2) { Verdict::Allow } else { Verdict::Ask };
    settings.codec = if dice.is_multiple_of(3) { CodecKind::React } else { CodecKind::Native };
    settings.limits.context_tokens = (dice.is_multiple_of(5)).then_some(600);
    settings.limits.steps = u64::from(dice % 16) + 2;
    settings
}

/// Plays a run by dice; every record that was applied.
fn play(dice: &[u8]) -> Vec<Record> {
    let first = dice.first().copied().unwrap_or_default();
    let mut run = Run::new("run");
    let mut records = vec![record(0, started(settings(first)))];
    run.apply(&records[0]).unwrap();
    for &dice in dice {
        let action = run.next();
        assert_eq!(run.next(), action, "asked twice, it says the same");
        let event = match (&action, run.in_flight()) {
            (Action::CallModel { call, .. }, Some(_)) if dice.is_multiple_of(9) => Event::ModelFailed {
                call: *call,
                kind: [ErrorKind::Timeout, ErrorKind::ContextLength][usize::from(dice % 2)],
                message: "m".into(),
            },
            (Action::CallModel { call, .. }, Some(_)) => {
                Event::ModelAnswered { call: *call, response: response(dice), cost: Cost::from_micros(1) }
            }
            (Action::AskHuman(requests), _) if !run.is_asking() => Event::ApprovalAsked { requests: requests.clone() },
            _ => match event(&action, dice) {
                Some(event) => event,
                None => continue,
            },
        };
        let next = record(run.seq(), event);
        run.apply(&next).unwrap_or_else(|error| panic!("{error} after {action:?}"));
        records.push(next);
    }
    records
}

/// Events out of any order.
fn any_event(dice: (u8, u8)) -> Event {
    let call = ToolCall::new("c", "test_run", "{}");
    let number = u64::from(dice.1 % 3);
    match dice.0 % 12 {
        0 => started(settings(dice.1)),
        1 => Event::ModelCalled {
            call: number,
            purpose: [Purpose::Plan, Purpose::Act, Purpose::Reflect][usize::from(dice.1 % 3)],
            digest: String::new(),
        },
        2 | 3 => Event::ModelAnswered { call: number, response: response(dice.1), cost: Cost::MAX },
        4 => Event::ModelFailed { call: number, kind: ErrorKind::Unavailable, message: "m".into() },
        5 => Event::ApprovalAsked {
            requests: vec![ApprovalRequest { call: call.clone(), why: String::new(), token: ApprovalToken::of("run", 0, &call) }],
        },
        6 => Event::ApprovalAnswered { token: ApprovalToken::of("run", 0, &call), decision: Decision::Approved, by: String::new() },
        7 => Event::ToolStarted { call, key: "k".into() },
        8 => Event::ToolFinished { key: "k".into(), output: output(dice.1), took: Duration::MAX },
        9 => Event::Recalled {
            reflections: vec![Reflection { task: "t".into(), failure: "f".into(), what: "w".into(), why: "y".into(), instead: "i".into() }],
        },
        10 => Event::Remembered,
        _ if dice.1.is_multiple_of(2) => Event::Cancelled { reason: "r".into() },
        _ => Event::Finished { outcome: Outcome::Stuck { reason: "s".into() } },
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_is_waited_for_can_happen_and_a_prefix_folds_to_the_same(dice in prop::collection::vec(any::<u8>(), 0..80), cut in any::<prop::sample::Index>()) {
        let records = play(&dice);
        let cut = cut.index(records.len()) + 1;
        let mut live = Run::new("run");
        for record in &records[..cut] {
            live.apply(record).unwrap();
        }
        // A log is read back from its JSON.
        let read: Vec<Record> = records[..cut].iter().map(|record| serde_json::from_str(&serde_json::to_string(record).unwrap()).unwrap()).collect();
        prop_assert_eq!(&read[..], &records[..cut]);
        let folded = Run::replay(&read).unwrap();
        prop_assert_eq!(folded.next(), live.next());
        prop_assert_eq!((folded.phase(), folded.steps(), folded.usage()), (live.phase(), live.steps(), live.usage()));
    }

    #[test]
    fn what_cannot_follow_is_refused_and_changes_nothing(dice in prop::collection::vec(any::<(u8, u8)>(), 0..60)) {
        let mut run = Run::new("run");
        for dice in dice {
            let (before, seq) = (run.next(), run.seq());
            let applied = run.apply(&record(run.seq(), any_event(dice)));
            if applied.is_err() {
                prop_assert_eq!(run.next(), before);
                prop_assert_eq!(run.seq(), seq);
            }
        }
    }
}

#[test]
fn a_refusal_names_the_event_and_the_record() {
    let mut run = Run::new("run");
    let refused = run.apply(&record(0, Event::Remembered)).unwrap_err().to_string();
    assert!(refused.contains("record 0") && refused.contains("`remembered`"), "{refused}");
    let refused = run.apply(&record(4, Event::Remembered)).unwrap_err().to_string();
    assert!(refused.contains("the record 0 was expected"), "{refused}");
    let newer = Record { schema: SCHEMA + 1, ..record(0, started(Settings::default())) };
    assert!(run.apply(&newer).unwrap_err().to_string().contains("use a newer one"));
}
