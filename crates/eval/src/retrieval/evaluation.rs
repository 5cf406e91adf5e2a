use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Judgements, Metric, Qrels, Run, metric};
use crate::{
    Error, Result,
    stats::{Bootstrap, MeanEstimate, PairedDifference},
};

/// What becomes of a judged query for which a run holds nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingQueries {
    /// It scores 0, as with `trec_eval -c`: a system cannot gain by staying silent.
    #[default]
    Zero,
    /// It is left out, which is what `trec_eval` does when it is not told otherwise.
    Skip,
}

/// The scores of one run, a value a metric and query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    metrics: Vec<Metric>,
    queries: BTreeMap<String, Vec<f64>>,
}

impl Evaluation {
    /// Scores `run` by each of `metrics` on every judged query; queries of the run that are not judged are ignored.
    pub fn new(qrels: &Qrels, run: &Run, metrics: &[Metric], missing: MissingQueries) -> Self {
        let covered = qrels.iter().filter(|(query, _)| missing == MissingQueries::Zero || run.contains(query));
        let queries = covered.map(|(query, judgements)| (query.to_owned(), scores(run, query, judgements, metrics))).collect();
        Self { metrics: metrics.to_vec(), queries }
    }

    /// The metrics computed, in the order asked for.
    pub fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    /// Number of queries scored.
    pub fn len(&self) -> usize {
        self.queries.len()
    }

    /// Whether no query was scored.
    pub fn is_empty(&self) -> bool {
        self.queries.is_empty()
    }

    /// The value of `metric` for each query, in order of query ids.
    ///
    /// # Errors
    /// [`Error::MetricNotEvaluated`].
    pub fn values(&self, metric: Metric) -> Result<Vec<(&str, f64)>> {
        let column = self.metrics.iter().position(|other| *other == metric).ok_or(Error::MetricNotEvaluated(metric.to_string()))?;
        Ok(self.queries.iter().map(|(query, scores)| (query.as_str(), scores[column])).collect())
    }

    /// The mean of `metric` over queries, with its intervals.
    ///
    /// # Errors
    /// [`Error::MetricNotEvaluated`]; [`Error::EmptySample`] where no query was scored.
    pub fn mean(&self, metric: Metric, bootstrap: &Bootstrap) -> Result<MeanEstimate> {
        bootstrap.mean(&self.column(metric)?)
    }

    /// How far the mean of `metric` lies above that of `baseline`, query by query, with its intervals.
    ///
    /// # Errors
    /// [`Error::MetricNotEvaluated`] by either side; [`Error::UnpairedQueries`] where they scored different queries;
    /// [`Error::EmptySample`] where none.
    pub fn difference(&self, baseline: &Self, metric: Metric, bootstrap: &Bootstrap) -> Result<PairedDifference> {
        self.check_paired(baseline)?;
        bootstrap.paired_difference(&baseline.column(metric)?, &self.column(metric)?)
    }

    fn column(&self, metric: Metric) -> Result<Vec<f64>> {
        Ok(self.values(metric)?.into_iter().map(|(_, value)| value).collect())
    }

    fn check_paired(&self, other: &Self) -> Result<()> {
        let (first, second): (BTreeSet<_>, BTreeSet<_>) = (self.queries.keys().collect(), other.queries.keys().collect());
        let (only_first, only_second) = (first.difference(&second).count(), second.difference(&first).count());
        if only_first + only_second == 0 { Ok(()) } else { Err(Error::UnpairedQueries { only_first, only_second }) }
    }
}

fn scores(run: &Run, query: &str, judgements: &Judgements, metrics: &[Metric]) -> Vec<f64> {
    let ranked: Vec<&str> = run.get(query).iter().map(|retrieved| retrieved.document.as_str()).collect();
    let levels = metric::levels(&ranked, judgements);
    metrics.iter().map(|metric| metric.score_levels(&levels, judgements)).collect()
}
