use jarre_core::BoxFuture;

use super::RagSample;
use crate::{
    Outcome, Score,
    judge::{JudgeId, Unjudged, digest},
};

/// A metric of retrieval-augmented answers.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a metric of retrieval-augmented answers")]
pub trait RagMetric: Send + Sync {
    /// The metric's name, with the judge and the embedder that it depends on in brackets.
    fn name(&self) -> String;

    /// Changes whenever the same sample could get another figure.
    fn version(&self) -> String;

    /// The figure of `sample` and what it is made of, or why there is none.
    fn measure<'a>(&'a self, sample: &'a RagSample) -> BoxFuture<'a, Result<Finding, Unjudged>>;

    /// The same as a [`Score`].
    fn score<'a>(&'a self, sample: &'a RagSample) -> BoxFuture<'a, Score> {
        Box::pin(async move {
            let (outcome, explanation) = match self.measure(sample).await {
                Ok(finding) => (Outcome::of(finding.value), Some(finding.explanation)),
                Err(unjudged) => (unjudged.into(), None),
            };
            Score { scorer: self.name(), version: self.version(), outcome, explanation }
        })
    }
}

macro_rules! forward_metric {
    ($($pointer:ty),*) => {
        $(impl<M: RagMetric + ?Sized> RagMetric for $pointer {
            fn name(&self) -> String {
                (**self).name()
            }

            fn version(&self) -> String {
                (**self).version()
            }

            fn measure<'a>(&'a self, sample: &'a RagSample) -> BoxFuture<'a, Result<Finding, Unjudged>> {
                (**self).measure(sample)
            }
        })*
    };
}

forward_metric!(&M, Box<M>, std::sync::Arc<M>);

/// A figure, and what it is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The figure.
    pub value: f64,
    /// What it is made of, in words.
    pub explanation: String,
}

impl Finding {
    pub(super) fn new(value: f64, explanation: impl Into<String>) -> Self {
        Self { value, explanation: explanation.into() }
    }
}

/// `metric[judge]`.
pub(super) fn name(metric: &str, judge: &JudgeId) -> String {
    format!("{metric}[{}]", judge.name)
}

/// Digest of the metric's own version, its judge's and its settings.
pub(super) fn version(metric: &str, judge: &JudgeId, settings: &str) -> String {
    digest(&[metric, "1", &judge.version, settings])
}

pub(super) fn undefined<T>(why: impl Into<String>) -> Result<T, Unjudged> {
    Err(Unjudged::Unreadable(why.into()))
}
