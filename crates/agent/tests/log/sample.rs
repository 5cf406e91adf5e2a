//! Events and logs to test with.

use std::{sync::Arc, time::Duration};

use jarre_agent::{ApprovalRequest, ApprovalToken, Budget, Decision, Event, Outcome, Purpose, Reflection, Settings, Task, log::EventLog};
use jarre_core::{
    ChatResponse, Cost, ErrorKind, FinishReason, Message, ModelInfo, Permission, Timestamp, ToolCall, ToolOutput, ToolSpec, Usage,
    testing::ManualClock,
};
use jarre_kv_store::{Memory, Store};
use serde_json::json;

/// Logs in memory, at a clock that stands still in 1970.
pub(crate) fn memory() -> EventLog {
    log(Arc::new(Memory::new()))
}

pub(crate) fn log(store: Arc<dyn Store>) -> EventLog {
    EventLog::new(store, Arc::new(ManualClock::new()))
}

pub(crate) fn started(run: &str) -> Event {
    let mut task =
        Task { name: "fix the sum".into(), instructions: "Make the tests pass.\nÄ and \u{1F600} count.".into(), ..Task::default() };
    task.side.insert("root".into(), json!({"folder": "/work", "b": [1, 2.5, null]}));
    let schema = json!({"type": "object", "required": ["path"], "properties": {"path": {"type": "string"}}});
    Event::Started {
        run: run.into(),
        task,
        settings: Settings::default(),
        tools: vec![ToolSpec::new("file_write", "writes a file", schema, Permission::Write)],
        model: ModelInfo::new("jarre", "scripted").with_context_tokens(8192),
    }
}

pub(crate) fn note(text: impl Into<String>) -> Event {
    let output = ToolOutput::new(text);
    Event::ToolFinished { key: "key".into(), output, took: Duration::from_millis(2) }
}

pub(crate) fn finished() -> Event {
    Event::Finished { outcome: Outcome::Done { answer: "42".into() } }
}

pub(crate) fn write_call(id: &str) -> ToolCall {
    ToolCall::new(id, "file_write", r#"{"path":"src/lib.rs"}"#)
}

/// What `run` asks for as its `index`th approval.
pub(crate) fn request(run: &str, index: u64) -> ApprovalRequest {
    let call = write_call(&format!("call-{index}"));
    let token = ApprovalToken::of(run, index, &call);
    ApprovalRequest { call, why: "no rule speaks of it".into(), token }
}

/// One of every sort of event.
pub(crate) fn every_event(run: &str) -> Vec<Event> {
    let call = write_call("call-0");
    let message = Message::assistant("I write it.").with_part(call.clone());
    let response = ChatResponse::new(message, FinishReason::ToolCalls).with_usage(Usage::new(100, 20).with_cached(50));
    let reflection = Reflection {
        task: "fix the sum".into(),
        failure: "assertion `left == right` failed\n  left: 3\n right: 4".into(),
        what: "the sum is one short".into(),
        why: "the range ends before its last number".into(),
        instead: "use `..=`".into(),
    };
    let output = ToolOutput::error("no such folder").with_data(json!({"tests": {"passed": 1, "failed": 2}, "a": {"z": 0.1, "b": -1}}));
    vec![
        started(run),
        Event::Recalled { reflections: vec![reflection.clone()] },
        Event::ModelCalled { call: 0, purpose: Purpose::Act, digest: "00ff".into() },
        Event::ModelAnswered { call: 0, response, cost: Cost::from_micros(7) },
        Event::ModelCalled { call: 1, purpose: Purpose::Reflect, digest: "ff00".into() },
        Event::ModelFailed { call: 1, kind: ErrorKind::RateLimited, message: "slow down".into() },
        Event::ApprovalAsked { requests: vec![request(run, 0), request(run, 1)] },
        Event::ApprovalAnswered { token: request(run, 0).token, decision: Decision::Edited { arguments: "{}".into() }, by: "maria".into() },
        Event::ApprovalAnswered { token: request(run, 1).token, decision: Decision::Denied { reason: "no".into() }, by: "jo".into() },
        Event::ToolStarted { call, key: "run/0".into() },
        Event::ToolFinished { key: "run/0".into(), output, took: Duration::new(1, 5) },
        Event::Remembered,
        Event::Cancelled { reason: "enough".into() },
        Event::Finished { outcome: Outcome::OutOfBudget { budget: Budget::Tool { name: "file_write".into() } } },
    ]
}

/// Microseconds in 1970.
pub(crate) fn at(micros: i64) -> Timestamp {
    Timestamp::from_unix_micros(micros)
}
