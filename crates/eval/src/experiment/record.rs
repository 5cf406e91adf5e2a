//! What a run tells the tracker of itself: settings to find it by, and figures to compare it by.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Scoring;
use crate::{
    Provenance, Result, Sample,
    compare::{Figure, Units},
    track::{RunId, SampleTexts, Tracker},
};

/// Writes the settings of a run as parameters, so that lists can be filtered and compared by them.
pub(super) fn params(tracker: &Tracker, run: &RunId, provenance: &Provenance) -> Result<()> {
    let Provenance { model, method, prompt, dataset, .. } = provenance;
    let mut params: BTreeMap<String, Value> = BTreeMap::from([("model".into(), json!(model)), ("method".into(), json!(method))]);
    params.extend(prompt.as_ref().map(|prompt| ("prompt".into(), json!(format!("{}@{}", prompt.name, prompt.version)))));
    params.extend(dataset.as_ref().map(|dataset| ("dataset".into(), json!(dataset.name))));
    let sampling = serde_json::to_value(&provenance.sampling).unwrap_or_default();
    params.extend(sampling.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
    params.iter().try_for_each(|(name, value)| tracker.set_param(run, name, value))
}

/// Writes what a run came to as metrics, at the step of as many answers as it has: the mean of each metric, answers that failed, time, tokens
/// and money.
pub(super) fn figures(tracker: &Tracker, run: &RunId, scoring: &Scoring) -> Result<()> {
    let samples = tracker.samples(run, SampleTexts::Lean)?;
    let step = samples.len() as u64;
    for metric in scoring.names() {
        let figure = Figure::of(&samples, &metric, Units::Items, 0.95)?;
        if figure.n > 0 {
            tracker.log_metric(run, &metric, step, figure.mean)?;
        }
    }
    system(&samples).into_iter().try_for_each(|(name, value)| tracker.log_metric(run, name, step, value))
}

fn system(samples: &[Sample]) -> Vec<(&'static str, f64)> {
    let mut seconds: Vec<f64> = samples.iter().filter(|sample| sample.error.is_none()).map(|sample| sample.latency.as_secs_f64()).collect();
    seconds.sort_unstable_by(f64::total_cmp);
    let at = |level: f64| seconds.get(((seconds.len() as f64 * level).ceil() as usize).saturating_sub(1)).copied();
    let tokens: u64 = samples.iter().map(|sample| sample.usage.total_tokens()).sum();
    let micros: u64 = samples.iter().map(|sample| sample.cost.micros()).sum();
    let failed = samples.iter().filter(|sample| sample.error.is_some()).count();
    let mut figures = vec![("failed", failed as f64), ("tokens", tokens as f64), ("cost_dollars", micros as f64 / 1e6)];
    figures.extend(at(0.5).map(|seconds| ("latency_p50_seconds", seconds)));
    figures.extend(at(0.95).map(|seconds| ("latency_p95_seconds", seconds)));
    figures
}
