use serde::{Deserialize, Serialize};

use crate::stats::Interval;

/// Which way of a metric is up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Accuracy, F1, throughput.
    #[default]
    HigherIsBetter,
    /// Latency, cost, perplexity.
    LowerIsBetter,
}

impl Direction {
    /// `difference`, positive where it is for the better.
    pub fn improvement(self, difference: f64) -> f64 {
        match self {
            Self::HigherIsBetter => difference,
            Self::LowerIsBetter => -difference,
        }
    }

    pub(crate) fn improvement_interval(self, interval: Interval) -> Interval {
        match self {
            Self::HigherIsBetter => interval,
            Self::LowerIsBetter => Interval { low: -interval.high, high: -interval.low },
        }
    }
}

/// How a metric's differences are written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Shares of 0 to 1, told in points of a hundred.
    #[default]
    Points,
    /// The metric's own (`ms`, `USD`); empty for a bare number.
    Own(String),
}

impl Unit {
    pub(crate) fn scale(&self) -> f64 {
        match self {
            Self::Points => 100.0,
            Self::Own(_) => 1.0,
        }
    }

    /// What follows a number, with the space before it.
    pub(crate) fn suffix(&self) -> String {
        match self {
            Self::Points => " points".to_owned(),
            Self::Own(name) if name.is_empty() => String::new(),
            Self::Own(name) => format!(" {name}"),
        }
    }

    /// At least one decimal of points, as shares are told.
    pub(crate) fn least_decimals(&self) -> usize {
        usize::from(*self == Self::Points)
    }
}
