use jarre_core::{BoxFuture, Embedder};

use super::{
    Finding, RagMetric, RagSample,
    metric::{undefined, version},
};
use crate::judge::{JudgeId, Unjudged};

/// The cosine of the answer's and the reference's embeddings, between -1 and 1. What it is worth depends on the embedder, which is named:
/// most give unrelated texts well above 0.
#[derive(Clone, Debug)]
pub struct SemanticSimilarity<E> {
    embedder: E,
}

impl<E: Embedder> SemanticSimilarity<E> {
    /// The metric as `embedder` sees it. It blocks while it embeds.
    pub fn new(embedder: E) -> Self {
        Self { embedder }
    }

    fn find(&self, sample: &RagSample) -> Result<Finding, Unjudged> {
        let reference = sample.reference()?;
        if sample.answer.trim().is_empty() || reference.trim().is_empty() {
            return undefined("the answer or the reference is empty");
        }
        Ok(Finding::new(similarity(&self.embedder, &sample.answer, reference)?, "cosine of answer and reference"))
    }
}

impl<E: Embedder> RagMetric for SemanticSimilarity<E> {
    fn name(&self) -> String {
        format!("semantic_similarity[{}]", self.embedder.info().name)
    }

    fn version(&self) -> String {
        version("semantic_similarity", &JudgeId::default(), &self.embedder.info().fingerprint)
    }

    fn measure<'a>(&'a self, sample: &'a RagSample) -> BoxFuture<'a, Result<Finding, Unjudged>> {
        Box::pin(async move { self.find(sample) })
    }
}

/// The cosine of two texts' embeddings.
pub(super) fn similarity(embedder: &dyn Embedder, first: &str, second: &str) -> Result<f64, Unjudged> {
    similarities(embedder, first, &[second]).map(|similarities| similarities[0])
}

/// The cosines of `text` with each of `others`.
pub(super) fn similarities(embedder: &dyn Embedder, text: &str, others: &[&str]) -> Result<Vec<f64>, Unjudged> {
    let texts: Vec<&str> = std::iter::once(text).chain(others.iter().copied()).collect();
    let vectors = embedder.embed(&texts)?;
    if vectors.len() != texts.len() {
        return undefined("the embedder left texts out");
    }
    (1..texts.len()).map(|row| cosine(vectors.row(0), vectors.row(row))).collect()
}

fn cosine(first: &[f32], second: &[f32]) -> Result<f64, Unjudged> {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let cosine = dot(first, second) / (dot(first, first) * dot(second, second)).sqrt();
    if cosine.is_finite() { Ok(cosine.clamp(-1.0, 1.0)) } else { undefined("an embedding has no direction") }
}
