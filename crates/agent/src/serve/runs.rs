use jarre_core::{BoxFuture, BoxStream, Cost, Timestamp};

use crate::view::{Story, words};
use crate::{ApprovalToken, Decision, Record, Result};

/// Where a dashboard finds runs: the store of a program that runs agents, of this process or another.
pub trait Runs: Send + Sync {
    /// At most `limit` runs, the newest first, from after the run named `after` on.
    ///
    /// # Errors
    /// Where the runs cannot be read.
    fn list<'a>(&'a self, after: Option<&'a str>, limit: usize) -> BoxFuture<'a, Result<RunList>>;

    /// All records of a run from number `from` on that there are by now; none where there is no such run.
    ///
    /// # Errors
    /// Where they cannot be read.
    fn records<'a>(&'a self, run: &'a str, from: u64) -> BoxFuture<'a, Result<Vec<Record>>>;

    /// The records of a run from number `from` on, in order, each once, as they are written. It may end where the run has ended.
    ///
    /// # Errors
    /// Where the run cannot be followed.
    fn follow<'a>(&'a self, run: &'a str, from: u64) -> BoxFuture<'a, Result<BoxStream<'static, Result<Record>>>>;

    /// Writes down what the person `by` said about a call.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) where no call of the run waits for an answer to this token.
    fn answer<'a>(&'a self, run: &'a str, token: &'a ApprovalToken, decision: Decision, by: &'a str) -> BoxFuture<'a, Result<()>>;
}

/// A page of runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunList {
    /// The runs.
    pub runs: Vec<RunSummary>,
    /// Whether there are more after the last.
    pub more: bool,
}

/// A run in a line.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSummary {
    /// Its name.
    pub run: String,
    /// Its task's name.
    pub task: String,
    /// Its state in a word or two: `done`, `acting`, `needs approval`.
    pub state: String,
    /// How the state looks: `good`, `bad`, `wait` or `busy`.
    pub look: &'static str,
    /// Calls of the model.
    pub steps: u64,
    /// Tokens read and written.
    pub tokens: u64,
    /// Money.
    pub cost: Cost,
    /// When it began.
    pub started: Timestamp,
    /// When its last record was written.
    pub updated: Timestamp,
}

impl RunSummary {
    /// The summary of a run whose story is known.
    pub fn of(story: &Story) -> Self {
        let (state, look) = words::state(story);
        Self {
            run: story.run.clone(),
            task: story.task.name.clone(),
            state: state.to_owned(),
            look,
            steps: story.steps.len() as u64,
            tokens: story.usage.total_tokens(),
            cost: story.cost,
            started: story.started,
            updated: story.updated,
        }
    }
}
