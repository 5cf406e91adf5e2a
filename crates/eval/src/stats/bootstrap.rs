use std::{num::NonZeroUsize, thread};

use serde::{Deserialize, Serialize};

use super::{normal, rng::SplitMix64};
use crate::{Error, Result};

/// Bootstrap intervals for means and for differences of paired means.
///
/// A resample draws as many queries as there are, with replacement, and takes the mean again; the spread of these means is the
/// uncertainty that comes from having asked these queries and not others. A paired comparison resamples queries, never the two sides
/// apart, so that what makes a query hard for both cancels out.
///
/// Results depend on the values, their order, the seed and the number of resamples, and on nothing else: each resample has a random
/// stream of its own, so that the number of threads makes no difference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    resamples: NonZeroUsize,
    confidence: f64,
    seed: u64,
    threads: Option<NonZeroUsize>,
}

/// A range that covers the true value in the given share of repetitions of the experiment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

/// A mean and how certain it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeanEstimate {
    /// Number of values.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// The sample's standard deviation (n - 1) over the root of n; 0 for a single value.
    pub standard_error: f64,
    /// Between quantiles of the resampled means.
    pub percentile: Interval,
    /// The same, corrected for bias and skew (Efron 1987); the better of the two for skewed values such as rates near 0 or 1.
    pub bca: Interval,
}

/// How far one system lies above another on the same queries.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedDifference {
    /// Mean of the first side.
    pub baseline: f64,
    /// Mean of the second side.
    pub candidate: f64,
    /// Candidate less baseline.
    pub difference: MeanEstimate,
    /// Queries on which the candidate is higher.
    pub wins: usize,
    /// Queries on which it is lower.
    pub losses: usize,
}

impl PairedDifference {
    /// Whether the `BCa` interval leaves out zero.
    pub fn is_significant(&self) -> bool {
        self.difference.bca.low > 0.0 || self.difference.bca.high < 0.0
    }
}

impl Default for Bootstrap {
    /// 10,000 resamples, 95 % confidence.
    fn default() -> Self {
        let resamples = NonZeroUsize::new(10_000).expect("ten thousand is not zero");
        Self { resamples, confidence: 0.95, seed: 0, threads: None }
    }
}

impl Bootstrap {
    /// Draws `resamples` resamples; the bounds of an interval wander by about 1 % of its width at 10,000.
    pub fn with_resamples(mut self, resamples: NonZeroUsize) -> Self {
        self.resamples = resamples;
        self
    }

    /// The share of repetitions that an interval should cover.
    ///
    /// # Panics
    /// Where `confidence` is not between 0 and 1, both exclusive.
    pub fn with_confidence(mut self, confidence: f64) -> Self {
        assert!(confidence > 0.0 && confidence < 1.0, "a confidence of {confidence} is not between 0 and 1");
        self.confidence = confidence;
        self
    }

    /// Seeds the resampling.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Uses this many threads rather than one a core; results stay the same.
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// The mean of `values` with its intervals.
    ///
    /// # Errors
    /// [`Error::EmptySample`] and [`Error::NonFiniteValue`].
    pub fn mean(&self, values: &[f64]) -> Result<MeanEstimate> {
        check(values)?;
        let mut means = self.resampled_means(values);
        means.sort_unstable_by(f64::total_cmp);
        let mean = mean(values);
        let tail = (1.0 - self.confidence) / 2.0;
        Ok(MeanEstimate {
            n: values.len(),
            mean,
            standard_error: standard_error(values, mean),
            percentile: Interval { low: quantile(&means, tail), high: quantile(&means, 1.0 - tail) },
            bca: bca(values, mean, &means, tail),
        })
    }

    /// The mean of `candidate[i] - baseline[i]` with its intervals.
    ///
    /// ```
    /// use jarre_eval::stats::Bootstrap;
    ///
    /// let baseline = [0.2, 0.4, 0.6, 0.5, 0.3, 0.1];
    /// let candidate = [0.3, 0.6, 0.6, 0.7, 0.4, 0.2];
    /// let compared = Bootstrap::default().paired_difference(&baseline, &candidate)?;
    /// assert_eq!((compared.wins, compared.losses), (5, 0));
    /// assert!(compared.is_significant());
    /// # Ok::<(), jarre_eval::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::UnpairedLengths`], [`Error::EmptySample`] and [`Error::NonFiniteValue`].
    pub fn paired_difference(&self, baseline: &[f64], candidate: &[f64]) -> Result<PairedDifference> {
        if baseline.len() != candidate.len() {
            return Err(Error::UnpairedLengths { first: baseline.len(), second: candidate.len() });
        }
        check(baseline)?;
        check(candidate)?;
        let differences: Vec<f64> = baseline.iter().zip(candidate).map(|(baseline, candidate)| candidate - baseline).collect();
        Ok(PairedDifference {
            baseline: mean(baseline),
            candidate: mean(candidate),
            difference: self.mean(&differences)?,
            wins: differences.iter().filter(|difference| **difference > 0.0).count(),
            losses: differences.iter().filter(|difference| **difference < 0.0).count(),
        })
    }

    fn resampled_means(&self, values: &[f64]) -> Vec<f64> {
        let threads = self.threads.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
        let share = self.resamples.get().div_ceil(threads.get());
        let mut means = vec![0.0; self.resamples.get()];
        thread::scope(|scope| {
            for (chunk, means) in means.chunks_mut(share).enumerate() {
                scope.spawn(move || {
                    for (place, mean) in means.iter_mut().enumerate() {
                        *mean = self.resampled_mean(values, chunk * share + place);
                    }
                });
            }
        });
        means
    }

    fn resampled_mean(&self, values: &[f64], resample: usize) -> f64 {
        let mut rng = SplitMix64::stream(self.seed, resample as u64);
        let sum: f64 = (0..values.len()).map(|_| values[rng.below(values.len())]).sum();
        sum / values.len() as f64
    }
}

fn check(values: &[f64]) -> Result<()> {
    if values.is_empty() {
        return Err(Error::EmptySample);
    }
    match values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        Some((index, &value)) => Err(Error::NonFiniteValue { index, value }),
        None => Ok(()),
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn standard_error(values: &[f64], mean: f64) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (values.len() - 1) as f64 / values.len() as f64).sqrt()
}

/// The interval of Efron, "Better bootstrap confidence intervals" (1987): the quantiles are taken at levels that are moved by the median
/// bias `z0` of the resampled means and by the acceleration `a`, the skew of the jackknife.
fn bca(values: &[f64], mean: f64, sorted_means: &[f64], tail: f64) -> Interval {
    let bias = normal::quantile(share_below(sorted_means, mean));
    let acceleration = acceleration(values, mean);
    let bound = |level: f64| {
        let shifted = bias + normal::quantile(level);
        let damping = 1.0 - acceleration * shifted;
        // Past this pole the correction has run off the end of the resampled means.
        let level = if damping > 0.0 { normal::cdf(bias + shifted / damping) } else { f64::from(u8::from(shifted > 0.0)) };
        quantile(sorted_means, level)
    };
    Interval { low: bound(tail), high: bound(1.0 - tail) }
}

/// The share of the resampled means below the sample's, ties counting half: resampled rates repeat the sample's often. Kept off 0 and 1,
/// where the bias would be infinite.
fn share_below(sorted_means: &[f64], mean: f64) -> f64 {
    // Sums of the same values in another order differ in their last bits.
    let slack = 1e-12 * mean.abs().max(f64::MIN_POSITIVE);
    let below = sorted_means.partition_point(|resampled| *resampled < mean - slack);
    let not_above = sorted_means.partition_point(|resampled| *resampled <= mean + slack);
    let total = sorted_means.len() as f64;
    ((below + not_above) as f64 / 2.0 / total).clamp(0.5 / total, 1.0 - 0.5 / total)
}

/// Leaving value i out moves the mean by (mean - `x_i`) / (n - 1), so the jackknife's skew is that of the values.
fn acceleration(values: &[f64], mean: f64) -> f64 {
    let (squares, cubes) = values
        .iter()
        .map(|value| value - mean)
        .fold((0.0, 0.0), |(squares, cubes), deviation: f64| (squares + deviation.powi(2), cubes + deviation.powi(3)));
    if squares == 0.0 { 0.0 } else { cubes / (6.0 * f64::powf(squares, 1.5)) }
}

/// The quantile at `level` of sorted values, linear between neighbours (type 7 of Hyndman and Fan, 1996).
fn quantile(sorted: &[f64], level: f64) -> f64 {
    let place = level.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let (below, fraction) = (place.floor(), place.fract());
    let low = sorted[below as usize];
    let high = sorted[(below as usize + 1).min(sorted.len() - 1)];
    low + (high - low) * fraction
}
