use serde::{Deserialize, Serialize};

use jarre_report::visible;

use super::Estimate;

/// A metric and how its figures are read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metric {
    /// The name of its scorer: the scores of answers are found by it.
    pub name: String,
    /// Which way is better.
    pub direction: Direction,
    /// The unit; empty where it has none.
    pub unit: String,
    /// The figure from which on an answer passes (at least this, or at most where lower is better). Without one no answer passes or fails.
    pub pass_mark: Option<f64>,
}

/// Which way a metric is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Accuracy, F1, nDCG.
    #[default]
    HigherIsBetter,
    /// Perplexity, edit distance, latency.
    LowerIsBetter,
}

impl Metric {
    /// A metric of which more is better.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Less is better.
    pub fn lower_is_better(mut self) -> Self {
        self.direction = Direction::LowerIsBetter;
        self
    }

    /// From which figure on an answer passes.
    pub fn with_pass_mark(mut self, mark: f64) -> Self {
        self.pass_mark = Some(mark);
        self
    }

    /// The name with the unit: `latency, ms`.
    pub(super) fn label(&self) -> String {
        let name = visible(&self.name);
        if self.unit.is_empty() { name } else { format!("{name}, {}", visible(&self.unit)) }
    }

    /// `value`, turned so that more is better.
    pub(super) fn worth(&self, value: f64) -> f64 {
        match self.direction {
            Direction::HigherIsBetter => value,
            Direction::LowerIsBetter => -value,
        }
    }

    /// The estimate, turned so that more is better.
    pub(super) fn worth_of(&self, estimate: Estimate) -> Estimate {
        match self.direction {
            Direction::HigherIsBetter => estimate,
            Direction::LowerIsBetter => Estimate { value: -estimate.value, low: -estimate.high, high: -estimate.low },
        }
    }
}
