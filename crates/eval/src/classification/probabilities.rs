use super::{BinaryScores, Forecasts};
use crate::{Error, Result};

/// How far from 1 the probabilities of an item may sum, for rounding.
const SUM_TOLERANCE: f64 = 1e-3;

/// Probabilities over several classes, and the true class of each item.
///
/// ```
/// use jarre_eval::classification::ClassProbabilities;
///
/// let items = [(vec![0.7, 0.2, 0.1], 0), (vec![0.3, 0.4, 0.3], 1), (vec![0.1, 0.2, 0.7], 2)];
/// let probabilities = ClassProbabilities::new(3, items)?;
/// assert_eq!(probabilities.roc_auc(), Some(1.0));
/// assert_eq!(ClassProbabilities::new(3, [(vec![1.0, 0.0, 0.0], 0)])?.roc_auc(), None);
/// # Ok::<(), jarre_eval::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ClassProbabilities {
    classes: usize,
    items: Vec<(Vec<f64>, usize)>,
}

impl ClassProbabilities {
    /// Items as probabilities of all `classes`, `[classes]`, and the place of the true class.
    ///
    /// # Errors
    /// [`Error::ValueOutOfRange`] with the item's place where a value is no probability or they do not sum to 1 within 0.001,
    /// [`Error::UnpairedLengths`] where an item has not one for each class, and [`Error::UnknownClass`] where the true class is none of
    /// them.
    pub fn new(classes: usize, items: impl IntoIterator<Item = (Vec<f64>, usize)>) -> Result<Self> {
        let items: Vec<(Vec<f64>, usize)> = items.into_iter().collect();
        for (index, (row, truth)) in items.iter().enumerate() {
            check(classes, index, row)?;
            if *truth >= classes {
                return Err(Error::UnknownClass { label: truth.to_string() });
            }
        }
        Ok(Self { classes, items })
    }

    /// The mean negative natural logarithm of the probability given to the true class. Infinite where that was 0 once; `None` without items.
    pub fn log_loss(&self) -> Option<f64> {
        self.mean(|row, truth| -row[truth].ln())
    }

    /// The mean, over items, of the squared distance from the probabilities to the truth, summed over classes (Brier 1950), from 0 to 2: with
    /// two classes twice [`Forecasts::brier`]. `None` without items.
    pub fn brier(&self) -> Option<f64> {
        self.mean(|row, truth| {
            let outcome = |class| f64::from(u8::from(class == truth));
            row.iter().enumerate().map(|(class, probability)| (probability - outcome(class)).powi(2)).sum()
        })
    }

    /// The area under the ROC curve of each class against the rest; `None` for a class that no item is of, or all are.
    pub fn roc_auc_by_class(&self) -> Vec<Option<f64>> {
        (0..self.classes).map(|class| self.against_rest(class).roc_auc()).collect()
    }

    /// The mean of [`roc_auc_by_class`](Self::roc_auc_by_class), classes counting alike; `None` where one is not defined, and without
    /// classes.
    pub fn roc_auc(&self) -> Option<f64> {
        let areas: Option<Vec<f64>> = self.roc_auc_by_class().into_iter().collect();
        areas.filter(|areas| !areas.is_empty()).map(|areas| areas.iter().sum::<f64>() / areas.len() as f64)
    }

    /// The probability of each item's likeliest class, and whether it is the true one: what the calibration of a classifier is measured
    /// on. Of equally likely classes the first counts.
    pub fn top_label(&self) -> Forecasts {
        let top = |(row, truth): &(Vec<f64>, usize)| {
            let likelier = |best: usize, class: usize| if row[class] > row[best] { class } else { best };
            let best = (0..row.len()).reduce(likelier)?;
            Some((row[best], best == *truth))
        };
        Forecasts::of(self.items.iter().filter_map(top).collect())
    }

    fn against_rest(&self, class: usize) -> BinaryScores {
        BinaryScores::of(self.items.iter().map(|(row, truth)| (row[class], *truth == class)).collect())
    }

    fn mean(&self, loss: impl Fn(&[f64], usize) -> f64) -> Option<f64> {
        let sum: f64 = self.items.iter().map(|(row, truth)| loss(row, *truth)).sum();
        (!self.items.is_empty()).then(|| sum / self.items.len() as f64)
    }
}

fn check(classes: usize, index: usize, row: &[f64]) -> Result<()> {
    if row.len() != classes {
        return Err(Error::UnpairedLengths { first: classes, second: row.len() });
    }
    if let Some(value) = row.iter().find(|value| !(0.0..=1.0).contains(*value)) {
        return Err(Error::ValueOutOfRange { index, value: *value, wanted: "a probability is from 0 to 1" });
    }
    let sum: f64 = row.iter().sum();
    if (sum - 1.0).abs() > SUM_TOLERANCE {
        return Err(Error::ValueOutOfRange { index, value: sum, wanted: "the probabilities of an item sum to 1" });
    }
    Ok(())
}
