use serde::{Deserialize, Serialize};

use super::{Bootstrap, bca};
use crate::{
    Result,
    stats::{Interval, rng::SplitMix64, values},
};

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

impl Bootstrap {
    /// The mean of `values` with its intervals.
    ///
    /// # Errors
    /// [`Error::EmptySample`](crate::Error::EmptySample) and [`Error::NonFiniteValue`](crate::Error::NonFiniteValue).
    pub fn mean(&self, values: &[f64]) -> Result<MeanEstimate> {
        values::check(values)?;
        let mut means = self.in_parallel(self.resamples.get(), || (), |resample, ()| self.resampled_mean(values, resample));
        means.sort_unstable_by(f64::total_cmp);
        let mean = values::mean(values);
        // Leaving value i out moves the mean by (mean - x_i) / (n - 1), so the jackknife's skew is that of the values.
        let influences: Vec<f64> = values.iter().map(|value| value - mean).collect();
        Ok(MeanEstimate {
            n: values.len(),
            mean,
            standard_error: values::variance(values).map_or(0.0, |variance| (variance / values.len() as f64).sqrt()),
            percentile: bca::percentile(&means, self.tail()),
            bca: bca::interval(mean, &means, bca::acceleration([&influences[..]]), self.tail()),
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
    /// [`Error::UnpairedLengths`](crate::Error::UnpairedLengths), [`Error::EmptySample`](crate::Error::EmptySample) and
    /// [`Error::NonFiniteValue`](crate::Error::NonFiniteValue).
    pub fn paired_difference(&self, baseline: &[f64], candidate: &[f64]) -> Result<PairedDifference> {
        values::check_pairs(baseline, candidate)?;
        let differences: Vec<f64> = baseline.iter().zip(candidate).map(|(baseline, candidate)| candidate - baseline).collect();
        Ok(PairedDifference {
            baseline: values::mean(baseline),
            candidate: values::mean(candidate),
            difference: self.mean(&differences)?,
            wins: differences.iter().filter(|difference| **difference > 0.0).count(),
            losses: differences.iter().filter(|difference| **difference < 0.0).count(),
        })
    }

    fn resampled_mean(&self, values: &[f64], resample: usize) -> f64 {
        let mut rng = SplitMix64::stream(self.seed, resample as u64);
        let sum: f64 = (0..values.len()).map(|_| values[rng.below(values.len())]).sum();
        sum / values.len() as f64
    }
}
