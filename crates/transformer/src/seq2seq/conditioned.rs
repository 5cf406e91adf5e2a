use burn::tensor::Tensor;

use super::cache::Seq2SeqCache;
use super::model::Seq2Seq;
use super::states::EncodedSource;
use crate::attention::Sequences;
use crate::error::{Error, Result};
use crate::generate::CausalLm;

/// A decoder beside the sources that it answers: a causal language model of targets, which greedy and beam search, sampling and
/// perplexity of [`generate`](crate::generate) take as any other. A prompt begins with the token that begins a target.
///
/// With one source every sequence is an answer to it. With several, sequence `i` answers source `i`:
/// [`new_cache`](CausalLm::new_cache) then panics for another number of sequences.
#[derive(Clone, Debug)]
pub struct Conditioned<'a> {
    model: &'a Seq2Seq,
    source: EncodedSource,
    banned: &'a [u32],
}

impl<'a> Conditioned<'a> {
    /// Answers to what `model` has encoded.
    pub fn new(model: &'a Seq2Seq, source: EncodedSource) -> Self {
        Self { model, source, banned: &[] }
    }

    /// Tokens that are never written: their logits become minus infinity.
    pub(super) fn with_banned(self, banned: &'a [u32]) -> Self {
        Self { banned, ..self }
    }

    /// The sources.
    pub fn source(&self) -> &EncodedSource {
        &self.source
    }

    fn values<const D: usize>(&self, logits: Tensor<D>) -> Result<Vec<f32>> {
        let mut values = logits.try_into_vec_as::<f32>().map_err(|error| Error::Device(format!("{error:?}")))?;
        for row in values.chunks_exact_mut(self.vocab_size()) {
            self.banned.iter().for_each(|&token| row[token as usize] = f32::NEG_INFINITY);
        }
        Ok(values)
    }
}

impl CausalLm for Conditioned<'_> {
    type Cache = Seq2SeqCache;

    fn vocab_size(&self) -> usize {
        self.model.config().vocab_size
    }

    fn max_positions(&self) -> usize {
        self.model.config().max_positions
    }

    fn new_cache(&self, batch: usize, capacity: usize) -> Seq2SeqCache {
        self.model.new_cache(&self.source, batch, capacity)
    }

    fn next_logits(&self, tokens: &[&[u32]], cache: &mut Seq2SeqCache) -> Result<Vec<f32>> {
        self.values(self.model.forward_cached(&Sequences::right_padded(tokens, 0), cache))
    }

    /// Of an answer to the first source.
    fn all_logits(&self, tokens: &[u32]) -> Result<Vec<f32>> {
        self.values(self.model.decode(&self.source.first(), &Sequences::right_padded(&[tokens], 0)))
    }

    fn reorder(&self, cache: &mut Seq2SeqCache, indices: &[usize]) {
        cache.reorder(indices, &self.model.device());
    }
}
