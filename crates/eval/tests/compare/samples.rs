//! Runs of made-up answers.

use std::{collections::BTreeMap, time::Duration};

use jarre_core::Cost;
use jarre_eval::{DatasetRef, Outcome, Provenance, Sample, Score, compare::Side};

pub(crate) const METRIC: &str = "exact_match";

pub(crate) fn sample(item: usize, outcome: Outcome) -> Sample {
    let score = Score { scorer: METRIC.into(), version: "1".into(), outcome, explanation: None };
    let latency = Duration::from_millis(100 + (item % 10) as u64);
    Sample { item: format!("i{item:05}"), scores: vec![score], latency, cost: Cost::from_micros(50), ..Sample::default() }
}

/// A run with a figure an item.
pub(crate) fn side(name: &str, figures: impl IntoIterator<Item = f64>) -> Side {
    let samples = figures.into_iter().enumerate().map(|(item, figure)| sample(item, Outcome::Scored(figure))).collect();
    let dataset = Some(DatasetRef { name: "d".into(), digest: "x".into(), ..DatasetRef::default() });
    let scorers = BTreeMap::from([(METRIC.to_owned(), "1".to_owned())]);
    Side { name: name.into(), run: name.into(), provenance: Provenance { dataset, scorers, ..Provenance::default() }, samples }
}

/// Right on the first `right` of `n`.
pub(crate) fn share(name: &str, right: usize, n: usize) -> Side {
    side(name, (0..n).map(|item| f64::from(u8::from(item < right))))
}
