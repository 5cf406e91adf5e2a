//! Sums over samples, and what must hold of samples before them.

use crate::{Error, Result};

pub(crate) fn check(values: &[f64]) -> Result<()> {
    if values.is_empty() {
        return Err(Error::EmptySample);
    }
    match values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        Some((index, &value)) => Err(Error::NonFiniteValue { index, value }),
        None => Ok(()),
    }
}

pub(crate) fn check_pairs(first: &[f64], second: &[f64]) -> Result<()> {
    if first.len() != second.len() {
        return Err(Error::UnpairedLengths { first: first.len(), second: second.len() });
    }
    check(first)?;
    check(second)
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// With n - 1; `None` below two values.
pub(crate) fn variance(values: &[f64]) -> Option<f64> {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| squares / (values.len() - 1) as f64)
}

/// Pearson's; `None` where one side does not vary.
pub(crate) fn correlation(first: &[f64], second: &[f64]) -> Option<f64> {
    let (mean_first, mean_second) = (mean(first), mean(second));
    let (mut both, mut firsts, mut seconds) = (0.0, 0.0, 0.0);
    for (first, second) in first.iter().zip(second) {
        let (first, second) = (first - mean_first, second - mean_second);
        both += first * second;
        firsts += first * first;
        seconds += second * second;
    }
    let correlation = both / firsts.sqrt() / seconds.sqrt();
    correlation.is_finite().then(|| correlation.clamp(-1.0, 1.0))
}

/// The quantile at `level` of sorted values, linear between neighbours (type 7 of Hyndman and Fan, 1996).
pub(crate) fn quantile(sorted: &[f64], level: f64) -> f64 {
    let place = level.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let (below, fraction) = (place.floor(), place.fract());
    let low = sorted[below as usize];
    let high = sorted[(below as usize + 1).min(sorted.len() - 1)];
    low + (high - low) * fraction
}
