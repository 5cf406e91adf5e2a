use std::time::Duration;

use jarre_core::{Cost, Timestamp, ToolCall, ToolOutput, Usage};

use crate::ApprovalToken;

/// One answer of the model to [`Purpose::Act`](crate::Purpose::Act), and what came of it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Step {
    /// Its number in the run, from 0; answers that could not be read count.
    pub number: u64,
    /// The attempt that it belongs to, from 1.
    pub attempt: u64,
    /// When the model was asked.
    pub asked: Timestamp,
    /// When it had answered.
    pub answered: Timestamp,
    /// When everything that it asked for was done; `None` while it is not.
    pub ended: Option<Timestamp>,
    /// Why, in the model's words.
    pub thought: String,
    /// What it asked for, in order.
    pub calls: Vec<StepCall>,
    /// What was wrong with the answer, where it could not be acted upon.
    pub malformed: Option<String>,
    /// The tokens of the answer.
    pub usage: Usage,
    /// What the answer cost.
    pub cost: Cost,
}

/// A call that a step asked for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StepCall {
    /// The call, as it is made: with the arguments of whoever edited it.
    pub call: ToolCall,
    /// How far it is.
    pub state: CallState,
    /// What the model reads about it, once that is there.
    pub output: Option<ToolOutput>,
    /// How long the tool took.
    pub took: Duration,
    /// Who allowed or denied it, where a person was asked.
    pub decided_by: Option<String>,
}

/// How far a call is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallState {
    /// A person has to allow it.
    Waiting {
        /// The rule that says so.
        why: String,
        /// What the answer has to name, once people are asked.
        token: Option<ApprovalToken>,
    },
    /// It may be made.
    Allowed,
    /// It was begun.
    Started {
        /// Its idempotency key.
        key: String,
    },
    /// The tool returned.
    Made,
    /// It was not made; the output says why. What the output says is the loop's own and no tool's.
    Refused,
}

impl StepCall {
    pub(super) fn new(call: ToolCall, state: CallState) -> Self {
        Self { call, state, output: None, took: Duration::ZERO, decided_by: None }
    }

    pub(super) fn refused(call: ToolCall, why: impl Into<String>) -> Self {
        let mut refused = Self::new(call, CallState::Allowed);
        refused.refuse(why);
        refused
    }

    /// Says that the call is not made, and why.
    pub(super) fn refuse(&mut self, why: impl Into<String>) {
        self.state = CallState::Refused;
        self.output = Some(ToolOutput::error(why));
    }

    /// Whether nothing more happens to it.
    pub fn is_over(&self) -> bool {
        matches!(self.state, CallState::Made | CallState::Refused)
    }

    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.state, CallState::Waiting { .. })
    }
}
