use serde::{Deserialize, Serialize};

use crate::stats::Interval;

/// A statistic and how certain it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BootstrapEstimate {
    /// Number of items.
    pub n: usize,
    /// The statistic of all of them.
    pub value: f64,
    /// The standard deviation of the resampled figures.
    pub standard_error: f64,
    /// Between quantiles of the resampled figures.
    pub percentile: Interval,
    /// The same, corrected for bias and skew (Efron 1987). The better of the two for smooth statistics; `None` where leaving items
    /// out leaves the statistic undefined.
    pub bca: Option<Interval>,
    /// Resamples on which the statistic was undefined; the intervals are over the others, and mean little where these are many.
    pub undefined: usize,
}

impl BootstrapEstimate {
    /// The `BCa` interval, or the percentile one where there is none.
    pub fn interval(&self) -> Interval {
        self.bca.unwrap_or(self.percentile)
    }
}
