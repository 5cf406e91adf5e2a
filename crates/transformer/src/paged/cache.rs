use jarre_kernels::kv::{KvCache, KvShape, KvType};

/// Keys and values of every layer of a decoder, in blocks that sequences share
/// ([Kwon et al. 2023](https://arxiv.org/abs/2309.06180)). [`PagedDecoder::new_cache`](super::PagedDecoder::new_cache) makes one.
#[derive(Debug)]
pub struct PagedKvCache {
    pub(super) layers: Vec<KvCache>,
    blocks: usize,
    block_size: usize,
}

impl PagedKvCache {
    pub(super) fn new(n_layers: usize, shape: KvShape, kind: KvType) -> Self {
        let layers = (0..n_layers).map(|_| KvCache::new(shape, kind)).collect();
        Self { layers, blocks: shape.blocks, block_size: shape.block_size }
    }

    /// Blocks.
    pub fn blocks(&self) -> usize {
        self.blocks
    }

    /// Positions of a block.
    pub fn block_size(&self) -> usize {
        self.block_size
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        self.layers.iter().map(|layer| layer.bytes_per_block() * self.blocks).sum()
    }

    /// Copies block `from` to block `to` in every layer.
    ///
    /// # Panics
    /// Where there is no such block.
    pub fn copy_block(&mut self, from: u32, to: u32) {
        self.layers.iter_mut().for_each(|layer| layer.copy_block(from as usize, to as usize));
    }
}
