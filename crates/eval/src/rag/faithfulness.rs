use jarre_core::BoxFuture;

use super::{
    Detail, Finding, RagJudge, RagMetric, RagSample,
    metric::{name, undefined, version},
    support::{count, listed, supported},
};
use crate::judge::Unjudged;

/// The share of the answer's statements that follow from the contexts.
///
/// `supported / statements`, over the statements that the judge found, whether it gave a verdict on each or not. An answer without
/// statements is unscored. Statements made where nothing was retrieved rest on nothing: 0.
#[derive(Clone, Debug)]
pub struct Faithfulness<J> {
    judge: J,
}

impl<J: RagJudge> Faithfulness<J> {
    /// The metric as `judge` sees it.
    pub fn new(judge: J) -> Self {
        Self { judge }
    }

    async fn find(&self, sample: &RagSample) -> Result<Finding, Unjudged> {
        let statements = self.judge.statements(&sample.question, &sample.answer, Detail::High).await?;
        if statements.is_empty() {
            return undefined("the answer makes no statement");
        }
        let verdicts = supported(&self.judge, &sample.joined_contexts(), &statements).await?;
        let (held, all) = (count(&verdicts), statements.len());
        let explanation = format!("{held} of {all} statements follow from the contexts{}", listed(&statements, &verdicts));
        Ok(Finding::new(held as f64 / all as f64, explanation))
    }
}

impl<J: RagJudge> RagMetric for Faithfulness<J> {
    fn name(&self) -> String {
        name("faithfulness", &self.judge.id())
    }

    fn version(&self) -> String {
        version("faithfulness", &self.judge.id(), "")
    }

    fn measure<'a>(&'a self, sample: &'a RagSample) -> BoxFuture<'a, Result<Finding, Unjudged>> {
        Box::pin(self.find(sample))
    }
}
