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
    /// - Clustered in strata: as clustered, with the mean and the C of each stratum, the squares added up over strata.
    ///
    /// # Errors
    /// [`Error::EmptySample`], [`Error::NonFiniteValue`], [`Error::GroupCount`]; [`Error::Undefined`] for a stratum of a single unit, whose
    /// spread nobody can know, and for values too large to square.
    pub fn of(values: &[f64], design: &Design) -> Result<Self> {
        values::check(values)?;
        design.check(values.len())?;
        let (variance, units, degrees_of_freedom) = match design {
            Design::Simple => simple(values),
            Design::Clustered(groups) => clustered(values, groups),
            Design::Stratified(strata) => stratified(values, strata, |item| item)?,
            Design::ClusteredInStrata { clusters, strata } => stratified(values, strata, |item| clusters.of(item))?,
        };
        let mean = values::mean(values);
        let standard_error = variance.map(|variance| without_rounding(variance.sqrt(), mean));
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

/// `cluster` tells which items were drawn together.
fn stratified(values: &[f64], strata: &Groups, cluster: impl Fn(usize) -> usize) -> Result<Variance> {
    let (mut sum, mut units) = (0.0, 0);
    for (members, name) in strata.members().iter().zip(strata.names()) {
        let mean = members.iter().map(|item| values[*item]).sum::<f64>() / members.len() as f64;
        let mut deviations: Vec<(usize, f64)> = members.iter().map(|item| (cluster(*item), values[*item] - mean)).collect();
        deviations.sort_by_key(|(cluster, _)| *cluster);
        let totals =
            deviations.chunk_by(|one, other| one.0 == other.0).map(|unit| unit.iter().map(|(_, deviation)| deviation).sum::<f64>());
        let squares: Vec<f64> = totals.map(|total| total.powi(2)).collect();
        if squares.len() < 2 {
            return Err(lone(name));
        }
        sum += squares.iter().sum::<f64>() * squares.len() as f64 / (squares.len() - 1) as f64;
        units += squares.len();
    }
    Ok((Some(sum / (values.len() as f64).powi(2)), units, units - strata.len()))
}

fn lone(stratum: &str) -> Error {
    Error::Undefined(format!(
        "stratum `{stratum}` holds a single item or cluster, whose spread is unknown; merge it with another or drop it"
    ))
}

/// Values that are all the same differ in their last bits where they are differences; no measurement is that exact.
fn without_rounding(standard_error: f64, mean: f64) -> f64 {
    if standard_error < 1e-12 * mean.abs() { 0.0 } else { standard_error }
}
