//! The sparse leg: BM25 over the live chunks, a term at a time.
//!
//! Documents that were replaced or removed stay in the posting lists until a compaction, but in no figure: the number of chunks, their
//! mean length and the frequency of each term are those of the live ones. So scores do not drift with the history of an index, and the
//! same content gives the same scores however it is laid out in segments: contributions are added in the order of the terms. The price
//! is that every posting of a query's terms is visited; block-max pruning would visit fewer, but its bounds do not survive changing
//! statistics.

use std::collections::BTreeMap;

use tantivy::query::Bm25Weight;

use super::{Accept, Hit, analyzer::terms, dense::offer, segment::View, state::State, topk::TopK};
use crate::Result;

/// The `k` live chunks that score best for the terms of `query`, which are OR-ed, among those that `accept` takes. Chunks that hold
/// none of them are no hits.
pub(super) fn search(state: &State, query: &str, k: usize, accept: Option<&Accept<'_>>) -> Result<Vec<Hit>> {
    let weighted = weigh(state, query)?;
    let mut best = TopK::new(k);
    for view in &state.views {
        score(view, &weighted, accept, &mut best)?;
    }
    Ok(best.into_hits())
}

/// In how many live chunks `term` stands.
pub(super) fn doc_freq(state: &State, term: &str) -> Result<u64> {
    state.views.iter().map(|view| live_rows_with(view, term)).sum()
}

fn live_rows_with(view: &View, term: &str) -> Result<u64> {
    if view.all_live() {
        return view.segment.terms.row_freq(term);
    }
    let mut count = 0;
    view.segment.terms.postings(term, |row, _| count += u64::from(view.is_live(row)))?;
    Ok(count)
}

/// The distinct terms of `query` that occur, in order; one that stands twice weighs twice.
fn weigh(state: &State, query: &str) -> Result<Vec<(String, Bm25Weight)>> {
    let mut counts: BTreeMap<String, u16> = BTreeMap::new();
    for (term, _) in terms(query) {
        let count = counts.entry(term).or_default();
        *count = count.saturating_add(1);
    }
    let chunks = state.live_rows() as u64;
    let mean_length = state.live_terms() as f32 / chunks as f32;
    let mut weighted = Vec::new();
    for (term, count) in counts {
        let frequency = doc_freq(state, &term)?;
        if frequency > 0 {
            weighted.push((term, Bm25Weight::for_one_term(frequency, chunks, mean_length).boost_by(f32::from(count))));
        }
    }
    Ok(weighted)
}

fn score<'a>(view: &'a View, weighted: &[(String, Bm25Weight)], accept: Option<&Accept<'_>>, best: &mut TopK<'a>) -> Result<()> {
    let index = &view.segment.terms;
    let mut scores = vec![0.0_f32; view.segment.len()];
    for (term, weight) in weighted {
        index.postings(term, |row, count| scores[row] += weight.score(index.norm_id(row), count))?;
    }
    for (row, &score) in scores.iter().enumerate() {
        // A term that occurs has a positive inverse document frequency, so a score of zero means that none does.
        if score > 0.0 {
            offer(view, row, score, accept, best);
        }
    }
    Ok(())
}
