//! The bias-corrected and accelerated interval of Efron, "Better bootstrap confidence intervals" (1987).

use super::super::{Interval, distribution::normal, values::quantile};

/// Quantiles of the resampled figures, taken at levels that are moved by their median bias `z0` and by the acceleration `a`, the skew of
/// the statistic's influence values. `tail` is the share left out at either end.
pub(super) fn interval(estimate: f64, sorted: &[f64], acceleration: f64, tail: f64) -> Interval {
    let bias = normal::quantile(share_below(sorted, estimate));
    let bound = |level: f64| {
        let shifted = bias + normal::quantile(level);
        let damping = 1.0 - acceleration * shifted;
        // Past this pole the correction has run off the end of the resampled figures.
        let level = if damping > 0.0 { normal::cdf(bias + shifted / damping) } else { f64::from(u8::from(shifted > 0.0)) };
        quantile(sorted, level)
    };
    Interval { low: bound(tail), high: bound(1.0 - tail) }
}

pub(super) fn percentile(sorted: &[f64], tail: f64) -> Interval {
    Interval { low: quantile(sorted, tail), high: quantile(sorted, 1.0 - tail) }
}

/// The skew of influence values, by stratum; each list sums to zero. For one stratum this is Efron's `Σ l³ / (6 (Σ l²)^1.5)`; for several,
/// equation 5.21 of Davison and Hinkley, "Bootstrap methods and their application" (1997).
pub(super) fn acceleration<'a>(strata: impl IntoIterator<Item = &'a [f64]>) -> f64 {
    let (mut squares, mut cubes) = (0.0, 0.0);
    for influences in strata {
        let n = influences.len() as f64;
        squares += influences.iter().map(|influence| influence.powi(2)).sum::<f64>() / n.powi(2);
        cubes += influences.iter().map(|influence| influence.powi(3)).sum::<f64>() / n.powi(3);
    }
    let acceleration = cubes / (6.0 * f64::powf(squares, 1.5));
    if acceleration.is_finite() { acceleration } else { 0.0 }
}

/// The share of the resampled figures below the sample's, ties counting half: resampled rates repeat the sample's often. Kept off 0 and 1,
/// where the bias would be infinite.
fn share_below(sorted: &[f64], estimate: f64) -> f64 {
    // Sums of the same values in another order differ in their last bits.
    let slack = 1e-12 * estimate.abs().max(f64::MIN_POSITIVE);
    let below = sorted.partition_point(|resampled| *resampled < estimate - slack);
    let not_above = sorted.partition_point(|resampled| *resampled <= estimate + slack);
    let total = sorted.len() as f64;
    ((below + not_above) as f64 / 2.0 / total).clamp(0.5 / total, 1.0 - 0.5 / total)
}
