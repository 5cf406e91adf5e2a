use std::collections::BTreeSet;

use jarre_core::BoxFuture;

use super::{Finding, RagMetric, RagSample, metric::undefined};
use crate::judge::{Unjudged, digest};

/// The share of the retrieved ids that should have been retrieved. Not the average precision that [`ContextPrecision`](super::ContextPrecision)
/// is: ranks play no part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdContextPrecision;

/// The share of the ids to retrieve that were retrieved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdContextRecall;

impl RagMetric for IdContextPrecision {
    fn name(&self) -> String {
        "id_context_precision".into()
    }

    fn version(&self) -> String {
        digest(&["id_context_precision", "1"])
    }

    fn measure<'a>(&'a self, sample: &'a RagSample) -> BoxFuture<'a, Result<Finding, Unjudged>> {
        Box::pin(async move { share(sample, &sample.context_ids) })
    }
}

impl RagMetric for IdContextRecall {
    fn name(&self) -> String {
        "id_context_recall".into()
    }

    fn version(&self) -> String {
        digest(&["id_context_recall", "1"])
    }

    fn measure<'a>(&'a self, sample: &'a RagSample) -> BoxFuture<'a, Result<Finding, Unjudged>> {
        Box::pin(async move { share(sample, &sample.reference_ids) })
    }
}

/// The ids that both lists have, as a share of `of`, each id once.
fn share(sample: &RagSample, of: &[String]) -> Result<Finding, Unjudged> {
    let (retrieved, wanted) = (set(&sample.context_ids), set(&sample.reference_ids));
    if wanted.is_empty() {
        return undefined("the sample does not say what should have been retrieved");
    }
    let of = set(of);
    if of.is_empty() {
        return undefined("nothing was retrieved");
    }
    let both = retrieved.intersection(&wanted).count();
    let explanation = format!("{both} of {} ids retrieved and {} to retrieve are the same", retrieved.len(), wanted.len());
    Ok(Finding::new(both as f64 / of.len() as f64, explanation))
}

fn set(ids: &[String]) -> BTreeSet<&str> {
    ids.iter().map(String::as_str).collect()
}
