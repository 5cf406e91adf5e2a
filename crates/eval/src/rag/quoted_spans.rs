use std::sync::LazyLock;

use jarre_core::BoxFuture;
use regex::Regex;

use super::{Finding, RagMetric, RagSample, metric::undefined};
use crate::judge::{Unjudged, digest};

/// The share of the answer's quotations, of three words or more, that stand in the contexts word by word, whatever the case and white
/// space. Unscored where the answer quotes nothing. Quotations are what stands between `"`, `“ ”`, `„ “` or `« »` without a blank line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuotedSpans;

impl RagMetric for QuotedSpans {
    fn name(&self) -> String {
        "quoted_spans".into()
    }

    fn version(&self) -> String {
        digest(&["quoted_spans", "1"])
    }

    fn measure<'a>(&'a self, sample: &'a RagSample) -> BoxFuture<'a, Result<Finding, Unjudged>> {
        Box::pin(async move {
            let quotations = quotations(&sample.answer);
            if quotations.is_empty() {
                return undefined("the answer quotes nothing");
            }
            let contexts: Vec<String> = sample.contexts.iter().map(|context| folded(context)).collect();
            let (found, made_up): (Vec<_>, Vec<_>) =
                quotations.iter().partition(|quotation| contexts.iter().any(|context| context.contains(quotation.as_str())));
            let all = quotations.len();
            let explanation = format!("{} of {all} quotations stand in the contexts; not found: {made_up:?}", found.len());
            Ok(Finding::new(found.len() as f64 / all as f64, explanation))
        })
    }
}

/// The quotations of three words or more, folded.
fn quotations(answer: &str) -> Vec<String> {
    static QUOTED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("\"([^\"]+)\"|[“„]([^“”„]+)[”“]|«([^«»]+)»").expect("the pattern is well-formed"));
    let inner = |found: regex::Captures<'_>| found.iter().skip(1).flatten().map(|group| group.as_str().to_owned()).next();
    let paragraphs = answer.split("\n\n");
    let quoted = paragraphs.flat_map(|paragraph| QUOTED.captures_iter(paragraph).filter_map(inner).collect::<Vec<_>>());
    quoted.filter(|quotation| quotation.split_whitespace().count() >= 3).map(|quotation| folded(&quotation)).collect()
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
