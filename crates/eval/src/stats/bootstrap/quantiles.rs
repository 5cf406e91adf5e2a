use serde::{Deserialize, Serialize};

use super::{Bootstrap, BootstrapEstimate};
use crate::{
    Error, Result,
    stats::{Design, values},
};

/// The percentiles by which latencies are told. Trust the percentile intervals: a percentile moves in jumps, which the correction of
/// the others does not expect; and that of p99 means little below some hundreds of values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// The median.
    pub p50: BootstrapEstimate,
    /// 95 of 100 stay at or below it.
    pub p95: BootstrapEstimate,
    /// 99 of 100 stay at or below it.
    pub p99: BootstrapEstimate,
}

impl Bootstrap {
    /// Percentiles of `values` with intervals, linear between neighbours (type 7 of Hyndman and Fan, 1996; the default of R and numpy).
    ///
    /// # Errors
    /// [`Error::EmptySample`], [`Error::NonFiniteValue`] and [`Error::GroupCount`].
    pub fn percentiles(&self, values: &[f64], design: &Design) -> Result<Percentiles> {
        values::check(values)?;
        let [p50, p95, p99] = self.statistics_by(design, values.len(), |items| quantiles(values, items, [0.5, 0.95, 0.99]))?;
        Ok(Percentiles { p50, p95, p99 })
    }

    /// One quantile of `candidate` over the same of `baseline`, items resampled in pairs: 1.1 for a p95 latency that rose by a tenth.
    ///
    /// # Errors
    /// [`Error::UnpairedLengths`], [`Error::EmptySample`], [`Error::NonFiniteValue`], [`Error::GroupCount`]; [`Error::OutOfRange`] for a
    /// `level` outside 0 to 1; [`Error::Undefined`] where the baseline's quantile is 0.
    pub fn ratio_of_quantiles(&self, level: f64, baseline: &[f64], candidate: &[f64], design: &Design) -> Result<BootstrapEstimate> {
        values::check_pairs(baseline, candidate)?;
        if !(0.0..=1.0).contains(&level) {
            return Err(Error::OutOfRange { what: "level of a quantile", value: level, wanted: "0 to 1" });
        }
        self.statistic_by(design, baseline.len(), |items| {
            let [baseline] = quantiles(baseline, items, [level]);
            let [candidate] = quantiles(candidate, items, [level]);
            candidate / baseline
        })
    }
}

/// `levels` ascend.
fn quantiles<const M: usize>(values: &[f64], items: &[usize], levels: [f64; M]) -> [f64; M] {
    let mut drawn: Vec<f64> = items.iter().map(|item| values[*item]).collect();
    drawn.sort_unstable_by(f64::total_cmp);
    levels.map(|level| values::quantile(&drawn, level))
}
