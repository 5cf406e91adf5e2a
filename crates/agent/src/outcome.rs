use serde::{Deserialize, Serialize};

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Making a plan.
    Plan,
    /// Choosing and making a step.
    Act,
    /// Reading what came of it.
    Observe,
    /// Thinking about a failure.
    Reflect,
    /// Waiting for a person.
    NeedsApproval,
    /// Over.
    Ended,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The agent said that it is done.
    Done {
        /// Its answer.
        answer: String,
    },
    /// The agent gave up, or went round in circles.
    Stuck {
        /// How that was seen.
        reason: String,
    },
    /// A budget was used up.
    OutOfBudget {
        /// Which.
        budget: Budget,
    },
    /// Someone ended it.
    Cancelled {
        /// Why.
        reason: String,
    },
    /// A model or a tool failed for good.
    Failed {
        /// What it said.
        reason: String,
    },
}

/// What a run has only so much of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "budget", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Budget {
    /// Steps.
    Steps,
    /// Tokens, read and written.
    Tokens,
    /// Money.
    Cost,
    /// Time.
    Wall,
    /// Calls of one tool.
    Tool {
        /// Its name.
        name: String,
    },
    /// Answers in a row that could not be read.
    Malformed,
    /// Attempts at the task, each ended by failing tests.
    Attempts,
}
