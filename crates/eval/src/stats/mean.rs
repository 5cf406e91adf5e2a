use serde::{Deserialize, Serialize};

use super::{Design, Groups, Interval, distribution::student, interval::check_confidence, values};
use crate::{Error, Result};

/// A mean, and how far another draw of items would move it (Miller, "Adding error bars to evals", 2024).
///
/// ```
/// use jarre_eval::stats::{Design, Mean};
///
/// let scores = [1.0, 1.0, 0.0, 1.0, 0.0, 0.0];
/// let alone = Mean::of(&scores, &Design::Simple)?;
/// assert_eq!((alone.n, alone.mean), (6, 0.5));
///
/// // Two questions a document are worth less than six questions that have nothing to do with each other.
/// let documents = ["d1", "d1", "d2", "d1", "d2", "d2"].map(Some);
/// let clustered = Mean::of(&scores, &Design::clustered(documents)?)?;
/// assert!(clustered.standard_error > alone.standard_error);
/// # Ok::<(), jarre_eval::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// Number of values.
    pub n: usize,
    /// What was drawn independently: values, or clusters of them.
    pub units: usize,
    /// The mean of the values.
    pub mean: f64,
    /// The standard deviation of that mean over draws; `None` where there are too few units to tell.
    pub standard_error: Option<f64>,
    /// Of the t distribution that goes with it: units less 1, or less the number of strata.
    pub degrees_of_freedom: usize,
}

impl Mean {
    /// The mean of `values`, drawn by `design`.
    ///
    /// - Simple: `s / √n`, with `s` over n - 1.
    /// - Clustered: `√(Σ_c (Σ_{i in c} (x_i - mean))² C / (C - 1)) / n` for C clusters.
    /// - Stratified: `√(Σ_h (n_h / n)² s_h² / n_h)`.
    ///
    /// # Errors
    /// [`Error::EmptySample`], [`Error::NonFiniteValue`], [`Error::GroupCount`]; [`Error::Undefined`] for a stratum of a single value, whose
    /// spread nobody can know, and for values too large to square.
    pub fn of(values: &[f64], design: &Design) -> Result<Self> {
        values::check(values)?;
        design.check(values.len())?;
        let (variance, units, degrees_of_freedom) = match design {
            Design::Simple => simple(values),
            Design::Clustered(groups) => clustered(values, groups),
            Design::Stratified(groups) => stratified(values, groups)?,
        };
        let (mean, standard_error) = (values::mean(values), variance.map(f64::sqrt));
        if !mean.is_finite() || standard_error.is_some_and(|error| !error.is_finite()) {
            return Err(Error::Undefined("the values are too large to add up and square; scale them down".to_owned()));
        }
        Ok(Self { n: values.len(), units, mean, standard_error, degrees_of_freedom })
    }

    /// The t interval `mean ± t · SE`; `None` without a standard error. Means that cannot vary have an interval without width.
    ///
    /// # Panics
    /// Where `confidence` is not between 0 and 1, both exclusive.
    pub fn interval(&self, confidence: f64) -> Option<Interval> {
        check_confidence(confidence);
        let error = self.standard_error?;
        let half = if error == 0.0 { 0.0 } else { student::critical(confidence, self.degrees_of_freedom as f64) * error };
        Some(Interval::around(self.mean, half))
    }

    /// The chance of a mean as far from zero or farther if the true one were zero, by the two-sided t test. `None` without a standard
    /// error, or where it is 0 though the mean is not: values that are all the same tell nothing of their spread.
    pub fn p_value(&self) -> Option<f64> {
        match self.standard_error? {
            _ if self.mean == 0.0 => Some(1.0),
            0.0 => None,
            error => Some(student::two_sided(self.mean / error, self.degrees_of_freedom as f64)),
        }
    }
}

type Variance = (Option<f64>, usize, usize);

fn simple(values: &[f64]) -> Variance {
    let n = values.len();
    (values::variance(values).map(|variance| variance / n as f64), n, n - 1)
}

fn clustered(values: &[f64], groups: &Groups) -> Variance {
    let mean = values::mean(values);
    let total = |members: &Vec<usize>| members.iter().map(|item| values[*item] - mean).sum::<f64>();
    let squares: f64 = groups.members().iter().map(|members| total(members).powi(2)).sum();
    let (clusters, n) = (groups.len(), values.len() as f64);
    let variance = (clusters > 1).then(|| squares * clusters as f64 / (clusters - 1) as f64 / n / n);
    (variance, clusters, clusters - 1)
}

fn stratified(values: &[f64], groups: &Groups) -> Result<Variance> {
    let n = values.len() as f64;
    let mut sum = 0.0;
    for (members, name) in groups.members().iter().zip(groups.names()) {
        let stratum: Vec<f64> = members.iter().map(|item| values[*item]).collect();
        let variance = values::variance(&stratum).ok_or_else(|| lone(name))?;
        sum += variance * stratum.len() as f64 / n / n;
    }
    Ok((Some(sum), values.len(), values.len() - groups.len()))
}

fn lone(stratum: &str) -> Error {
    Error::Undefined(format!("stratum `{stratum}` holds a single item, whose spread is unknown; merge it with another or drop it"))
}
