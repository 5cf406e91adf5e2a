use serde::{Deserialize, Serialize};

use super::{Interval, distribution::student, interval::check_confidence, values};
use crate::{Error, Result};

/// The mean of what people would say of many items, of which they labelled few and a judge all.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RectifiedMean {
    /// The judge's mean over the items without labels, plus how far people lie above the judge where both spoke.
    pub mean: f64,
    /// How far people lie above the judge.
    pub rectifier: f64,
    /// From the spread of the judge's scores and that of the rectifier.
    pub standard_error: f64,
    /// By the t distribution, with the degrees of freedom of Welch and Satterthwaite.
    pub interval: Interval,
}

impl RectifiedMean {
    /// By prediction-powered inference (Angelopoulos, Bates, Fannjiang, Jordan and Zrnic 2023): right whatever the judge is worth, and the
    /// more precise the better it agrees with people. `judge_unlabelled` are its scores where people said nothing; `judge` and `people` are
    /// pairs, of other items drawn from the same source.
    ///
    /// ```
    /// use jarre_eval::stats::RectifiedMean;
    ///
    /// let unlabelled = [0.9, 0.8, 0.7, 0.9, 0.6, 0.8, 0.9, 0.8];
    /// let rectified = RectifiedMean::of(&unlabelled, &[0.9, 0.7, 0.8, 0.6], &[0.8, 0.6, 0.7, 0.6], 0.95)?;
    /// assert!((rectified.mean - (0.8 - 0.075)).abs() < 1e-12);
    /// # Ok::<(), jarre_eval::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::UnpairedLengths`], [`Error::EmptySample`], [`Error::NonFiniteValue`]; [`Error::Undefined`] for fewer than two items with or
    /// two without labels.
    ///
    /// # Panics
    /// Where `confidence` is not between 0 and 1, both exclusive.
    pub fn of(judge_unlabelled: &[f64], judge: &[f64], people: &[f64], confidence: f64) -> Result<Self> {
        check_confidence(confidence);
        values::check(judge_unlabelled)?;
        values::check_pairs(judge, people)?;
        let errors: Vec<f64> = judge.iter().zip(people).map(|(judge, people)| people - judge).collect();
        let few = || Error::Undefined("a rectified mean needs two items with labels and two without; label more".to_owned());
        let of_mean = |values: &[f64]| values::variance(values).map(|variance| variance / values.len() as f64).ok_or_else(few);
        let parts = [(of_mean(judge_unlabelled)?, judge_unlabelled.len()), (of_mean(&errors)?, errors.len())];
        let variance: f64 = parts.iter().map(|(variance, _)| variance).sum();
        let rectifier = values::mean(&errors);
        let mean = values::mean(judge_unlabelled) + rectifier;
        let half = if variance == 0.0 { 0.0 } else { student::critical(confidence, satterthwaite(&parts)) * variance.sqrt() };
        Ok(Self { mean, rectifier, standard_error: variance.sqrt(), interval: Interval::around(mean, half) })
    }
}

/// Of variances of means, each with its number of values; not all zero.
fn satterthwaite(parts: &[(f64, usize)]) -> f64 {
    let total: f64 = parts.iter().map(|(variance, _)| variance).sum();
    let spread: f64 = parts.iter().map(|(variance, n)| (variance / total).powi(2) / (n - 1) as f64).sum();
    1.0 / spread
}
