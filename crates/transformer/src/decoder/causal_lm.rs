use burn::tensor::Tensor;

use super::causal::CausalModel;
use crate::attention::{KvCache, Sequences};
use crate::error::{Error, Result};
use crate::generate::CausalLm;
use crate::position::Positions;

impl CausalLm for CausalModel {
    type Cache = KvCache;

    fn vocab_size(&self) -> usize {
        self.config().vocab_size
    }

    fn max_positions(&self) -> usize {
        match self.config().positions {
            Positions::Learned | Positions::Rope(_) => self.config().max_positions,
            Positions::Sinusoidal | Positions::Alibi => usize::MAX,
        }
    }

    fn new_cache(&self, batch: usize, capacity: usize) -> KvCache {
        self.decoder().new_cache(batch, capacity)
    }

    fn next_logits(&self, tokens: &[&[u32]], cache: &mut KvCache) -> Result<Vec<f32>> {
        values(self.decoder().forward_cached(&Sequences::right_padded(tokens, 0), cache))
    }

    fn all_logits(&self, tokens: &[u32]) -> Result<Vec<f32>> {
        values(self.decoder().forward(&Sequences::right_padded(&[tokens], 0)))
    }

    fn reorder(&self, cache: &mut KvCache, indices: &[usize]) {
        cache.reorder(indices, &self.decoder().device());
    }
}

fn values<const D: usize>(logits: Tensor<D>) -> Result<Vec<f32>> {
    logits.try_into_vec_as::<f32>().map_err(|error| Error::Device(format!("{error:?}")))
}
