use std::{collections::BTreeMap, time::Duration};

use jarre_core::{Cost, Sampling};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::RuleSet;

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The task's name, for lists and files.
    pub name: String,
    /// What the model is told.
    pub instructions: String,
    /// What tools are told and the model is not: tenant, folders.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub side: Map<String, Value>,
}

/// How a run goes about it. Written into its log, so that a resumed run goes on as it began.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Settings {
    /// How calls of tools are written.
    pub codec: CodecKind,
    /// What the run may use.
    pub limits: Limits,
    /// Who may do what.
    pub rules: RuleSet,
    /// How the model chooses its tokens.
    pub sampling: Sampling,
    /// Added to the instructions that every model gets.
    pub system: String,
    /// Whether a run is done only once tests passed in it, also where it changed nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub must_test: bool,
    /// Whose lessons a run reads and adds to: a tenant, a project. Runs of another scope see nothing of them; empty is the scope of all that name none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub lessons_scope: String,
}

/// How calls of tools are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodecKind {
    /// As the provider's tool calls.
    #[default]
    Native,
    /// As text: `Thought:`, `Action:`, `Action Input:`, `Observation:` (arXiv 2210.03629).
    React,
}

/// What a run may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Limits {
    /// Steps: answers of the model that act.
    pub steps: u64,
    /// Tokens read and written.
    pub tokens: u64,
    /// Money; `None` for as much as it takes.
    pub cost: Option<Cost>,
    /// Time from the first event.
    pub wall: Duration,
    /// Calls of a tool, by name.
    pub tool_calls: BTreeMap<String, u64>,
    /// Answers in a row that cannot be read.
    pub malformed: u64,
    /// The same action with the same observation so many times is a loop.
    pub repeats: u64,
    /// Attempts at the task.
    pub attempts: u64,
    /// Tokens of the conversation from which on older steps are summed up; `None` takes three quarters of the model's context.
    pub context_tokens: Option<usize>,
    /// Bytes of what a tool returns that the model reads; of more, the head and the tail.
    pub observation_bytes: usize,
    /// Tries of a model in a row after failures that another try can mend.
    pub retries: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 50,
            tokens: 1_000_000,
            cost: None,
            wall: Duration::from_mins(30),
            tool_calls: BTreeMap::new(),
            malformed: 3,
            repeats: 3,
            attempts: 3,
            context_tokens: None,
            observation_bytes: 16 << 10,
            retries: 3,
        }
    }
}
