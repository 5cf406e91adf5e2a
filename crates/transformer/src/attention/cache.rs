use burn::tensor::{Device, Tensor};

/// Keys and values of the tokens that a decoder has read, preallocated, for a batch of sequences of different lengths.
///
/// Memory: `2 n_layers batch n_kv_heads capacity head_dim` values.
#[derive(Clone, Debug)]
pub struct KvCache {
    pub(crate) layers: Vec<LayerCache>,
    lengths: Vec<usize>,
    capacity: usize,
}

/// What one layer keeps: `[batch, n_kv_heads, capacity, head_dim]` each.
#[derive(Clone, Debug)]
pub(crate) struct LayerCache {
    keys: Tensor<4>,
    values: Tensor<4>,
}

impl KvCache {
    /// Room for `capacity` tokens of each of `batch` sequences, none of them there yet.
    pub(crate) fn new(n_layers: usize, shape: [usize; 4], device: &Device) -> Self {
        let [batch, _, capacity, _] = shape;
        let layer = || LayerCache { keys: Tensor::zeros(shape, device), values: Tensor::zeros(shape, device) };
        Self { layers: (0..n_layers).map(|_| layer()).collect(), lengths: vec![0; batch], capacity }
    }

    /// Tokens of each sequence.
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// Tokens that a sequence has room for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Forgets the tokens of sequence `index` from `length` on; nothing where it has fewer.
    ///
    /// # Panics
    /// Where there is no such sequence.
    pub fn truncate(&mut self, index: usize, length: usize) {
        self.lengths[index] = self.lengths[index].min(length);
    }

    /// Sequence `i` becomes a copy of what sequence `indices[i]` was.
    ///
    /// # Panics
    /// Where an index is beyond the batch.
    pub fn reorder(&mut self, indices: &[usize], device: &Device) {
        self.lengths = indices.iter().map(|&index| self.lengths[index]).collect();
        let rows: Vec<i32> = indices.iter().map(|&index| index as i32).collect();
        let rows = Tensor::<1, burn::tensor::Int>::from_data(rows.as_slice(), device);
        for layer in &mut self.layers {
            layer.keys = layer.keys.clone().select(0, rows.clone());
            layer.values = layer.values.clone().select(0, rows.clone());
        }
    }

    /// Counts `added[i]` more tokens of sequence `i`, once every layer has them.
    pub(crate) fn advance(&mut self, added: &[usize]) {
        for (length, added) in self.lengths.iter_mut().zip(added) {
            *length += added;
        }
    }
}

impl LayerCache {
    /// Writes the first `added[i]` of the new keys and values of sequence `i` behind its `past[i]` tokens; gives back all keys and
    /// values up to the longest sequence, `[batch, n_kv_heads, longest, head_dim]`.
    ///
    /// # Shapes
    /// - keys, values: `[batch, n_kv_heads, new, head_dim]`
    pub(crate) fn append(&mut self, keys: Tensor<4>, values: Tensor<4>, past: &[usize], added: &[usize]) -> [Tensor<4>; 2] {
        let longest = past.iter().zip(added).map(|(past, added)| past + added).max().unwrap_or(0);
        let uniform = past.windows(2).all(|pair| pair[0] == pair[1]) && added.windows(2).all(|pair| pair[0] == pair[1]);
        [(&mut self.keys, keys), (&mut self.values, values)].map(|(store, new)| {
            let [batch, heads, _, width] = store.dims();
            store.inplace(|mut store| {
                if uniform {
                    let new = new.slice_dim(2, 0..added[0]);
                    return store.slice_assign([0..batch, 0..heads, past[0]..longest, 0..width], new);
                }
                for row in 0..batch {
                    let new = new.clone().slice([row..row + 1, 0..heads, 0..added[row], 0..width]);
                    store = store.slice_assign([row..row + 1, 0..heads, past[row]..past[row] + added[row], 0..width], new);
                }
                store
            });
            store.clone().slice_dim(2, 0..longest)
        })
    }
}
