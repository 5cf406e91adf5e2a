use std::time::Duration;

use jarre_core::{Timestamp, ToolCall, ToolOutput};
use serde::Deserialize;
use serde_json::Value;

use crate::{ApprovalRequest, ApprovalToken, Decision, TestReport};

/// A call of a tool: what was asked for, who allowed it, what came of it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Call {
    /// The call, as it was made, or as the model asked for it.
    pub call: ToolCall,
    /// Its idempotency key; empty before it was made.
    pub key: String,
    /// The question to a person, where one was asked.
    pub approval: Option<Approval>,
    /// When it was begun.
    pub started: Option<Timestamp>,
    /// When it returned.
    pub finished: Option<Timestamp>,
    /// How long it took.
    pub took: Option<Duration>,
    /// What it returned.
    pub output: Option<ToolOutput>,
    /// The change that it made to a file: what its output has under `diff`.
    pub diff: Option<String>,
    /// What tests came to: what its output has under `tests`.
    pub tests: Option<TestReport>,
}

/// A question to a person about a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Approval {
    /// What an answer names.
    pub token: ApprovalToken,
    /// Why it is asked.
    pub why: String,
    /// When it was asked.
    pub asked: Timestamp,
    /// What was said, by whom, and when.
    pub answer: Option<(Decision, String, Timestamp)>,
}

impl Call {
    pub(super) fn new(call: ToolCall) -> Self {
        let key = String::new();
        Self { call, key, approval: None, started: None, finished: None, took: None, output: None, diff: None, tests: None }
    }

    /// Whether tests ran, or should have, and were not all passed.
    pub fn is_red(&self) -> bool {
        self.tests.as_ref().is_some_and(|tests| !tests.is_green())
    }

    /// Whether the call was refused by a person.
    pub fn is_denied(&self) -> bool {
        self.approval.as_ref().is_some_and(|approval| matches!(&approval.answer, Some((Decision::Denied { .. }, ..))))
    }

    pub(super) fn waits_for(&self, token: &ApprovalToken) -> bool {
        self.approval.as_ref().is_some_and(|approval| approval.token == *token && approval.is_pending())
    }

    pub(super) fn begin(&mut self, call: &ToolCall, key: &str, at: Timestamp) {
        self.call = call.clone();
        key.clone_into(&mut self.key);
        self.started = Some(at);
    }

    pub(super) fn finish(&mut self, output: &ToolOutput, took: Duration, at: Timestamp) {
        let told = |name: &str| output.data.as_ref().and_then(|data| data.get(name));
        self.diff = told("diff").and_then(Value::as_str).filter(|diff| !diff.is_empty()).map(str::to_owned);
        self.tests = told("tests").and_then(|tests| TestReport::deserialize(tests).ok());
        (self.finished, self.took, self.output) = (Some(at), Some(took), Some(output.clone()));
    }
}

impl Approval {
    pub(super) fn asked(request: &ApprovalRequest, at: Timestamp) -> Self {
        Self { token: request.token.clone(), why: request.why.clone(), asked: at, answer: None }
    }

    /// Whether nobody answered yet.
    pub fn is_pending(&self) -> bool {
        self.answer.is_none()
    }

    pub(super) fn answer(&mut self, decision: &Decision, by: &str, at: Timestamp) {
        self.answer = Some((decision.clone(), by.to_owned(), at));
    }
}
