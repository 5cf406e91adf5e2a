//! A model for tests: logits are a function of the tokens before, so that every answer can be computed by hand.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::CausalLm;
use crate::error::Result;

type Logits = dyn Fn(&[u32]) -> Vec<f32>;

pub(super) struct Toy {
    vocab_size: usize,
    max_positions: usize,
    logits: Box<Logits>,
}

/// What it has read, and how much it has room for.
#[derive(Clone, Debug)]
pub(super) struct ToyCache {
    sequences: Vec<Vec<u32>>,
    capacity: usize,
}

impl Toy {
    pub(super) fn new(vocab_size: usize, logits: impl Fn(&[u32]) -> Vec<f32> + 'static) -> Self {
        Self { vocab_size, max_positions: usize::MAX, logits: Box::new(logits) }
    }

    /// The next token depends on the last alone: row `i` of `table` holds the logits behind token `i`.
    pub(super) fn markov(table: Vec<Vec<f32>>) -> Self {
        Self::new(table.len(), move |tokens| table[tokens[tokens.len() - 1] as usize].clone())
    }

    /// Logits in [-3, 3] that depend on every token before: whatever a cache confuses changes them.
    pub(super) fn hashed(vocab_size: usize, seed: u64) -> Self {
        Self::new(vocab_size, move |tokens| (0..vocab_size).map(|id| hash_to_logit(&(seed, tokens, id))).collect())
    }

    pub(super) fn with_max_positions(self, max_positions: usize) -> Self {
        Self { max_positions, ..self }
    }

    pub(super) fn logits(&self, tokens: &[u32]) -> Vec<f32> {
        (self.logits)(tokens)
    }
}

impl CausalLm for Toy {
    type Cache = ToyCache;

    fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    fn max_positions(&self) -> usize {
        self.max_positions
    }

    fn new_cache(&self, batch: usize, capacity: usize) -> ToyCache {
        assert!(batch > 0 && capacity <= self.max_positions);
        ToyCache { sequences: vec![Vec::new(); batch], capacity }
    }

    fn next_logits(&self, tokens: &[&[u32]], cache: &mut ToyCache) -> Result<Vec<f32>> {
        assert_eq!(tokens.len(), cache.sequences.len());
        for (sequence, tokens) in cache.sequences.iter_mut().zip(tokens) {
            assert!(!tokens.is_empty());
            sequence.extend_from_slice(tokens);
            assert!(sequence.len() <= cache.capacity);
        }
        Ok(cache.sequences.iter().flat_map(|sequence| self.logits(sequence)).collect())
    }

    fn all_logits(&self, tokens: &[u32]) -> Result<Vec<f32>> {
        assert!(tokens.len() <= self.max_positions);
        Ok((1..=tokens.len()).flat_map(|len| self.logits(&tokens[..len])).collect())
    }

    fn reorder(&self, cache: &mut ToyCache, indices: &[usize]) {
        cache.sequences = indices.iter().map(|&index| cache.sequences[index].clone()).collect();
    }
}

impl fmt::Debug for Toy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Toy").finish_non_exhaustive()
    }
}

fn hash_to_logit(value: &impl Hash) -> f32 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    (hasher.finish() % 6001) as f32 / 1000.0 - 3.0
}
