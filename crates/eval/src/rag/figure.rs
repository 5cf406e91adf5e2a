use serde::{Deserialize, Serialize};

use super::{RagMetric, RagSample, is_refusal};
use crate::{
    Error, Outcome, Result, Score,
    stats::{Bootstrap, MeanEstimate},
};

/// A metric over many samples, with all that belongs to the number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RagFigure {
    /// The metric, with its judge.
    pub metric: String,
    /// Its version.
    pub version: String,
    /// Samples.
    pub n: usize,
    /// Those on which the metric is undefined or the judge could not be read.
    pub unscored: usize,
    /// Those for which the judge could not be reached.
    pub failed: usize,
    /// Answers that decline to answer ([`is_refusal`]), scored or not.
    pub refusals: usize,
    /// The mean over all samples with a figure; `None` without any.
    pub all: Option<MeanEstimate>,
    /// The mean over those that are no refusals.
    pub answered: Option<MeanEstimate>,
}

impl RagFigure {
    /// Sums up the `scores` of one metric on `samples`.
    ///
    /// # Errors
    /// [`Error::UnpairedLengths`] where there is not one score a sample, [`Error::EmptySample`] without samples, and
    /// [`Error::MixedJudgements`] where the scores are of several metrics, judges or versions.
    pub fn of(samples: &[RagSample], scores: &[Score], bootstrap: &Bootstrap) -> Result<Self> {
        if samples.len() != scores.len() {
            return Err(Error::UnpairedLengths { first: samples.len(), second: scores.len() });
        }
        let first = scores.first().ok_or(Error::EmptySample)?;
        if let Some(other) = scores.iter().find(|other| (&other.scorer, &other.version) != (&first.scorer, &first.version)) {
            let name = |score: &Score| format!("{}@{}", score.scorer, score.version);
            return Err(Error::MixedJudgements { first: name(first), second: name(other) });
        }
        let refusals: Vec<bool> = samples.iter().map(|sample| is_refusal(&sample.answer)).collect();
        let count = |wanted: fn(&Outcome) -> bool| scores.iter().filter(|score| wanted(&score.outcome)).count();
        let values = |with_refusals: bool| -> Vec<f64> {
            let kept = scores.iter().zip(&refusals).filter(|(_, refusal)| with_refusals || !**refusal);
            kept.filter_map(|(score, _)| score.outcome.value()).collect()
        };
        Ok(Self {
            metric: first.scorer.clone(),
            version: first.version.clone(),
            n: samples.len(),
            unscored: count(|outcome| matches!(outcome, Outcome::Unscored(_))),
            failed: count(|outcome| matches!(outcome, Outcome::Failed(_))),
            refusals: refusals.iter().filter(|refusal| **refusal).count(),
            all: mean(&values(true), bootstrap)?,
            answered: mean(&values(false), bootstrap)?,
        })
    }
}

/// The scores of `metric` on `samples`, one after another. To have several judged at once, call [`RagMetric::score`] on your own runtime.
pub async fn evaluate(metric: &dyn RagMetric, samples: &[RagSample]) -> Vec<Score> {
    let mut scores = Vec::with_capacity(samples.len());
    for sample in samples {
        scores.push(metric.score(sample).await);
    }
    scores
}

fn mean(values: &[f64], bootstrap: &Bootstrap) -> Result<Option<MeanEstimate>> {
    if values.is_empty() { Ok(None) } else { bootstrap.mean(values).map(Some) }
}
