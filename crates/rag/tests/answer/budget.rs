//! What fits.

use std::sync::Arc;

use jarre_core::TokenCounter as _;
use jarre_rag::{
    Chunk, ChunkId, DocId, Document, Format, Span,
    answer::{Budget, Dropped, Omission, Passage},
    chunk::WordTokens,
};
use proptest::prelude::*;

use crate::document;

fn chunk(ordinal: u32, start: usize, end: usize) -> Chunk {
    Chunk { id: ChunkId { doc: DocId("d0".into()), ordinal }, span: Span::new(start, end), headings: Vec::new(), page: None, tokens: 1 }
}

fn passages<'a>(document: &'a Document, chunks: &'a [Chunk]) -> Vec<Passage<'a>> {
    chunks.iter().map(|chunk| Passage { document, chunk, score: 0.0, dense: None, sparse: None }).collect()
}

#[test]
fn passages_are_taken_whole_in_order_and_shorter_ones_fill_up() {
    let document = document(0, "one two three four five six seven eight nine", Format::Text);
    let chunks = [chunk(0, 0, 13), chunk(1, 14, 33), chunk(2, 34, 39)];
    let context = Budget::new(Arc::new(WordTokens), 5).fill(&passages(&document, &chunks));
    assert_eq!(context.kept, [0, 2]);
    assert_eq!(context.dropped, [Dropped { passage: 1, why: Omission::OverBudget }]);
    assert_eq!(context.tokens, 4);
}

#[test]
fn overhead_counts_for_each_passage() {
    let document = document(0, "one two three four five six", Format::Text);
    let chunks = [chunk(0, 0, 7), chunk(1, 8, 18)];
    let budget = Budget::new(Arc::new(WordTokens), 7).with_overhead(2);
    assert_eq!(budget.fill(&passages(&document, &chunks)).kept, [0]);
}

#[test]
fn overlaps_and_repetitions_are_left_out() {
    let document = document(0, "one two three four one two  three", Format::Text);
    let chunks = [chunk(0, 0, 13), chunk(1, 4, 18), chunk(2, 8, 18), chunk(3, 19, 33)];
    let context = Budget::new(Arc::new(WordTokens), 100).fill(&passages(&document, &chunks));
    let dropped: Vec<_> = context.dropped.iter().map(|dropped| (dropped.passage, dropped.why)).collect();
    assert_eq!(dropped, [(1, Omission::Overlap), (2, Omission::Overlap), (3, Omission::Duplicate)]);
}

proptest! {
    #[test]
    fn the_budget_holds_and_every_passage_is_accounted_for(
        cuts in prop::collection::vec((0_usize..100, 1_usize..60), 0..8), limit in 0_usize..60, overhead in 0_usize..5,
    ) {
        let document = document(0, &"kelp oak sea. ".repeat(12), Format::Text);
        let chunks: Vec<Chunk> = cuts.iter().enumerate().map(|(at, (start, length))| chunk(at as u32, *start, start + length)).collect();
        let passages = passages(&document, &chunks);
        let context = Budget::new(Arc::new(WordTokens), limit).with_overhead(overhead).fill(&passages);
        let cost: usize = context.kept.iter().map(|&at| overhead + WordTokens.count_tokens(passages[at].text())).sum();
        prop_assert_eq!(cost, context.tokens);
        prop_assert!(cost <= limit);
        let mut all: Vec<usize> = context.kept.iter().copied().chain(context.dropped.iter().map(|dropped| dropped.passage)).collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..passages.len()).collect::<Vec<_>>());
        prop_assert!(context.kept.is_sorted());
    }
}
