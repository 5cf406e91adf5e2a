use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How often each class was taken for each other one.
///
/// ```
/// use jarre_eval::classification::{Average, ConfusionMatrix, ZeroDivision};
///
/// let pairs = [("cat", "cat"), ("cat", "dog"), ("dog", "dog"), ("fox", "dog")];
/// let matrix = ConfusionMatrix::new(["cat", "dog", "fox"], pairs)?;
/// assert_eq!(matrix.accuracy(), Some(0.5));
/// let fox = &matrix.classes()[2];
/// assert_eq!((fox.precision, fox.recall), (None, Some(0.0)));
/// let averages = matrix.averages(Average::Macro, ZeroDivision::Zero);
/// assert_eq!(averages.recall, Some((0.5 + 1.0 + 0.0) / 3.0));
/// # Ok::<(), jarre_eval::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfusionMatrix {
    labels: Vec<String>,
    /// `[classes, classes]`, row-major: true classes down, predicted ones across.
    counts: Vec<u64>,
}

/// What was made of one class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassScores {
    /// The class.
    pub label: String,
    /// The share of its predictions that are right; `None` where it was never predicted.
    pub precision: Option<f64>,
    /// The share of its items that were found; `None` where there are none.
    pub recall: Option<f64>,
    /// The harmonic mean of the two; `None` where it was neither predicted nor there.
    pub f1: Option<f64>,
    /// Items that are of this class.
    pub support: u64,
    /// Items that were taken for it.
    pub predicted: u64,
}

/// How classes are put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Average {
    /// The mean over classes: rare ones count as much as frequent ones.
    #[default]
    Macro,
    /// The mean over classes, each weighing as much as it has items.
    Weighted,
    /// Over all items together: all three figures are the accuracy.
    Micro,
}

/// What a class counts in an average where its figure is not defined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ZeroDivision {
    /// 0, scikit-learn's default.
    #[default]
    Zero,
    /// 1.
    One,
    /// Nothing: the average is over the other classes.
    Exclude,
}

/// Averages over classes; `None` where no class counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Averages {
    /// Of the precisions.
    pub precision: Option<f64>,
    /// Of the recalls.
    pub recall: Option<f64>,
    /// Of the F1 figures, which is not the F1 of the averages.
    pub f1: Option<f64>,
}

impl ConfusionMatrix {
    /// Counts pairs of true and predicted class. The classes stand in the order given.
    ///
    /// # Errors
    /// [`Error::UnknownClass`] for a class that is not in `labels` (declare one for answers that name no class), and
    /// [`Error::RepeatedClass`].
    pub fn new<L: Into<String>, T: AsRef<str>, P: AsRef<str>>(
        labels: impl IntoIterator<Item = L>,
        pairs: impl IntoIterator<Item = (T, P)>,
    ) -> Result<Self> {
        let labels: Vec<String> = labels.into_iter().map(Into::into).collect();
        let mut places = HashMap::new();
        for (place, label) in labels.iter().enumerate() {
            if places.insert(label.as_str(), place).is_some() {
                return Err(Error::RepeatedClass { label: label.clone() });
            }
        }
        let place = |label: &str| places.get(label).copied().ok_or_else(|| Error::UnknownClass { label: label.to_owned() });
        let mut counts = vec![0; labels.len() * labels.len()];
        for (truth, predicted) in pairs {
            counts[place(truth.as_ref())? * labels.len() + place(predicted.as_ref())?] += 1;
        }
        Ok(Self { labels, counts })
    }

    /// Counts pairs of true and predicted class. The classes are those that occur, sorted.
    #[expect(clippy::missing_panics_doc, reason = "the labels are those of the pairs")]
    pub fn of_pairs(pairs: &[(&str, &str)]) -> Self {
        let labels: BTreeSet<&str> = pairs.iter().flat_map(|(truth, predicted)| [*truth, *predicted]).collect();
        Self::new(labels, pairs.iter().copied()).expect("the labels are those of the pairs, each once")
    }

    /// The classes in order.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// How many items of the class at `truth` were taken for the class at `predicted`.
    ///
    /// # Panics
    /// Where there is no such class.
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        assert!(truth.max(predicted) < self.labels.len(), "there are {} classes", self.labels.len());
        self.counts[truth * self.labels.len() + predicted]
    }

    /// Items counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The share of items whose class was found; `None` without items.
    pub fn accuracy(&self) -> Option<f64> {
        ratio(self.hits(), self.total())
    }

    /// The figures of each class, in order.
    pub fn classes(&self) -> Vec<ClassScores> {
        let scores = |class: usize| ClassScores {
            label: self.labels[class].clone(),
            precision: ratio(self.count(class, class), self.predicted(class)),
            recall: ratio(self.count(class, class), self.support(class)),
            f1: self.f_beta(class, 1.0),
            support: self.support(class),
            predicted: self.predicted(class),
        };
        (0..self.labels.len()).map(scores).collect()
    }

    /// F-beta of the class at `class`: recall weighs `beta` times as much as precision (van Rijsbergen 1979). `None` where the class was
    /// neither predicted nor there.
    ///
    /// # Panics
    /// Where there is no such class.
    pub fn f_beta(&self, class: usize, beta: f64) -> Option<f64> {
        let (support, predicted) = (self.support(class) as f64, self.predicted(class) as f64);
        let hits = self.count(class, class) as f64;
        let square = beta * beta;
        (support + predicted > 0.0).then(|| (1.0 + square) * hits / (square * support + predicted))
    }

    /// Averages of precision, recall and F1.
    pub fn averages(&self, average: Average, zero_division: ZeroDivision) -> Averages {
        if average == Average::Micro {
            let accuracy = self.accuracy();
            return Averages { precision: accuracy, recall: accuracy, f1: accuracy };
        }
        let classes = self.classes();
        let mean = |figure: fn(&ClassScores) -> Option<f64>| {
            let weight = |class: &ClassScores| if average == Average::Weighted { class.support as f64 } else { 1.0 };
            weighted_mean(classes.iter().filter_map(|class| Some((zero_division.fill(figure(class))?, weight(class)))))
        };
        Averages { precision: mean(|class| class.precision), recall: mean(|class| class.recall), f1: mean(|class| class.f1) }
    }

    /// The mean of the recalls of the classes that have items; `None` without items.
    pub fn balanced_accuracy(&self) -> Option<f64> {
        self.averages(Average::Macro, ZeroDivision::Exclude).recall
    }

    /// The correlation of true and predicted classes (Matthews 1975; for several classes Gorodkin 2004), from -1 to 1. `None` where all items
    /// are of one class, or were taken for one.
    pub fn matthews(&self) -> Option<f64> {
        let classes = 0..self.labels.len();
        let total = self.total() as f64;
        let sum = |term: &dyn Fn(usize) -> f64| classes.clone().map(term).sum::<f64>();
        let both = sum(&|class| self.support(class) as f64 * self.predicted(class) as f64);
        let truth = total * total - sum(&|class| (self.support(class) as f64).powi(2));
        let predicted = total * total - sum(&|class| (self.predicted(class) as f64).powi(2));
        (truth > 0.0 && predicted > 0.0).then(|| (self.hits() as f64 * total - both) / (truth * predicted).sqrt())
    }

    fn hits(&self) -> u64 {
        (0..self.labels.len()).map(|class| self.count(class, class)).sum()
    }

    fn support(&self, class: usize) -> u64 {
        (0..self.labels.len()).map(|predicted| self.count(class, predicted)).sum()
    }

    fn predicted(&self, class: usize) -> u64 {
        (0..self.labels.len()).map(|truth| self.count(truth, class)).sum()
    }
}

impl ZeroDivision {
    fn fill(self, figure: Option<f64>) -> Option<f64> {
        figure.or(match self {
            Self::Zero => Some(0.0),
            Self::One => Some(1.0),
            Self::Exclude => None,
        })
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn weighted_mean(values: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let (sum, weights) = values.fold((0.0, 0.0), |(sum, weights), (value, weight)| (sum + value * weight, weights + weight));
    (weights > 0.0).then(|| sum / weights)
}
