use jarre_core::BoxFuture;

use super::{Finding, RagMetric, RagSample, context_precision::ranked, metric::undefined};
use crate::{
    judge::{Unjudged, digest},
    text::edit_similarity,
};

/// Context precision without a judge: a context helps where it is at least half alike to one that should have been retrieved, by edit
/// similarity (1 less the normalised Levenshtein distance).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NonLlmContextPrecision;

/// The share of the contexts that should have been retrieved and to which a retrieved one is more than half alike, by edit similarity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NonLlmContextRecall;

impl RagMetric for NonLlmContextPrecision {
    fn name(&self) -> String {
        "non_llm_context_precision".into()
    }

    fn version(&self) -> String {
        digest(&["non_llm_context_precision", "1"])
    }

    fn measure<'a>(&'a self, sample: &'a RagSample) -> BoxFuture<'a, Result<Finding, Unjudged>> {
        Box::pin(async move {
            check(sample)?;
            let useful = |context: &String| closest(context, &sample.reference_contexts) >= 0.5;
            Ok(ranked(&sample.contexts.iter().map(useful).collect::<Vec<_>>()))
        })
    }
}

impl RagMetric for NonLlmContextRecall {
    fn name(&self) -> String {
        "non_llm_context_recall".into()
    }

    fn version(&self) -> String {
        digest(&["non_llm_context_recall", "1"])
    }

    fn measure<'a>(&'a self, sample: &'a RagSample) -> BoxFuture<'a, Result<Finding, Unjudged>> {
        Box::pin(async move {
            if sample.reference_contexts.is_empty() {
                return undefined(NO_REFERENCE);
            }
            let all = sample.reference_contexts.len();
            let found = sample.reference_contexts.iter().filter(|wanted| closest(wanted, &sample.contexts) > 0.5).count();
            Ok(Finding::new(found as f64 / all as f64, format!("{found} of {all} contexts to retrieve were retrieved")))
        })
    }
}

const NO_REFERENCE: &str = "the sample does not say what should have been retrieved";

fn check(sample: &RagSample) -> Result<(), Unjudged> {
    if sample.reference_contexts.is_empty() {
        return undefined(NO_REFERENCE);
    }
    if sample.contexts.is_empty() { undefined("nothing was retrieved") } else { Ok(()) }
}

/// The highest similarity of `text` to one of `others`; 0 without others.
fn closest(text: &str, others: &[String]) -> f64 {
    others.iter().map(|other| edit_similarity(text, other)).fold(0.0, f64::max)
}
