use std::time::Duration;

use jarre_core::{Cost, Usage};
use serde::{Deserialize, Serialize};

use super::Retries;

/// How much a run may take. What has been started is finished, so that as much again as is asked at once can come on top; a run that stopped goes
/// on from there under higher limits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Answers that are asked for at once.
    pub concurrency: usize,
    /// Seconds for one call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<f64>,
    /// Seconds for the whole run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_seconds: Option<f64>,
    /// Tokens read and written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dollars: Option<f64>,
    /// Answers in a row that may fail before the run gives up: a key that is refused should not be tried on every item.
    pub failures_in_a_row: u32,
    /// How often a call is made again.
    pub retries: Retries,
}

impl Default for Limits {
    /// Four at once, two minutes for a call, and no bound on the whole but ten failures in a row.
    fn default() -> Self {
        Self {
            concurrency: 4,
            timeout_seconds: Some(120.0),
            run_seconds: None,
            tokens: None,
            dollars: None,
            failures_in_a_row: 10,
            retries: Retries::default(),
        }
    }
}

/// What a run has taken so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Spent {
    pub(super) usage: Usage,
    pub(super) cost: Cost,
    pub(super) time: Duration,
    pub(super) failures_in_a_row: u32,
}

impl Limits {
    pub(super) fn timeout(&self) -> Option<Duration> {
        self.timeout_seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
    }

    /// Which limit has been reached, in words; `None` where none has.
    pub(super) fn reached(&self, spent: &Spent) -> Option<String> {
        let dollars = spent.cost.micros() as f64 / 1e6;
        if self.tokens.is_some_and(|most| spent.usage.total_tokens() >= most) {
            Some(format!("the run has used {} tokens; raise `limits.tokens` to go on", spent.usage.total_tokens()))
        } else if self.dollars.is_some_and(|most| dollars >= most) {
            Some(format!("the run has cost {}; raise `limits.dollars` to go on", spent.cost))
        } else if self.run_seconds.is_some_and(|most| spent.time.as_secs_f64() >= most) {
            Some(format!("the run has taken {:.0} s; raise `limits.run_seconds` to go on", spent.time.as_secs_f64()))
        } else if self.failures_in_a_row > 0 && spent.failures_in_a_row >= self.failures_in_a_row {
            Some(format!(
                "{} answers in a row failed; see their errors, and raise `limits.failures_in_a_row` to go on all the same",
                spent.failures_in_a_row
            ))
        } else {
            None
        }
    }
}
