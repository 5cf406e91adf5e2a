use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use jarre_core::{Cost, Usage};
use serde::{Deserialize, Serialize};

/// How far a run has come.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Answers that the run is to have.
    pub total: usize,
    /// Those that it has.
    pub done: usize,
    /// Those of them that failed.
    pub failed: usize,
    /// Tokens that this start of the run has used.
    pub usage: Usage,
    /// What they cost.
    pub cost: Cost,
    /// The sum of the primary metric over the answers that have it.
    pub sum: f64,
    /// How many have it.
    pub scored: usize,
}

impl Progress {
    /// The mean of the primary metric so far.
    pub fn mean(&self) -> Option<f64> {
        (self.scored > 0).then(|| self.sum / self.scored as f64)
    }
}

/// How a start of a run ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Answers that the run is to have.
    pub total: usize,
    /// Those that it had before this start.
    pub reused: usize,
    /// Those that this start added.
    pub answered: usize,
    /// Those of them that failed.
    pub failed: usize,
    /// Tokens that this start used, answers out of the cache left out.
    pub usage: Usage,
    /// What they cost.
    pub cost: Cost,
    /// Why it ended before all were there: a limit, or because somebody asked for it.
    pub stopped: Option<String>,
}

/// Asks a run to end: what has been started is finished, and nothing more is.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Nobody has asked yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks.
    pub fn request(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether somebody has asked.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
