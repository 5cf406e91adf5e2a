//! What a step reads.

/// Positions of a block.
pub(super) const BLOCK: usize = 16;

/// New tokens of sequences over a cache whose blocks each sequence has for itself.
pub(super) struct Step {
    pub(super) name: String,
    pub(super) tokens: Vec<u32>,
    pub(super) query_starts: Vec<usize>,
    pub(super) context_lens: Vec<usize>,
    tables: Vec<Vec<u32>>,
    /// Tokens after which logits are wanted: the last of each sequence.
    pub(super) outputs: Vec<usize>,
}

impl Step {
    /// A whole prompt.
    pub(super) fn prefill(tokens: usize, vocab_size: usize) -> Self {
        Self::new(format!("prefill of {tokens} tokens"), 1, tokens, tokens, vocab_size)
    }

    /// A token of each stream, behind `context` tokens in the cache.
    pub(super) fn decode(streams: usize, context: usize, vocab_size: usize) -> Self {
        let name = format!("decode of {streams} stream{} at {context} tokens", if streams == 1 { "" } else { "s" });
        Self::new(name, streams, 1, context + 1, vocab_size)
    }

    fn new(name: String, sequences: usize, each: usize, length: usize, vocab_size: usize) -> Self {
        let blocks = length.div_ceil(BLOCK);
        let table = |sequence: usize| (sequence * blocks..(sequence + 1) * blocks).map(|block| block as u32).collect();
        Self {
            name,
            tokens: (0..(sequences * each) as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) % vocab_size as u32).collect(),
            query_starts: (0..=sequences).map(|sequence| sequence * each).collect(),
            context_lens: vec![length; sequences],
            tables: (0..sequences).map(table).collect(),
            outputs: (1..=sequences).map(|sequence| sequence * each - 1).collect(),
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.tokens.len()
    }

    /// Blocks of all sequences.
    pub(super) fn blocks(&self) -> usize {
        self.tables.iter().map(Vec::len).sum()
    }

    pub(super) fn tables(&self) -> Vec<&[u32]> {
        self.tables.iter().map(Vec::as_slice).collect()
    }

    /// The position of every token.
    pub(super) fn positions(&self) -> Vec<usize> {
        self.sequences().flat_map(|(_, new, length)| length - new..length).collect()
    }

    /// The place of every token in the cache.
    pub(super) fn slots(&self) -> Vec<usize> {
        let slot = |sequence: usize, position: usize| self.tables[sequence][position / BLOCK] as usize * BLOCK + position % BLOCK;
        self.sequences().flat_map(|(sequence, new, length)| (length - new..length).map(move |position| slot(sequence, position))).collect()
    }

    /// Each sequence's index, new tokens and length with them.
    pub(super) fn sequences(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        let starts = self.query_starts.windows(2).map(|starts| starts[1] - starts[0]);
        starts.zip(&self.context_lens).enumerate().map(|(sequence, (new, length))| (sequence, new, *length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_and_streams_stand_where_they_should() {
        let prompt = Step::prefill(20, 50);
        assert_eq!((prompt.rows(), prompt.blocks(), &prompt.outputs[..]), (20, 2, &[19][..]));
        assert_eq!(prompt.positions(), (0..20).collect::<Vec<_>>());
        assert_eq!(prompt.slots(), (0..20).collect::<Vec<_>>());
        assert!(prompt.tokens.iter().all(|token| *token < 50));
        let streams = Step::decode(3, 16, 50);
        assert_eq!((streams.rows(), streams.blocks(), &streams.outputs[..]), (3, 6, &[0, 1, 2][..]));
        assert_eq!((streams.positions(), streams.slots()), (vec![16; 3], vec![16, 48, 80]));
    }
}
