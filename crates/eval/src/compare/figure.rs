use serde::{Deserialize, Serialize};

use super::{Pairs, Units};
use crate::{
    Outcome, Result, Sample,
    stats::{Design, Interval, Mean, wilson},
};

/// What a run came to by one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The metric's name.
    pub metric: String,
    /// Items that have a figure.
    pub n: usize,
    /// The mean of their figures, repeats of an item first; NaN without any.
    pub mean: f64,
    /// Of the mean, as the items hang together; `None` of too few.
    pub standard_error: Option<f64>,
    /// Wilson's where every figure is right or wrong and items stand for themselves, else Student's.
    pub interval: Option<Interval>,
    /// Answers that the scorer has nothing to say of.
    pub unscored: usize,
    /// Answers that the scorer failed on, or that are none because the model failed.
    pub errors: usize,
}

impl Figure {
    /// What `samples` come to by `metric`, as their items hang together.
    ///
    /// # Errors
    /// Those of [`Units::design`].
    ///
    /// # Panics
    /// Where `confidence` is not between 0 and 1, both exclusive.
    pub fn of(samples: &[Sample], metric: &str, units: Units, confidence: f64) -> Result<Self> {
        // A run beside itself has each item's figure once.
        let pairs = Pairs::new(samples, samples, |sample| sample.value(metric));
        let (values, design) = (pairs.baseline(), units.design(&pairs)?);
        let (unscored, errors) = without_figure(samples, metric);
        let mut figure =
            Self { metric: metric.to_owned(), n: values.len(), mean: f64::NAN, standard_error: None, interval: None, unscored, errors };
        if values.is_empty() {
            return Ok(figure);
        }
        let mean = Mean::of(&values, &design)?;
        (figure.mean, figure.standard_error) = (mean.mean, mean.standard_error);
        let is_share = pairs.is_binary() && design == Design::Simple;
        let share = is_share.then(|| wilson(values.iter().sum::<f64>() as u64, values.len() as u64, confidence)).transpose()?;
        figure.interval = share.or_else(|| mean.interval(confidence));
        Ok(figure)
    }

    /// The same by every metric that any of the samples was scored by, in the order of their names.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    ///
    /// # Panics
    /// As [`of`](Self::of).
    pub fn all(samples: &[Sample], units: Units, confidence: f64) -> Result<Vec<Self>> {
        metrics(samples).into_iter().map(|metric| Self::of(samples, metric, units, confidence)).collect()
    }
}

/// The metrics that any of the samples was scored by, in the order of their names.
pub fn metrics(samples: &[Sample]) -> Vec<&str> {
    let names: std::collections::BTreeSet<&str> =
        samples.iter().flat_map(|sample| &sample.scores).map(|score| score.scorer.as_str()).collect();
    names.into_iter().collect()
}

fn without_figure(samples: &[Sample], metric: &str) -> (usize, usize) {
    let (mut unscored, mut errors) = (0, 0);
    for sample in samples {
        match sample.score(metric).map(|score| &score.outcome) {
            Some(Outcome::Scored(_)) => {}
            Some(Outcome::Failed(_)) => errors += 1,
            None if sample.error.is_some() => errors += 1,
            Some(Outcome::Unscored(_)) | None => unscored += 1,
        }
    }
    (unscored, errors)
}
