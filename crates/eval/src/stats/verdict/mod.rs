//! Comparisons in words.

mod display;
mod question;
mod unit;

pub use question::Question;
pub use unit::{Direction, Unit};

use serde::{Deserialize, Serialize};

use super::Interval;

/// What a comparison says, in words that one can decide from: the [`Display`](std::fmt::Display) of it is a sentence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The candidate is better.
    Better(Finding),
    /// The candidate is worse.
    Worse(Finding),
    /// The items do not tell the two apart.
    NotDistinguishable(Finding),
    /// There is nothing to compare, and why.
    Undefined(String),
}

impl Verdict {
    /// The figures, where there are some.
    pub fn finding(&self) -> Option<&Finding> {
        match self {
            Self::Better(finding) | Self::Worse(finding) | Self::NotDistinguishable(finding) => Some(finding),
            Self::Undefined(_) => None,
        }
    }
}

/// The figures behind a verdict, in the metric's own unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Candidate less baseline, whichever direction is better.
    pub difference: f64,
    /// Its interval.
    pub interval: Interval,
    /// The share of repetitions that such intervals cover.
    pub confidence: f64,
    /// Of the test that goes with it; `None` where there is none.
    pub p_value: Option<f64>,
    /// Items compared.
    pub n: u64,
    /// The least difference that these items are likely enough to show; `None` where there is none.
    pub detectable: Option<f64>,
    /// What it takes to show the difference that was asked for, where one was.
    pub needed: Option<Needed>,
    /// How figures are written.
    pub unit: Unit,
}

/// How many more items would show a difference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Needed {
    /// The difference, positive.
    pub effect: f64,
    /// Items beyond those compared; 0 where they suffice, so that a difference of this size would likely have shown.
    pub more_items: u64,
}
