use std::time::Duration;

use jarre_core::{ChatRequest, ChatResponse, Cost, ErrorKind, ModelInfo, Timestamp, ToolCall, ToolOutput, ToolSpec};
use serde::{Deserialize, Serialize};

use crate::{ApprovalRequest, ApprovalToken, Decision, Outcome, Reflection, Settings, Task, log};

/// The version of [`Event`] that is written.
pub const SCHEMA: u32 = 1;

/// One line of a run's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of the event.
    pub schema: u32,
    /// Its number in the run, from 0.
    pub seq: u64,
    /// When it was appended.
    pub at: Timestamp,
    /// BLAKE3 of the record before it, in hex; of the run's name for the first.
    pub previous: String,
    /// What happened.
    pub event: Event,
}

impl Record {
    /// What the `previous` of a run's first record is: BLAKE3 of the run's name, in hex.
    pub fn root(run: &str) -> String {
        blake3::hash(run.as_bytes()).to_hex().to_string()
    }

    /// BLAKE3 of this record's JSON, in hex: what the `previous` of the next one is.
    ///
    /// # Panics
    /// Where the system is out of memory.
    pub fn digest(&self) -> String {
        json_digest(self)
    }
}

/// BLAKE3 of a request's JSON, in hex, as [`Event::ModelCalled`] has it.
pub fn request_digest(request: &ChatRequest) -> String {
    json_digest(request)
}

/// Over the canonical JSON, which is what a log keeps of a record.
fn json_digest(value: &impl Serialize) -> String {
    log::digest(&log::canonical(value).expect("events and requests have text keys, and no numbers but JSON's"))
}

/// What happened in a run. The state of a run is the fold of its events; nothing else is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "the large one is the first of a run, and there is one of it")]
pub enum Event {
    /// The run began.
    Started {
        /// The run's name.
        run: String,
        /// What is to be done.
        task: Task,
        /// How.
        settings: Settings,
        /// The tools, as the model is told of them.
        tools: Vec<ToolSpec>,
        /// The model.
        model: ModelInfo,
    },
    /// A model is about to be asked.
    ModelCalled {
        /// The number of the call.
        call: u64,
        /// What for.
        purpose: Purpose,
        /// BLAKE3 of the request's JSON, in hex: a replay that asks for something else has diverged.
        digest: String,
    },
    /// It answered.
    ModelAnswered {
        /// The number of the call.
        call: u64,
        /// The answer.
        response: ChatResponse,
        /// What it cost.
        cost: Cost,
    },
    /// It did not.
    ModelFailed {
        /// The number of the call.
        call: u64,
        /// The sort of failure.
        kind: ErrorKind,
        /// The failure, in words.
        message: String,
    },
    /// People are asked.
    ApprovalAsked {
        /// What for.
        requests: Vec<ApprovalRequest>,
    },
    /// One answered.
    ApprovalAnswered {
        /// Which call.
        token: ApprovalToken,
        /// What was said.
        decision: Decision,
        /// Who said it.
        by: String,
    },
    /// A tool is about to be called: from here until [`ToolFinished`](Self::ToolFinished) it is in doubt whether it acted.
    ToolStarted {
        /// The call as it is made.
        call: ToolCall,
        /// Its idempotency key.
        key: String,
    },
    /// It returned.
    ToolFinished {
        /// Its idempotency key.
        key: String,
        /// What it returned.
        output: ToolOutput,
        /// How long it took.
        took: Duration,
    },
    /// Reflections of earlier tasks were looked up.
    Recalled {
        /// The nearest, nearest first.
        reflections: Vec<Reflection>,
    },
    /// A reflection was kept for later tasks.
    Remembered,
    /// Someone asked the run to end.
    Cancelled {
        /// Why.
        reason: String,
    },
    /// The run ended.
    Finished {
        /// How.
        outcome: Outcome,
    },
}

impl Event {
    /// The event's name, as its JSON has it in `type`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Started { .. } => "started",
            Self::ModelCalled { .. } => "model_called",
            Self::ModelAnswered { .. } => "model_answered",
            Self::ModelFailed { .. } => "model_failed",
            Self::ApprovalAsked { .. } => "approval_asked",
            Self::ApprovalAnswered { .. } => "approval_answered",
            Self::ToolStarted { .. } => "tool_started",
            Self::ToolFinished { .. } => "tool_finished",
            Self::Recalled { .. } => "recalled",
            Self::Remembered => "remembered",
            Self::Cancelled { .. } => "cancelled",
            Self::Finished { .. } => "finished",
        }
    }
}

/// What a model is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A plan, or another one.
    Plan,
    /// The next step.
    Act,
    /// What failed, why, and what to do otherwise.
    Reflect,
    /// A summary of steps that no longer fit.
    Compact,
}
