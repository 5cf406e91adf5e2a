use jarre_transformer::paged::{KvType, PagedBatch, PagedDecoder, PagedKvCache};

use jarre_transformer::DecoderConfig;

use crate::{BlockCopy, LoraAdapter, Result};

/// Computes the steps that a scheduler plans.
pub trait ModelRunner: Send {
    /// Tokens of the vocabulary.
    fn vocab_size(&self) -> usize;

    /// The most tokens of a sequence.
    fn max_len(&self) -> usize;

    /// Blocks of the cache, and positions of a block.
    fn cache(&self) -> (usize, usize);

    /// The model that adapters have to fit; none where sequences cannot have any.
    fn adapts(&self) -> Option<&DecoderConfig> {
        None
    }

    /// Makes an adapter ready for steps: it is called before a request with it is queued, for each again. Nothing has to be done where adapters
    /// are computed as a batch brings them.
    ///
    /// # Errors
    /// Where the adapter cannot be computed with; the request is refused then, and others go on.
    fn load_adapter(&mut self, _adapter: &LoraAdapter) -> Result<()> {
        Ok(())
    }

    /// Copies blocks, in order.
    fn copy_blocks(&mut self, copies: &[BlockCopy]);

    /// Reads the tokens of `batch` into the cache and gives the logits after those that are asked for, `[outputs, vocab_size]`.
    ///
    /// # Errors
    /// Where the model fails; the engine gives up the requests of the step then.
    fn step(&mut self, batch: &PagedBatch<'_>) -> Result<Vec<f32>>;

    /// Why no step can be computed any more, if so: the engine gives up every request then, and takes no more.
    fn lost(&self) -> Option<String> {
        None
    }
}

/// A decoder with its cache in host memory.
#[derive(Debug)]
pub struct PagedRunner {
    decoder: PagedDecoder,
    cache: PagedKvCache,
}

impl PagedRunner {
    /// A runner with a cache of `blocks` blocks of `block_size` positions.
    pub fn new(decoder: PagedDecoder, blocks: usize, block_size: usize, kind: KvType) -> Self {
        let cache = decoder.new_cache(blocks, block_size, kind);
        Self { decoder, cache }
    }

    /// Bytes of the cache.
    pub fn cache_bytes(&self) -> usize {
        self.cache.bytes()
    }
}

impl ModelRunner for PagedRunner {
    fn vocab_size(&self) -> usize {
        self.decoder.config().vocab_size
    }

    fn max_len(&self) -> usize {
        self.decoder.max_len()
    }

    fn cache(&self) -> (usize, usize) {
        (self.cache.blocks(), self.cache.block_size())
    }

    fn adapts(&self) -> Option<&DecoderConfig> {
        Some(self.decoder.config())
    }

    fn copy_blocks(&mut self, copies: &[BlockCopy]) {
        for copy in copies {
            self.cache.copy_block(copy.from, copy.to);
        }
    }

    fn step(&mut self, batch: &PagedBatch<'_>) -> Result<Vec<f32>> {
        Ok(self.decoder.forward(&mut self.cache, batch))
    }
}
