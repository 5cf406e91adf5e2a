use jarre_core::BoxFuture;

use super::{
    Finding, RagJudge, RagMetric, RagSample,
    metric::{name, undefined, version},
};
use crate::judge::Unjudged;

/// Whether the contexts that help stand before those that do not: the average precision of the retrieved list,
/// `sum_k P@k v_k / sum_k v_k`, where `v_k` says whether context k helps to reach the answer.
///
/// What was not retrieved costs nothing: a single context that helps, at rank 1, is worth 1 whatever is missing or follows. 0 where none
/// helps; unscored where nothing was retrieved.
#[derive(Clone, Debug)]
pub struct ContextPrecision<J> {
    judge: J,
    by_answer: bool,
}

impl<J: RagJudge> ContextPrecision<J> {
    /// Holds contexts against the reference.
    pub fn new(judge: J) -> Self {
        Self { judge, by_answer: false }
    }

    /// Holds contexts against the answer itself, as `context_precision_without_reference`: a wrong answer makes the contexts right that it
    /// was drawn from.
    pub fn without_reference(judge: J) -> Self {
        Self { judge, by_answer: true }
    }

    fn metric(&self) -> &'static str {
        if self.by_answer { "context_precision_without_reference" } else { "context_precision" }
    }

    async fn find(&self, sample: &RagSample) -> Result<Finding, Unjudged> {
        let answer = if self.by_answer { sample.answer.as_str() } else { sample.reference()? };
        if sample.contexts.is_empty() {
            return undefined("nothing was retrieved");
        }
        let mut useful = Vec::with_capacity(sample.contexts.len());
        for context in &sample.contexts {
            useful.push(self.judge.is_useful(&sample.question, context, answer).await?);
        }
        Ok(ranked(&useful))
    }
}

impl<J: RagJudge> RagMetric for ContextPrecision<J> {
    fn name(&self) -> String {
        name(self.metric(), &self.judge.id())
    }

    fn version(&self) -> String {
        version(self.metric(), &self.judge.id(), "")
    }

    fn measure<'a>(&'a self, sample: &'a RagSample) -> BoxFuture<'a, Result<Finding, Unjudged>> {
        Box::pin(self.find(sample))
    }
}

/// The average precision of a list of which these help, and which ranks they have.
pub(super) fn ranked(useful: &[bool]) -> Finding {
    let ranks: Vec<usize> = useful.iter().enumerate().filter(|(_, useful)| **useful).map(|(index, _)| index + 1).collect();
    let precisions = ranks.iter().enumerate().map(|(before, rank)| (before + 1) as f64 / *rank as f64);
    let value = if ranks.is_empty() { 0.0 } else { precisions.sum::<f64>() / ranks.len() as f64 };
    Finding::new(value, format!("of {} contexts, those at ranks {ranks:?} help", useful.len()))
}
