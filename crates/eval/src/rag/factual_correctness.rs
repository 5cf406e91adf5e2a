use jarre_core::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{
    Detail, Finding, RagJudge, RagMetric, RagSample,
    metric::{name, undefined, version},
    support::{count, listed, supported},
};
use crate::judge::Unjudged;

/// How far the claims of answer and reference are the same.
///
/// Precision is the share of the answer's claims that the reference supports, recall that of the reference's claims that the answer supports,
/// each with a name of its own; F1 is their harmonic mean, 0 where both are 0. Unscored where a side that is divided by has no claims.
#[derive(Clone, Debug)]
pub struct FactualCorrectness<J> {
    judge: J,
    measure: ClaimMeasure,
    detail: Detail,
}

/// What is said of claims.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimMeasure {
    /// What the answer says is right.
    Precision,
    /// What is right is said.
    Recall,
    /// Both.
    #[default]
    F1,
}

impl<J: RagJudge> FactualCorrectness<J> {
    /// The metric as `judge` sees it.
    pub fn new(judge: J, measure: ClaimMeasure) -> Self {
        Self { judge, measure, detail: Detail::High }
    }

    /// How finely answer and reference are taken apart; high unless set.
    pub fn with_detail(mut self, detail: Detail) -> Self {
        self.detail = detail;
        self
    }

    fn metric(&self) -> &'static str {
        match self.measure {
            ClaimMeasure::Precision => "factual_correctness_precision",
            ClaimMeasure::Recall => "factual_correctness_recall",
            ClaimMeasure::F1 => "factual_correctness",
        }
    }

    async fn find(&self, sample: &RagSample) -> Result<Finding, Unjudged> {
        let reference = sample.reference()?;
        let precision = || self.share(sample, &sample.answer, reference, "the answer");
        let recall = || self.share(sample, reference, &sample.answer, "the reference");
        match self.measure {
            ClaimMeasure::Precision => precision().await,
            ClaimMeasure::Recall => recall().await,
            ClaimMeasure::F1 => {
                let (precision, recall) = (precision().await?, recall().await?);
                let explanation = format!("{}; {}", precision.explanation, recall.explanation);
                Ok(Finding::new(f_beta(precision.value, recall.value, 1.0), explanation))
            }
        }
    }

    /// The share of the claims of `text` that `other` supports.
    async fn share(&self, sample: &RagSample, text: &str, other: &str, which: &str) -> Result<Finding, Unjudged> {
        let claims = self.judge.statements(&sample.question, text, self.detail).await?;
        if claims.is_empty() {
            return undefined(format!("{which} makes no claim"));
        }
        let verdicts = supported(&self.judge, other, &claims).await?;
        let held = count(&verdicts);
        let explanation = format!("{held} of {} claims of {which} are supported{}", claims.len(), listed(&claims, &verdicts));
        Ok(Finding::new(held as f64 / claims.len() as f64, explanation))
    }
}

impl<J: RagJudge> RagMetric for FactualCorrectness<J> {
    fn name(&self) -> String {
        name(self.metric(), &self.judge.id())
    }

    fn version(&self) -> String {
        version(self.metric(), &self.judge.id(), &format!("{:?}", self.detail))
    }

    fn measure<'a>(&'a self, sample: &'a RagSample) -> BoxFuture<'a, Result<Finding, Unjudged>> {
        Box::pin(self.find(sample))
    }
}

/// `(1 + beta^2) P R / (beta^2 P + R)`, 0 where both are 0 (van Rijsbergen 1979).
pub(super) fn f_beta(precision: f64, recall: f64, beta: f64) -> f64 {
    let weight = beta.powi(2);
    let divisor = weight * precision + recall;
    if divisor > 0.0 { (1.0 + weight) * precision * recall / divisor } else { 0.0 }
}
