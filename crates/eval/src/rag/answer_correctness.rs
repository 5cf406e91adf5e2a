use jarre_core::{BoxFuture, Embedder};

use super::{
    Detail, Finding, RagJudge, RagMetric, RagSample,
    factual_correctness::f_beta,
    metric::version,
    semantic_similarity::similarity,
    support::{count, supported},
};
use crate::judge::Unjudged;

/// The F-beta of the statements that answer and reference share, blended with their semantic similarity: three quarters and one quarter,
/// beta 1, unless set.
///
/// True positives are the answer's statements that the reference supports, false positives its others, and false negatives the reference's
/// statements that the answer does not support. The two implementations of RAGAS differ where statements are missing; here two texts
/// that both state nothing agree, 1, one that states something and one that does not disagree, 0, and the explanation says so.
#[derive(Clone, Debug)]
pub struct AnswerCorrectness<J, E> {
    judge: J,
    embedder: E,
    beta: f64,
    factual_weight: f64,
}

impl<J: RagJudge, E: Embedder> AnswerCorrectness<J, E> {
    /// The metric as `judge` and `embedder` see it. It blocks while it embeds.
    pub fn new(judge: J, embedder: E) -> Self {
        Self { judge, embedder, beta: 1.0, factual_weight: 0.75 }
    }

    /// Weighs recall `beta` times as much as precision.
    ///
    /// # Panics
    /// Where `beta` is not finite and above 0.
    pub fn with_beta(mut self, beta: f64) -> Self {
        assert!(beta.is_finite() && beta > 0.0, "a beta of {beta} weighs nothing");
        self.beta = beta;
        self
    }

    /// Weighs statements and similarity; only their ratio matters. Without weight on similarity nothing is embedded.
    ///
    /// # Panics
    /// Where a weight is negative or not finite, or both are 0.
    pub fn with_weights(mut self, factual: f64, similarity: f64) -> Self {
        let sum = factual + similarity;
        assert!(factual >= 0.0 && similarity >= 0.0 && sum.is_finite() && sum > 0.0, "{factual} and {similarity} are no weights");
        self.factual_weight = factual / sum;
        self
    }

    async fn find(&self, sample: &RagSample) -> Result<Finding, Unjudged> {
        let reference = sample.reference()?;
        let factual = self.factual(sample, reference).await?;
        if self.factual_weight >= 1.0 {
            return Ok(factual);
        }
        let similarity = similarity(&self.embedder, &sample.answer, reference)?;
        let value = self.factual_weight * factual.value + (1.0 - self.factual_weight) * similarity;
        Ok(Finding::new(value, format!("{}; similarity {similarity:.3}", factual.explanation)))
    }

    async fn factual(&self, sample: &RagSample, reference: &str) -> Result<Finding, Unjudged> {
        let stated = self.judge.statements(&sample.question, &sample.answer, Detail::High).await?;
        let wanted = self.judge.statements(&sample.question, reference, Detail::High).await?;
        match (stated.is_empty(), wanted.is_empty()) {
            (true, true) => return Ok(Finding::new(1.0, "neither answer nor reference states anything")),
            (true, false) => return Ok(Finding::new(0.0, "the answer states nothing")),
            (false, true) => return Ok(Finding::new(0.0, "the reference states nothing")),
            (false, false) => {}
        }
        let true_positives = count(&supported(&self.judge, reference, &stated).await?);
        let found = count(&supported(&self.judge, &sample.answer, &wanted).await?);
        let (false_positives, false_negatives) = (stated.len() - true_positives, wanted.len() - found);
        let explanation = format!("{true_positives} statements are right, {false_positives} wrong, {false_negatives} missing");
        let precision = true_positives as f64 / stated.len() as f64;
        let recall = if true_positives == 0 { 0.0 } else { true_positives as f64 / (true_positives + false_negatives) as f64 };
        Ok(Finding::new(f_beta(precision, recall, self.beta), explanation))
    }
}

impl<J: RagJudge, E: Embedder> RagMetric for AnswerCorrectness<J, E> {
    fn name(&self) -> String {
        format!("answer_correctness[{}, {}]", self.judge.id().name, self.embedder.info().name)
    }

    fn version(&self) -> String {
        let settings = format!("{} {} {}", self.beta, self.factual_weight, self.embedder.info().fingerprint);
        version("answer_correctness", &self.judge.id(), &settings)
    }

    fn measure<'a>(&'a self, sample: &'a RagSample) -> BoxFuture<'a, Result<Finding, Unjudged>> {
        Box::pin(self.find(sample))
    }
}
