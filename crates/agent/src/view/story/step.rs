use std::time::Duration;

use jarre_core::{ChatResponse, Cost, ErrorKind, FinishReason, Timestamp, ToolCall, Usage};

use super::{Approval, Call};
use crate::{ApprovalRequest, Purpose};

/// A call of the model and what was done about its answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Step {
    /// The number of the model's call in the run, from 0.
    pub number: u64,
    /// What the model was asked for.
    pub purpose: Purpose,
    /// When it was asked.
    pub started: Timestamp,
    /// When it answered or failed.
    pub answered: Option<Timestamp>,
    /// When the last thing happened in this step.
    pub ended: Timestamp,
    /// What it wrote beside calls of tools: its reasoning, or its text of thought and action.
    pub text: String,
    /// The model that answered, where it said so.
    pub model: Option<String>,
    /// Why the answer ended.
    pub finish: Option<FinishReason>,
    /// The answer's time to its first token.
    pub first_token: Option<Duration>,
    /// Tokens of the call.
    pub usage: Usage,
    /// Money of the call.
    pub cost: Cost,
    /// Why there is no answer, where there is none.
    pub failure: Option<(ErrorKind, String)>,
    /// What the model wanted done, in the order it asked.
    pub calls: Vec<Call>,
}

impl Step {
    pub(super) fn new(number: u64, purpose: Purpose, at: Timestamp) -> Self {
        Self {
            number,
            purpose,
            started: at,
            answered: None,
            ended: at,
            text: String::new(),
            model: None,
            finish: None,
            first_token: None,
            usage: Usage::default(),
            cost: Cost::ZERO,
            failure: None,
            calls: Vec::new(),
        }
    }

    /// Time from the question to the answer; `None` while there is none.
    pub fn waited(&self) -> Option<Duration> {
        Some(self.answered?.since(self.started))
    }

    pub(super) fn answer(&mut self, response: &ChatResponse, cost: Cost, at: Timestamp) {
        (self.answered, self.ended) = (Some(at), at);
        self.text = response.message.text();
        (self.model, self.finish) = (response.model.clone(), Some(response.finish_reason));
        self.first_token = response.timings.time_to_first_token;
        (self.usage, self.cost) = (response.usage, cost);
        for call in response.message.tool_calls() {
            self.call(call);
        }
    }

    pub(super) fn fail(&mut self, kind: ErrorKind, message: &str, at: Timestamp) {
        (self.answered, self.ended) = (Some(at), at);
        self.failure = Some((kind, message.to_owned()));
    }

    /// Notes that a person is asked about a call. It is shown as the answer will bind it, which may differ from what the model wrote.
    pub(super) fn ask(&mut self, request: &ApprovalRequest, at: Timestamp) {
        let known = self.call(&request.call);
        known.call = request.call.clone();
        known.approval = Some(Approval::asked(request, at));
    }

    /// The call of this id and tool that was not begun yet; a new one where there is none.
    fn call(&mut self, call: &ToolCall) -> &mut Call {
        let is_it = |known: &Call| known.call.id == call.id && known.call.name == call.name && known.started.is_none();
        let found = self.calls.iter().position(is_it);
        let place = found.unwrap_or_else(|| {
            self.calls.push(Call::new(call.clone()));
            self.calls.len() - 1
        });
        &mut self.calls[place]
    }

    /// Notes that a call is made: as the log has it, which may differ from what the model asked for.
    pub(super) fn start(&mut self, call: &ToolCall, key: &str, at: Timestamp) {
        self.ended = at;
        // A call that was in doubt is made again with its key.
        let again = self.calls.iter().position(|known| known.key == key && known.output.is_none() && known.started.is_some());
        let known = match again {
            Some(place) => &mut self.calls[place],
            None => self.call(call),
        };
        known.begin(call, key, at);
    }
}
