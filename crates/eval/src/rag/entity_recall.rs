use std::collections::BTreeSet;

use jarre_core::BoxFuture;

use super::{
    EntityFinder, Finding, RagMetric, RagSample,
    metric::{name, undefined, version},
};
use crate::judge::Unjudged;

/// The share of the names in the reference that are names in the contexts too. Names are compared whole, in lower case, with white space
/// collapsed. Unscored where the reference names nothing; 0 where nothing was retrieved.
#[derive(Clone, Debug)]
pub struct ContextEntityRecall<F> {
    finder: F,
}

impl<F: EntityFinder> ContextEntityRecall<F> {
    /// The metric by the names that `finder` finds.
    pub fn new(finder: F) -> Self {
        Self { finder }
    }

    async fn find(&self, sample: &RagSample) -> Result<Finding, Unjudged> {
        let wanted = self.names(sample.reference()?).await?;
        if wanted.is_empty() {
            return undefined("the reference names nothing");
        }
        let retrieved = self.names(&sample.joined_contexts()).await?;
        let missing: Vec<&str> = wanted.difference(&retrieved).map(String::as_str).collect();
        let found = wanted.len() - missing.len();
        let explanation = format!("{found} of {} names are in the contexts; missing: {}", wanted.len(), missing.join(" | "));
        Ok(Finding::new(found as f64 / wanted.len() as f64, explanation))
    }

    async fn names(&self, text: &str) -> Result<BTreeSet<String>, Unjudged> {
        let fold = |name: &String| name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        Ok(self.finder.entities(text).await?.iter().map(fold).collect())
    }
}

impl<F: EntityFinder> RagMetric for ContextEntityRecall<F> {
    fn name(&self) -> String {
        name("context_entity_recall", &self.finder.id())
    }

    fn version(&self) -> String {
        version("context_entity_recall", &self.finder.id(), "")
    }

    fn measure<'a>(&'a self, sample: &'a RagSample) -> BoxFuture<'a, Result<Finding, Unjudged>> {
        Box::pin(self.find(sample))
    }
}
