use serde::{Deserialize, Serialize};

use super::{Design, Mean, values};
use crate::Result;

/// Two runs over the same items: how far the candidate lies above the baseline, item by item.
///
/// What makes an item hard for both cancels out of the differences, by `Var(B - A) = Var A + Var B - 2 Cov(A, B)`; so the standard error of
/// the difference is smaller than that of unpaired runs wherever the two are correlated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedMeans {
    /// The first side.
    pub baseline: Mean,
    /// The second side.
    pub candidate: Mean,
    /// Candidate less baseline.
    pub difference: Mean,
    /// What the standard error of the difference would be had the runs seen different items: `√(SE_A² + SE_B²)`.
    pub unpaired_standard_error: Option<f64>,
    /// Pearson's, between the two sides; `None` where one does not vary.
    pub correlation: Option<f64>,
    /// Items on which the candidate is higher.
    pub wins: usize,
    /// Items on which it is lower.
    pub losses: usize,
    /// Items on which it is neither.
    pub ties: usize,
}

impl PairedMeans {
    /// Compares value by value.
    ///
    /// ```
    /// use jarre_eval::stats::{Design, PairedMeans};
    ///
    /// let compared = PairedMeans::of(&[0.2, 0.4, 0.9, 0.7], &[0.3, 0.6, 1.0, 0.7], &Design::Simple)?;
    /// assert_eq!((compared.wins, compared.losses, compared.ties), (3, 0, 1));
    /// assert!(compared.difference.standard_error < compared.unpaired_standard_error);
    /// # Ok::<(), jarre_eval::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::UnpairedLengths`](crate::Error::UnpairedLengths), and as [`Mean::of`].
    pub fn of(baseline: &[f64], candidate: &[f64], design: &Design) -> Result<Self> {
        values::check_pairs(baseline, candidate)?;
        let differences: Vec<f64> = baseline.iter().zip(candidate).map(|(baseline, candidate)| candidate - baseline).collect();
        let count = |sign: fn(f64) -> bool| differences.iter().filter(|difference| sign(**difference)).count();
        let (first, second) = (Mean::of(baseline, design)?, Mean::of(candidate, design)?);
        Ok(Self {
            baseline: first,
            candidate: second,
            difference: Mean::of(&differences, design)?,
            unpaired_standard_error: first.standard_error.zip(second.standard_error).map(|(first, second)| first.hypot(second)),
            correlation: values::correlation(baseline, candidate),
            wins: count(|difference| difference > 0.0),
            losses: count(|difference| difference < 0.0),
            ties: count(|difference| difference == 0.0),
        })
    }
}
