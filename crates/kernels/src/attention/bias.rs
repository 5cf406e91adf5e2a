use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;

use super::sequence::BLOCK;
use crate::host::values;

/// What is added to scores, and which keys a block of queries sees at all.
#[derive(Clone, Debug)]
pub(super) struct Bias {
    values: FlexTensor,
    batches: usize,
    heads: usize,
    /// For each block of queries of each bias the keys from the first to the last that is seen.
    seen: Arc<[(usize, usize)]>,
}

impl Bias {
    /// Of `bias [batch or 1, heads or 1, queries, keys]`.
    pub(super) fn new(bias: FlexTensor) -> Self {
        let shape = bias.shape();
        let (queries, keys) = (shape[2], shape[3]);
        let range = |rows: &[f32]| {
            let visible = |row: &[f32]| {
                let first = row.iter().position(|&x| x > f32::NEG_INFINITY)?;
                Some((first, row.iter().rposition(|&x| x > f32::NEG_INFINITY)? + 1))
            };
            let ranges = rows.chunks_exact(keys).filter_map(visible);
            ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or((0, keys))
        };
        let seen = values(&bias).chunks_exact(queries * keys).flat_map(|bias| bias.chunks(BLOCK * keys)).map(range).collect();
        Self { batches: shape[0], heads: shape[1], seen, values: bias }
    }

    /// The bias of a head, `[queries, keys]`, and what its blocks see.
    pub(super) fn of(&self, batch: usize, head: usize, size: usize, blocks: usize) -> (&[f32], &[(usize, usize)]) {
        let index = (batch % self.batches) * self.heads + head % self.heads;
        (&values(&self.values)[index * size..(index + 1) * size], &self.seen[index * blocks..(index + 1) * blocks])
    }
}
