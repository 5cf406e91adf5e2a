use burn::tensor::{Device, Int, Tensor};

use crate::attention::{KvCache, Sequences};

/// Keys and values that a decoder reads: of the tokens that it has written, and of the sources, which do not change while it writes.
///
/// Memory: `2 n_layers d_model` values for each token of a target's capacity and for each token of a source.
#[derive(Clone, Debug)]
pub struct Seq2SeqCache {
    pub(super) own: KvCache,
    pub(super) memory: Memory,
}

/// The sources as the decoder's layers read them.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    /// Keys and values of each layer, `[batch or 1, n_heads, source, head_dim]`.
    pub(super) layers: Vec<[Tensor<4>; 2]>,
    pub(super) source: Sequences,
}

impl Seq2SeqCache {
    /// Tokens of each target.
    pub fn lengths(&self) -> &[usize] {
        self.own.lengths()
    }

    /// Tokens that a target has room for.
    pub fn capacity(&self) -> usize {
        self.own.capacity()
    }

    /// Target `i` becomes a copy of what target `indices[i]` was, with its source.
    ///
    /// # Panics
    /// Where an index is beyond the batch.
    pub fn reorder(&mut self, indices: &[usize], device: &Device) {
        self.own.reorder(indices, device);
        self.memory.reorder(indices, device);
    }
}

impl Memory {
    /// One source is everyone's and stays where it is.
    fn reorder(&mut self, indices: &[usize], device: &Device) {
        let stays = indices.iter().copied().eq(0..self.source.batch());
        if self.source.batch() == 1 || stays {
            return;
        }
        let rows: Vec<i32> = indices.iter().map(|&index| index as i32).collect();
        let rows = Tensor::<1, Int>::from_data(rows.as_slice(), device);
        for tensor in self.layers.iter_mut().flatten() {
            *tensor = tensor.clone().select(0, rows.clone());
        }
        self.source = self.source.select(indices);
    }
}
