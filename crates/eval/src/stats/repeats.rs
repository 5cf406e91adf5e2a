use serde::{Deserialize, Serialize};

use super::{Design, Mean, values};
use crate::{Error, Result};

/// Items answered several times, reduced to a mean each, with what the variance is made of.
///
/// The variance of the mean of n items with K answers each is `between / n + within / (n K)`: more answers help against the second part
/// only, which a lower temperature would hide rather than reduce (Miller 2024, section 3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repeats {
    /// The mean of each item's answers.
    pub means: Vec<f64>,
    /// The variance of items' true scores, estimated as that of [`means`](Self::means) less what repeats add to it; not below 0. `None` for a
    /// single item, or where [`within`](Self::within) is.
    pub between: Option<f64>,
    /// The mean variance of the answers to one item, over the items with two or more; `None` without one.
    pub within: Option<f64>,
    /// Answers an item, as a harmonic mean: what [`within`](Self::within) is divided by.
    pub repeats: f64,
}

impl Repeats {
    /// Reduces the answers' scores, a list an item.
    ///
    /// # Errors
    /// [`Error::EmptySample`] without items or with an item that has no answer, and [`Error::NonFiniteValue`] with the item's index.
    pub fn of<V: AsRef<[f64]>>(items: &[V]) -> Result<Self> {
        let mut means = Vec::with_capacity(items.len());
        for (index, answers) in items.iter().enumerate() {
            values::check(answers.as_ref()).map_err(|error| at(error, index))?;
            means.push(values::mean(answers.as_ref()));
        }
        values::check(&means)?;
        let within: Vec<f64> = items.iter().filter_map(|answers| values::variance(answers.as_ref())).collect();
        let within = (!within.is_empty()).then(|| values::mean(&within));
        let inverse: Vec<f64> = items.iter().map(|answers| 1.0 / answers.as_ref().len() as f64).collect();
        let repeats = 1.0 / values::mean(&inverse);
        let between = values::variance(&means).zip(within).map(|(all, within)| (all - within / repeats).max(0.0));
        Ok(Self { means, between, within, repeats })
    }

    /// The mean over items, each counting once however often it was answered.
    ///
    /// # Errors
    /// As [`Mean::of`].
    pub fn mean(&self, design: &Design) -> Result<Mean> {
        Mean::of(&self.means, design)
    }
}

fn at(error: Error, item: usize) -> Error {
    match error {
        Error::NonFiniteValue { value, .. } => Error::NonFiniteValue { index: item, value },
        other => other,
    }
}
