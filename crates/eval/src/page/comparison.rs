use serde::{Deserialize, Serialize};

use super::Estimate;

/// Two variants compared item by item on one metric.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Comparison {
    /// The variant compared against.
    pub baseline: String,
    /// The variant compared.
    pub candidate: String,
    /// The metric.
    pub metric: String,
    /// Items that both have a figure for.
    pub pairs: u64,
    /// Items left out because one of the two has no figure.
    pub excluded: u64,
    /// Candidate less baseline, with its interval.
    pub difference: Estimate,
    /// Pairs that only the candidate solved and pairs that only the baseline solved, where answers are right or wrong.
    pub discordant: Option<(u64, u64)>,
    /// The p-value as it stands.
    pub p: Option<f64>,
    /// The p-value corrected for the number of comparisons.
    pub p_adjusted: Option<f64>,
    /// The difference that as many pairs would find with the power that was asked for.
    pub minimum_detectable: Option<f64>,
    /// What this means, in words.
    pub verdict: String,
    /// The same within parts of the items.
    pub slices: Vec<Slice>,
}

/// A comparison within a part of the items: a subject, a language, a length.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Slice {
    /// The part.
    pub name: String,
    /// Items in it that both have a figure for.
    pub pairs: u64,
    /// Candidate less baseline, with its interval.
    pub difference: Estimate,
    /// The p-value as it stands.
    pub p: Option<f64>,
    /// The p-value corrected for the number of slices.
    pub p_adjusted: Option<f64>,
}

/// How many tests of a family were significant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Multiplicity {
    /// What was tested: `subjects of MMLU`.
    pub family: String,
    /// The level.
    pub alpha: f64,
    /// Tests made.
    pub tests: u64,
    /// Significant as they stand.
    pub nominal: u64,
    /// Significant after correction, by the name of the correction.
    pub corrected: Vec<(String, u64)>,
}

impl Multiplicity {
    /// `subjects: 41 of 57 significant at 0.05 as they stand, 33 after Holm, 40 after Benjamini-Hochberg`.
    pub fn sentence(&self) -> String {
        let nominal = format!("{}: {} of {} significant at {} as they stand", self.family, self.nominal, self.tests, self.alpha);
        let corrected = self.corrected.iter().map(|(name, count)| format!("{count} after {name}"));
        [nominal].into_iter().chain(corrected).collect::<Vec<_>>().join(", ")
    }
}
