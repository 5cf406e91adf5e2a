use jarre_core::BoxFuture;

use super::{
    Detail, Finding, RagJudge, RagMetric, RagSample,
    metric::{name, undefined, version},
    support::{count, listed, supported},
};
use crate::judge::Unjudged;

/// The share of the reference's statements that follow from the contexts: whether enough was retrieved to answer. Unscored where the
/// reference states nothing; 0 where nothing was retrieved.
#[derive(Clone, Debug)]
pub struct ContextRecall<J> {
    judge: J,
}

impl<J: RagJudge> ContextRecall<J> {
    /// The metric as `judge` sees it.
    pub fn new(judge: J) -> Self {
        Self { judge }
    }

    async fn find(&self, sample: &RagSample) -> Result<Finding, Unjudged> {
        let statements = self.judge.statements(&sample.question, sample.reference()?, Detail::Low).await?;
        if statements.is_empty() {
            return undefined("the reference makes no statement");
        }
        let verdicts = supported(&self.judge, &sample.joined_contexts(), &statements).await?;
        let (held, all) = (count(&verdicts), statements.len());
        let explanation = format!("{held} of {all} statements of the reference follow from the contexts{}", listed(&statements, &verdicts));
        Ok(Finding::new(held as f64 / all as f64, explanation))
    }
}

impl<J: RagJudge> RagMetric for ContextRecall<J> {
    fn name(&self) -> String {
        name("context_recall", &self.judge.id())
    }

    fn version(&self) -> String {
        version("context_recall", &self.judge.id(), "")
    }

    fn measure<'a>(&'a self, sample: &'a RagSample) -> BoxFuture<'a, Result<Finding, Unjudged>> {
        Box::pin(self.find(sample))
    }
}
