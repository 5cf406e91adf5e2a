use super::{Interval, distribution::normal, interval::check_confidence};
use crate::{Error, Result};

/// The interval of Wilson (1927) for a share of `trials` that succeeded. Unlike the textbook interval it keeps its coverage near 0 and
/// 1 and for few trials, and never leaves them; without trials it is 0 to 1.
///
/// ```
/// let interval = jarre_eval::stats::wilson(8, 10, 0.95)?;
/// assert!((interval.low - 0.490).abs() < 0.001 && (interval.high - 0.943).abs() < 0.001);
/// # Ok::<(), jarre_eval::Error>(())
/// ```
///
/// # Errors
/// [`Error::ImpossibleProportion`].
///
/// # Panics
/// Where `confidence` is not between 0 and 1, both exclusive.
pub fn wilson(successes: u64, trials: u64, confidence: f64) -> Result<Interval> {
    check_confidence(confidence);
    if successes > trials {
        return Err(Error::ImpossibleProportion { successes, trials });
    }
    if trials == 0 {
        return Ok(Interval { low: 0.0, high: 1.0 });
    }
    let n = trials as f64;
    let share = successes as f64 / n;
    let z = normal::critical(confidence);
    let shrink = 1.0 + z * z / n;
    let centre = (share + z * z / (2.0 * n)) / shrink;
    let half = z / shrink * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    Ok(Interval { low: (centre - half).max(0.0), high: (centre + half).min(1.0) })
}
