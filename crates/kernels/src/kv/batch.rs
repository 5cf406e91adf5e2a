//! Which queries and keys belong together.

use std::ops::Range;

use super::cache::KvShape;

/// Sequences whose keys lie in a cache; their queries stand one after another.
#[derive(Clone, Copy, Debug)]
pub struct RaggedBatch<'a> {
    /// The first query of each sequence, and after the last one the number of queries: `cu_seqlens_q`.
    pub query_starts: &'a [usize],
    /// Of each sequence the blocks that its positions lie in, `block_size` positions each.
    pub block_tables: &'a [&'a [u32]],
    /// Positions of each sequence, those of its queries included: query `i` of `q` stands at position `context_len - q + i`.
    pub context_lens: &'a [usize],
}

/// How scores are made and which keys are seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Multiplies scores.
    pub scale: f32,
    /// Then they become `c tanh(score / c)`, unless it is 0.
    pub softcap: f32,
    /// Keys that a query sees at most, itself counted: those just before it. All without it.
    pub window: Option<usize>,
}

impl Default for Settings {
    /// Scores as they are, of all keys.
    fn default() -> Self {
        Self { scale: 1.0, softcap: 0.0, window: None }
    }
}

/// One sequence of a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sequence<'a> {
    pub(super) first_query: usize,
    pub(super) queries: usize,
    /// Its positions.
    context: usize,
    pub(super) blocks: &'a [u32],
    window: usize,
}

impl Sequence<'_> {
    /// Positions that a query sees: at least its own.
    pub(super) fn seen(&self, query: usize) -> Range<usize> {
        let end = self.context - self.queries + query + 1;
        end.saturating_sub(self.window)..end
    }
}

/// The sequences of a batch, none of which goes beyond its blocks.
pub(super) fn sequences<'a>(shape: &KvShape, batch: &RaggedBatch<'a>, window: Option<usize>) -> Vec<Sequence<'a>> {
    let RaggedBatch { query_starts, block_tables, context_lens } = *batch;
    let starts = query_starts.len().saturating_sub(1);
    assert_eq!([block_tables.len(), context_lens.len()], [starts; 2], "block tables and context lengths of {starts} sequences");
    assert!(window != Some(0), "a window of 0 keys leaves queries nothing to see; use None for all keys");
    assert!(query_starts.first().is_none_or(|&first| first == 0), "the first sequence starts at query 0");
    let sequence = |(index, starts): (usize, &[usize])| {
        assert!(starts[0] <= starts[1], "starts of sequences ascend");
        let [queries, context] = [starts[1] - starts[0], context_lens[index]];
        assert!(queries <= context, "sequence {index} has {queries} queries in a context of {context}, which includes them");
        let window = window.unwrap_or(usize::MAX);
        let sequence = Sequence { first_query: starts[0], queries, context, blocks: block_tables[index], window };
        check_blocks(shape, index, &sequence);
        sequence
    };
    query_starts.windows(2).enumerate().map(sequence).collect()
}

/// Blocks before a window may be gone; the others must be there.
fn check_blocks(shape: &KvShape, index: usize, sequence: &Sequence<'_>) {
    if sequence.queries == 0 {
        return;
    }
    let (needed, given) = (sequence.context.div_ceil(shape.block_size), sequence.blocks.len());
    assert!(needed <= given, "sequence {index} has {given} blocks, and its {} positions need {needed}", sequence.context);
    let first = sequence.seen(0).start / shape.block_size;
    for (place, &block) in sequence.blocks[..needed].iter().enumerate().skip(first) {
        assert!((block as usize) < shape.blocks, "block {place} of sequence {index} is {block}; the cache has {}", shape.blocks);
    }
}
