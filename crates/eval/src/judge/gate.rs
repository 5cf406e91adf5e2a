use std::fmt;

use serde::{Deserialize, Serialize};

use super::{JudgeId, calibration::Coefficient};

/// What a judge has to show before decisions rest on it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GatePolicy {
    /// Labels with a verdict beside them.
    pub min_labels: usize,
    /// What the lower bound of kappa must reach: of passing, or weighted where the scale has several steps.
    pub min_kappa: f64,
}

impl Default for GatePolicy {
    /// 100 labels, and a kappa of at least 0.6 ("substantial" agreement by Landis and Koch 1977).
    fn default() -> Self {
        Self { min_labels: 100, min_kappa: 0.6 }
    }
}

/// Whether decisions may rest on a judge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "gate", content = "because", rename_all = "snake_case")]
pub enum Gate {
    /// They may.
    Open,
    /// They may not, for each of these reasons.
    Blocked(Vec<Block>),
}

/// A reason not to rest decisions on a judge. Shown, it says what to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Block {
    /// The calibration is of another judge, or of another version of it.
    Stale {
        /// Whose the calibration is.
        calibrated: JudgeId,
        /// The judge as it is.
        judge: JudgeId,
    },
    /// Few labels.
    TooFewLabels {
        /// Labels with a verdict beside them.
        labels: usize,
        /// What is needed.
        needed: usize,
    },
    /// Agreement with the labels may be too weak.
    WeakAgreement {
        /// Kappa as measured, and its interval.
        kappa: Coefficient,
        /// What the lower bound must reach.
        needed: f64,
    },
    /// The length of the answers alone agrees with the labels as well as the judge does, so that they do not show that it reads.
    NoBetterThanLength {
        /// Kappa of the judge.
        kappa: f64,
        /// Kappa of the best rule of length.
        length_kappa: f64,
    },
    /// Agreement has no meaning: all labels and verdicts are the same.
    UndefinedAgreement,
}

impl Gate {
    /// Whether decisions may rest on the judge.
    pub fn is_open(&self) -> bool {
        *self == Self::Open
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("the judge is calibrated"),
            Self::Blocked(reasons) => {
                let reasons: Vec<String> = reasons.iter().map(Block::to_string).collect();
                write!(f, "the judge must not decide: {}", reasons.join("; "))
            }
        }
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stale { calibrated, judge } => {
                write!(f, "the calibration is of {calibrated} and the judge is {judge} now, calibrate it again")
            }
            Self::TooFewLabels { labels, needed } => {
                write!(f, "{labels} labels with a verdict are too few, {} more are needed", needed.saturating_sub(*labels))
            }
            Self::WeakAgreement { kappa, needed } => write!(
                f,
                "agreement with the labels may be as low as kappa {:.2} ({:.2} was measured) and {needed:.2} is needed, mend the judge or label more",
                kappa.interval.low, kappa.value
            ),
            Self::NoBetterThanLength { kappa, length_kappa } => write!(
                f,
                "the length of the answers alone reaches kappa {length_kappa:.2} and the judge {kappa:.2}, label answers of like length"
            ),
            Self::UndefinedAgreement => f.write_str("all labels and verdicts are the same, add answers that differ"),
        }
    }
}

/// What the gate looks at.
pub(super) struct Standing<'a> {
    pub(super) calibrated: &'a JudgeId,
    pub(super) labels: usize,
    pub(super) kappa: Option<Coefficient>,
    /// Kappa of the judge and of length alone, both of the same verdicts.
    pub(super) by_length: Option<(Coefficient, f64)>,
}

pub(super) fn decide(standing: &Standing<'_>, judge: &JudgeId, policy: &GatePolicy) -> Gate {
    let mut blocks = Vec::new();
    if standing.calibrated != judge {
        blocks.push(Block::Stale { calibrated: standing.calibrated.clone(), judge: judge.clone() });
    }
    if standing.labels < policy.min_labels {
        blocks.push(Block::TooFewLabels { labels: standing.labels, needed: policy.min_labels });
    }
    match standing.kappa {
        None => blocks.push(Block::UndefinedAgreement),
        // Also where a bound is NaN.
        Some(kappa) if kappa.interval.low >= policy.min_kappa => {}
        Some(kappa) => blocks.push(Block::WeakAgreement { kappa, needed: policy.min_kappa }),
    }
    if let Some((kappa, length_kappa)) = standing.by_length.filter(|(kappa, length_kappa)| kappa.value <= *length_kappa) {
        blocks.push(Block::NoBetterThanLength { kappa: kappa.value, length_kappa });
    }
    if blocks.is_empty() { Gate::Open } else { Gate::Blocked(blocks) }
}
