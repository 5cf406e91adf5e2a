use serde::{Deserialize, Serialize};

use super::{BinaryPairs, Direction, Interval, Mean, PairedMeans, distribution::student};
use crate::{Error, Result};

/// Whether a candidate is at most `margin` worse than the baseline, by the interval of the difference.
///
/// "No significant difference" is no licence to ship: few items hide any regression. This asks instead that a regression beyond the margin be
/// ruled out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NonInferiority {
    /// The whole interval lies above a loss of the margin.
    NonInferior,
    /// The whole interval lies below it.
    Inferior,
    /// The interval holds the margin.
    Inconclusive {
        /// How many more items of the same kind would decide, should the difference stay what it is; `None` where it lies on the margin, so
        /// that no number would, or where there is no telling.
        more_items: Option<u64>,
    },
}

impl NonInferiority {
    /// Judges the difference candidate less baseline of two runs by its t interval. Runs that differ on no item pass any margin above 0.
    ///
    /// ```
    /// use jarre_eval::stats::{Design, Direction, NonInferiority, PairedMeans};
    ///
    /// let (baseline, candidate) = ([0.8, 0.6, 0.9, 0.7, 0.5], [0.8, 0.7, 0.9, 0.6, 0.6]);
    /// let runs = PairedMeans::of(&baseline, &candidate, &Design::Simple)?;
    /// assert_eq!(NonInferiority::of_means(&runs, 0.2, Direction::HigherIsBetter, 0.95)?, NonInferiority::NonInferior);
    /// let tight = NonInferiority::of_means(&runs, 0.02, Direction::HigherIsBetter, 0.95)?;
    /// assert!(matches!(tight, NonInferiority::Inconclusive { more_items: Some(_) }));
    /// # Ok::<(), jarre_eval::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a margin that is negative or not finite.
    ///
    /// # Panics
    /// Where `confidence` is not between 0 and 1, both exclusive.
    pub fn of_means(runs: &PairedMeans, margin: f64, direction: Direction, confidence: f64) -> Result<Self> {
        let Mean { n, mean, .. } = runs.difference;
        check(margin)?;
        // An interval without width, from values that are all the same, says nothing of items to come.
        let interval = runs.difference.interval(confidence).filter(|interval| interval.width() > 0.0 || mean == 0.0);
        interval.map_or(Ok(Self::Inconclusive { more_items: None }), |interval| Self::of(mean, interval, n as u64, margin, direction))
    }

    /// The same of right-or-wrong answers, by Newcombe's interval.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a margin that is negative or not finite, and [`Error::EmptySample`] without items.
    ///
    /// # Panics
    /// Where `confidence` is not between 0 and 1, both exclusive.
    pub fn of_pairs(pairs: &BinaryPairs, margin: f64, direction: Direction, confidence: f64) -> Result<Self> {
        Self::of(pairs.difference(), pairs.newcombe(confidence)?, pairs.n(), margin, direction)
    }

    /// The same of any difference of `n` items with its interval.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a margin that is negative or not finite; [`Error::Undefined`] for a difference or interval that is NaN.
    pub fn of(difference: f64, interval: Interval, n: u64, margin: f64, direction: Direction) -> Result<Self> {
        check(margin)?;
        if difference.is_nan() || interval.low.is_nan() || interval.high.is_nan() {
            return Err(Error::Undefined("the difference is not a number; leave out what could not be scored".to_owned()));
        }
        let (difference, interval) = (direction.improvement(difference), direction.improvement_interval(interval));
        Ok(if interval.low > -margin {
            Self::NonInferior
        } else if interval.high < -margin {
            Self::Inferior
        } else {
            Self::Inconclusive { more_items: more_items(difference + margin, difference, interval, n) }
        })
    }

    /// The chance of so bad a difference of two runs, or a worse one, if the candidate were worse by just the margin: the one-sided t test.
    /// Gates over many slices adjust these p-values ([`holm`](super::holm)) before they read them. `None` where the spread of the differences
    /// is unknown.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a margin that is negative or not finite.
    pub fn inferiority_p_value(runs: &PairedMeans, margin: f64, direction: Direction) -> Result<Option<f64>> {
        check(margin)?;
        let Mean { mean, standard_error, degrees_of_freedom, .. } = runs.difference;
        let test = |error: f64| {
            let t = (direction.improvement(mean) + margin) / error;
            let beyond = student::two_sided(t, degrees_of_freedom as f64) / 2.0;
            if t < 0.0 { beyond } else { 1.0 - beyond }
        };
        Ok(standard_error.filter(|error| *error > 0.0).map(test))
    }
}

fn check(margin: f64) -> Result<()> {
    if margin.is_finite() && margin >= 0.0 {
        return Ok(());
    }
    Err(Error::OutOfRange { what: "margin", value: margin, wanted: "0 or more, and finite" })
}

/// What asks for more lies on the margin, but for rounding.
const MOST_ITEMS: f64 = 1e12;

/// Half-widths shrink with the root of the number of items, so the bound that holds the margin now leaves it at `n (half / distance)²`.
fn more_items(distance: f64, difference: f64, interval: Interval, n: u64) -> Option<u64> {
    let half = if distance > 0.0 { difference - interval.low } else { interval.high - difference };
    let needed = n as f64 * (half / distance).powi(2);
    (needed < MOST_ITEMS).then(|| (needed.floor() as u64).saturating_add(1).saturating_sub(n))
}
