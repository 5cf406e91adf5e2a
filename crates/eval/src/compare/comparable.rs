use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Provenance;

/// Something that two runs do not have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discrepancy {
    /// What: `dataset`, `scorer exact_match`, `model`.
    pub field: String,
    /// What the first run has.
    pub baseline: String,
    /// What the second run has.
    pub candidate: String,
    /// Whether it makes the runs incomparable: they did not answer the same items, or were not scored alike. What else differs is what the
    /// comparison is about, or may explain it.
    pub forbids: bool,
}

/// What tells two runs apart, that which forbids to compare them first. `metrics` are those to be compared.
pub fn discrepancies(baseline: &Provenance, candidate: &Provenance, metrics: &[&str]) -> Vec<Discrepancy> {
    let dataset = |run: &Provenance| run.dataset.as_ref().map(|data| format!("{} {} ({} items)", data.name, data.digest, data.items));
    let digest = |run: &Provenance| run.dataset.as_ref().map(|data| data.digest.clone());
    let prompt = |run: &Provenance| run.prompt.as_ref().map(|prompt| format!("{}@{} {}", prompt.name, prompt.version, prompt.digest));
    let sampling = |run: &Provenance| serde_json::to_string(&run.sampling).ok();
    let mut found = Vec::new();
    if digest(baseline) != digest(candidate) {
        found.extend(differing("dataset", dataset(baseline), dataset(candidate), true));
    }
    for metric in metrics {
        let version = |run: &Provenance| run.scorers.get(*metric).cloned();
        found.extend(differing(&format!("scorer {metric}"), version(baseline), version(candidate), true));
    }
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    found.extend(differing("model", text(&baseline.model), text(&candidate.model), false));
    found.extend(differing("prompt", prompt(baseline), prompt(candidate), false));
    found.extend(differing("method", text(&baseline.method), text(&candidate.method), false));
    found.extend(differing("sampling", sampling(baseline), sampling(candidate), false));
    found.extend(differing("git", baseline.git.clone(), candidate.git.clone(), false));
    found.extend(environments(&baseline.environment, &candidate.environment));
    found
}

fn environments(baseline: &BTreeMap<String, Value>, candidate: &BTreeMap<String, Value>) -> Vec<Discrepancy> {
    let names: BTreeSet<&String> = baseline.keys().chain(candidate.keys()).collect();
    let text = |run: &BTreeMap<String, Value>, name: &String| {
        run.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    names.into_iter().filter_map(|name| differing(name, text(baseline, name), text(candidate, name), false)).collect()
}

fn differing(field: &str, baseline: Option<String>, candidate: Option<String>, forbids: bool) -> Option<Discrepancy> {
    let said = |value: Option<String>| value.unwrap_or_else(|| "none".into());
    (baseline != candidate).then(|| Discrepancy { field: field.to_owned(), baseline: said(baseline), candidate: said(candidate), forbids })
}
