use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Scores of items that are positive or negative: the higher, the likelier positive. What scores at least a threshold is flagged.
///
/// ```
/// use jarre_eval::classification::BinaryScores;
///
/// let scores = BinaryScores::new([(0.9, true), (0.8, false), (0.8, true), (0.3, false)])?;
/// assert_eq!(scores.roc_auc(), Some((1.0 + 1.0 + 0.5 + 1.0) / 4.0));
/// let guard = scores.best_at_false_positive_rate(0.0).expect("there are positives and negatives");
/// assert_eq!((guard.threshold, guard.recall), (Some(0.9), 0.5));
/// # Ok::<(), jarre_eval::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BinaryScores {
    /// What a threshold at each score flags, the highest score first, equal scores together.
    steps: Vec<Step>,
    positives: u64,
    negatives: u64,
}

/// What a threshold does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OperatingPoint {
    /// The lowest score that is flagged; `None` flags nothing.
    pub threshold: Option<f64>,
    /// The share of positives that are flagged.
    pub recall: f64,
    /// The share of negatives that are flagged.
    pub false_positive_rate: f64,
    /// The share of what is flagged that is positive; `None` where nothing is.
    pub precision: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    threshold: f64,
    true_positives: u64,
    false_positives: u64,
}

impl BinaryScores {
    /// Scores with whether the item is positive, in any order.
    ///
    /// # Errors
    /// [`Error::NonFiniteValue`].
    pub fn new(scores: impl IntoIterator<Item = (f64, bool)>) -> Result<Self> {
        let scores: Vec<(f64, bool)> = scores.into_iter().collect();
        if let Some((index, (value, _))) = scores.iter().enumerate().find(|(_, (score, _))| !score.is_finite()) {
            return Err(Error::NonFiniteValue { index, value: *value });
        }
        Ok(Self::of(scores))
    }

    /// Scores that are known to be finite.
    pub(super) fn of(mut scores: Vec<(f64, bool)>) -> Self {
        scores.sort_by(|left, right| right.0.total_cmp(&left.0));
        let mut found = Step { threshold: f64::INFINITY, true_positives: 0, false_positives: 0 };
        // Not lower than the next, in falling order, is equal.
        let steps = scores.chunk_by(|left, right| left.0 <= right.0).map(|tied| {
            let positives = tied.iter().filter(|(_, positive)| *positive).count() as u64;
            found.threshold = tied[0].0;
            found.true_positives += positives;
            found.false_positives += tied.len() as u64 - positives;
            found
        });
        let steps = steps.collect();
        Self { steps, positives: found.true_positives, negatives: found.false_positives }
    }

    /// The probability that a positive scores higher than a negative, ties counting half: the area under the ROC curve (Hanley and `McNeil`
    /// 1982). `None` without positives or without negatives.
    pub fn roc_auc(&self) -> Option<f64> {
        let curve = self.roc_curve()?;
        let area = |pair: &[OperatingPoint]| {
            let width = pair[1].false_positive_rate - pair[0].false_positive_rate;
            width * f64::midpoint(pair[0].recall, pair[1].recall)
        };
        Some(curve.windows(2).map(area).sum())
    }

    /// The operating points from flagging nothing to flagging everything, one for each score that occurs. `None` without positives or without
    /// negatives.
    pub fn roc_curve(&self) -> Option<Vec<OperatingPoint>> {
        let nothing = OperatingPoint { threshold: None, recall: 0.0, false_positive_rate: 0.0, precision: None };
        let points = self.steps.iter().map(|step| self.point(*step));
        self.has_both().then(|| std::iter::once(nothing).chain(points).collect())
    }

    /// The area under the precision-recall curve as average precision: each rise in recall counts with the precision at its threshold, and
    /// nothing is interpolated (Davis and Goadrich 2006 say why). `None` without positives.
    pub fn average_precision(&self) -> Option<f64> {
        let mut before = 0;
        let rises = self.steps.iter().map(|step| {
            let rise = (step.true_positives - before) as f64 / self.positives as f64;
            before = step.true_positives;
            rise * step.true_positives as f64 / (step.true_positives + step.false_positives) as f64
        });
        (self.positives > 0).then(|| rises.sum())
    }

    /// What flagging from `threshold` on does. `None` without positives or without negatives.
    pub fn at(&self, threshold: f64) -> Option<OperatingPoint> {
        let flagged = self.steps.iter().take_while(|step| step.threshold >= threshold).last();
        let nothing = Step { threshold, true_positives: 0, false_positives: 0 };
        let point = OperatingPoint { threshold: Some(threshold), ..self.point(*flagged.unwrap_or(&nothing)) };
        self.has_both().then_some(point)
    }

    /// The threshold with the highest recall of those that flag at most the share `rate` of negatives, and of equal ones the highest: how a
    /// guard is set. `None` without positives or without negatives.
    pub fn best_at_false_positive_rate(&self, rate: f64) -> Option<OperatingPoint> {
        let allowed = self.roc_curve()?.into_iter().filter(|point| point.threshold.is_none() || point.false_positive_rate <= rate);
        allowed.reduce(|best, point| if point.recall > best.recall { point } else { best })
    }

    fn has_both(&self) -> bool {
        self.positives > 0 && self.negatives > 0
    }

    fn point(&self, step: Step) -> OperatingPoint {
        let flagged = step.true_positives + step.false_positives;
        OperatingPoint {
            threshold: Some(step.threshold),
            recall: step.true_positives as f64 / self.positives as f64,
            false_positive_rate: step.false_positives as f64 / self.negatives as f64,
            precision: (flagged > 0).then(|| step.true_positives as f64 / flagged as f64),
        }
    }
}
