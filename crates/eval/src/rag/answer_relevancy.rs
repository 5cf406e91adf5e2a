use std::num::NonZeroU32;

use jarre_core::{BoxFuture, Embedder};

use super::{
    Finding, QuestionWriter, RagMetric, RagSample,
    metric::{undefined, version},
    semantic_similarity::similarities,
};
use crate::judge::Unjudged;

/// Whether the answer is about the question: the mean cosine of the question with questions that were made of the answer, three unless set.
///
/// 0 where all of them call the answer noncommittal: a refusal, however right, answers nothing, which is why
/// [`RagFigure`](super::RagFigure) gives the mean without refusals too. Unscored where no question could be made. A cosine can be negative.
#[derive(Clone, Debug)]
pub struct AnswerRelevancy<W, E> {
    writer: W,
    embedder: E,
    strictness: NonZeroU32,
}

impl<W: QuestionWriter, E: Embedder> AnswerRelevancy<W, E> {
    /// Questions of `writer`, compared by `embedder`, which blocks while it embeds.
    pub fn new(writer: W, embedder: E) -> Self {
        Self { writer, embedder, strictness: NonZeroU32::MIN.saturating_add(2) }
    }

    /// Has this many questions made.
    pub fn with_strictness(mut self, questions: NonZeroU32) -> Self {
        self.strictness = questions;
        self
    }

    async fn find(&self, sample: &RagSample) -> Result<Finding, Unjudged> {
        if sample.answer.trim().is_empty() {
            return undefined("the answer is empty");
        }
        let mut posed = Vec::new();
        for repeat in 0..self.strictness.get() {
            posed.push(self.writer.question(&sample.answer, repeat).await?);
        }
        let questions: Vec<&str> = posed.iter().map(|posed| posed.question.as_str()).filter(|question| !question.is_empty()).collect();
        if questions.is_empty() {
            return undefined("no question could be made of the answer");
        }
        if posed.iter().all(|posed| posed.noncommittal) {
            return Ok(Finding::new(0.0, "the answer is noncommittal"));
        }
        let cosines = similarities(&self.embedder, &sample.question, &questions)?;
        Ok(Finding::new(cosines.iter().sum::<f64>() / cosines.len() as f64, format!("it answers: {}", questions.join(" | "))))
    }
}

impl<W: QuestionWriter, E: Embedder> RagMetric for AnswerRelevancy<W, E> {
    fn name(&self) -> String {
        format!("answer_relevancy[{}, {}]", self.writer.id().name, self.embedder.info().name)
    }

    fn version(&self) -> String {
        version("answer_relevancy", &self.writer.id(), &format!("{} {}", self.strictness, self.embedder.info().fingerprint))
    }

    fn measure<'a>(&'a self, sample: &'a RagSample) -> BoxFuture<'a, Result<Finding, Unjudged>> {
        Box::pin(self.find(sample))
    }
}
