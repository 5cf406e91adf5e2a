use jarre_core::{Cost, Timestamp, Usage};
use serde::{Deserialize, Serialize};

use super::Chain;
use crate::{ApprovalToken, Event, Outcome, Record};

/// A run in short: the fold of its records that is kept beside them, for lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunSummary {
    /// The run's name.
    pub run: String,
    /// The task's name.
    pub task: String,
    /// The model's name.
    pub model: String,
    /// How it stands.
    #[serde(flatten)]
    pub state: RunState,
    /// How many records its log has.
    pub records: u64,
    /// BLAKE3 of the last one, in hex.
    pub head: String,
    /// How often a model answered.
    pub model_calls: u64,
    /// How often a tool returned.
    pub tool_calls: u64,
    /// Tokens used.
    pub usage: Usage,
    /// What they cost.
    pub cost: Cost,
    /// When the first record was written.
    pub started: Timestamp,
    /// When the last one was.
    pub updated: Timestamp,
}

/// How a run stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunState {
    /// It goes on, or can be resumed.
    Running,
    /// It waits for people.
    NeedsApproval {
        /// What they have not answered.
        tokens: Vec<ApprovalToken>,
    },
    /// It is over.
    Ended(Outcome),
}

impl RunSummary {
    /// That of a run without a record.
    pub(super) fn new(run: &str) -> Self {
        Self {
            run: run.to_owned(),
            task: String::new(),
            model: String::new(),
            state: RunState::Running,
            records: 0,
            head: Chain::new(run).head().to_owned(),
            model_calls: 0,
            tool_calls: 0,
            usage: Usage::default(),
            cost: Cost::ZERO,
            started: Timestamp::default(),
            updated: Timestamp::default(),
        }
    }

    /// Adds a record, behind which `chain` stands.
    pub(super) fn apply(&mut self, record: &Record, chain: &Chain) {
        if self.records == 0 {
            self.started = record.at;
        }
        self.updated = record.at;
        self.records = chain.next();
        chain.head().clone_into(&mut self.head);
        match &record.event {
            Event::Started { task, model, .. } => {
                task.name.clone_into(&mut self.task);
                model.name.clone_into(&mut self.model);
            }
            Event::ModelAnswered { response, cost, .. } => {
                self.model_calls += 1;
                self.usage += response.usage;
                self.cost += *cost;
            }
            Event::ToolFinished { .. } => self.tool_calls += 1,
            event => self.state.apply(event),
        }
    }
}

impl RunState {
    fn apply(&mut self, event: &Event) {
        match event {
            Event::ApprovalAsked { requests } => {
                *self = Self::NeedsApproval { tokens: requests.iter().map(|request| request.token.clone()).collect() };
            }
            Event::ApprovalAnswered { token, .. } => {
                if let Self::NeedsApproval { tokens } = self {
                    tokens.retain(|asked| asked != token);
                    if tokens.is_empty() {
                        *self = Self::Running;
                    }
                }
            }
            Event::Cancelled { .. } => *self = Self::Running,
            Event::Finished { outcome } => *self = Self::Ended(outcome.clone()),
            _ => {}
        }
    }
}
