use jarre_kernels::kv::RaggedBatch;

use super::adapter::PagedAdapter;

/// What one step reads: new tokens of sequences, those of a sequence one after another, the last of them being its last position.
#[derive(Clone, Copy, Debug)]
pub struct PagedBatch<'a> {
    /// The new tokens of all sequences.
    pub tokens: &'a [u32],
    /// The first token of each sequence, and after the last one the number of tokens.
    pub query_starts: &'a [usize],
    /// Tokens of each sequence, cached and new: token `i` of `q` new ones stands at position `context_len - q + i`.
    pub context_lens: &'a [usize],
    /// The blocks of each sequence, `block_size` positions each, with room for its new tokens.
    pub block_tables: &'a [&'a [u32]],
    /// The adapter of each sequence, where it has one; nothing where none has.
    pub adapters: &'a [Option<&'a PagedAdapter>],
    /// Indices of tokens after which logits are wanted.
    pub outputs: &'a [usize],
}

impl<'a> PagedBatch<'a> {
    /// The same as attention reads it.
    pub(super) fn ragged(&self) -> RaggedBatch<'a> {
        RaggedBatch { query_starts: self.query_starts, block_tables: self.block_tables, context_lens: self.context_lens }
    }

    /// The position of every token.
    pub(super) fn positions(&self) -> Vec<usize> {
        self.sequences().flat_map(|(_, positions)| positions).collect()
    }

    /// The place of every token in the cache.
    pub(super) fn slots(&self, block_size: usize) -> Vec<usize> {
        let slot = move |table: &'a [u32], position: usize| table[position / block_size] as usize * block_size + position % block_size;
        self.sequences().flat_map(|(table, positions)| positions.map(move |position| slot(table, position))).collect()
    }

    /// Block tables and positions of new tokens.
    fn sequences(&self) -> impl Iterator<Item = (&'a [u32], std::ops::Range<usize>)> {
        let starts = self.query_starts.windows(2).map(|starts| starts[1] - starts[0]);
        self.block_tables.iter().zip(self.context_lens).zip(starts).map(|((table, &context), count)| (*table, context - count..context))
    }
}
