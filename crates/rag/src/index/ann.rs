//! A graph over the vectors of a large segment, so that a search visits few of them: `hnsw_rs`, with what it lacks put around it.
//!
//! - Segments never change, so the graph is never updated: removed documents are skipped when found, and compaction makes a new segment,
//!   whose graph is built anew, before they are more than a fifth.
//! - Insertion leaves a few points that no path leads to (many before 0.3.5: its issue 37). After the build every vector is searched for,
//!   and those not found are compared with each query.
//! - A filter, or the removed, can leave too few of the neighbours found: then more are asked for, and at last every vector is compared.

use std::fmt;

use hnsw_rs::{anndists::dist::distances::Distance, hnsw::Hnsw};

use super::{
    Accept, Hit,
    dense::{Query, dot_products, scan, scan_rows},
    segment::View,
    state::State,
    topk::TopK,
    vectors::Vectors,
};

/// How graphs are built and searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AnnConfig {
    /// Segments of fewer chunks are scanned.
    pub threshold: usize,
    /// Neighbours that a point keeps in each layer (M), at most 256.
    pub connections: usize,
    /// Candidates considered when a point is added.
    pub ef_construction: usize,
    /// Candidates considered in a search, if not more are asked for.
    pub ef_search: usize,
}

impl Default for AnnConfig {
    /// A graph from 150,000 chunks on: there a scan of 384 dimensions reads 230 MB for each query, 10 to 30 ms on two cores, depending on
    /// what else uses the memory. M 16, 200 candidates to build, 128 to search.
    fn default() -> Self {
        Self { threshold: 150_000, connections: 16, ef_construction: 200, ef_search: 128 }
    }
}

impl AnnConfig {
    /// Builds graphs for segments of this many chunks or more.
    pub fn with_threshold(self, threshold: usize) -> Self {
        Self { threshold, ..self }
    }

    /// Considers this many candidates in a search: more find more and take longer.
    pub fn with_ef_search(self, ef_search: usize) -> Self {
        Self { ef_search, ..self }
    }
}

/// The most layers that `hnsw_rs` allows.
const LAYERS: usize = 16;

/// The widths of the search that each vector must be found by after the build.
const PROBE: (usize, usize) = (8, 64);

/// Asking for more than one part in this many of a segment is not cheaper than a scan.
const SCAN_PART: usize = 16;

/// The graph of a segment.
pub(super) struct Graph {
    points: Hnsw<'static, f32, OneMinusProduct>,
    /// Rows that a search for their own vector did not find, ascending.
    unreachable: Vec<usize>,
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Graph").field("points", &self.points.get_nb_point()).field("unreachable", &self.unreachable.len()).finish()
    }
}

/// Builds the graph of a view's segment, where it is large enough and has none.
pub(super) fn build(view: &View, config: AnnConfig) {
    if view.segment.len() >= config.threshold {
        view.segment.graph.get_or_init(|| Graph::new(&view.segment.vectors, config));
    }
}

/// As [`dense::search`](super::dense::search), through the graphs that there are.
pub(super) fn search(state: &State, query: Query<'_>, k: usize, accept: Option<&Accept<'_>>, config: AnnConfig) -> Vec<Hit> {
    let mut best = TopK::new(k);
    for view in &state.views {
        let rows = view.segment.graph.get().and_then(|graph| graph.neighbours(view, query, k, accept, config));
        match rows {
            Some(rows) => scan_rows(view, rows.into_iter(), query, accept, &mut best),
            None => scan(view, query, accept, &mut best),
        }
    }
    best.into_hits()
}

impl Graph {
    /// Points are inserted one after another: in parallel they would make another graph each time.
    fn new(vectors: &Vectors, config: AnnConfig) -> Self {
        let points = Hnsw::new(config.connections.clamp(2, 256), vectors.len(), LAYERS, config.ef_construction, OneMinusProduct);
        for row in 0..vectors.len() {
            points.insert((&unit(vectors, row), row));
        }
        let found = |row: usize| points.search(&unit(vectors, row), PROBE.0, PROBE.1).iter().any(|found| found.d_id == row);
        let unreachable = (0..vectors.len()).filter(|&row| !found(row)).collect();
        Self { points, unreachable }
    }

    /// Rows among which are the `k` nearest that are live and accepted; `None` where a scan is the better way to them.
    fn neighbours(&self, view: &View, query: Query<'_>, k: usize, accept: Option<&Accept<'_>>, config: AnnConfig) -> Option<Vec<usize>> {
        let unit: Vec<f32> = query.values.iter().map(|value| value * query.inverse_length).collect();
        let wanted = |row: &usize| {
            let (document, chunk) = view.segment.at(*row);
            view.is_live(*row) && accept.is_none_or(|accept| accept(document, chunk))
        };
        let mut fetch = k.saturating_mul(2).saturating_add(16);
        while fetch <= view.segment.len() / SCAN_PART {
            let found = self.points.search(&unit, fetch, config.ef_search.max(fetch));
            let mut rows: Vec<usize> = found.iter().map(|found| found.d_id).filter(wanted).collect();
            if rows.len() >= k {
                rows.extend(self.unreachable.iter().filter(|row| !rows.contains(row)).collect::<Vec<_>>());
                return Some(rows);
            }
            fetch *= 4;
        }
        None
    }
}

fn unit(vectors: &Vectors, row: usize) -> Vec<f32> {
    let inverse_length = vectors.inverse_length(row);
    vectors.row(row).iter().map(|value| value * inverse_length).collect()
}

/// One minus the dot product: the cosine distance of unit vectors. Rounding must not take it below zero, which `hnsw_rs` asserts.
#[derive(Clone, Copy, Debug, Default)]
struct OneMinusProduct;

impl Distance<f32> for OneMinusProduct {
    fn eval(&self, a: &[f32], b: &[f32]) -> f32 {
        let mut product = [0.0];
        dot_products(a, b, &mut product);
        (1.0 - product[0]).max(0.0)
    }
}
