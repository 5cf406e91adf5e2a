use crate::{Error, Result};

/// Shape of a paged cache, and whether it is shared between sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheConfig {
    /// Blocks of the cache.
    pub num_blocks: usize,
    /// Positions of a block. Small blocks waste less at a sequence's end and share more; large ones mean shorter tables.
    pub block_size: usize,
    /// Whether full blocks are kept findable after their sequence has ended.
    pub prefix_caching: bool,
}

impl CacheConfig {
    /// A cache with prefix caching.
    pub fn new(num_blocks: usize, block_size: usize) -> Self {
        Self { num_blocks, block_size, prefix_caching: true }
    }

    /// Turns prefix caching on or off.
    pub fn with_prefix_caching(mut self, prefix_caching: bool) -> Self {
        self.prefix_caching = prefix_caching;
        self
    }

    /// Positions of all blocks together.
    pub fn slots(&self) -> usize {
        self.num_blocks.saturating_mul(self.block_size)
    }

    /// Blocks that this many positions take.
    pub fn blocks_for(&self, tokens: usize) -> usize {
        tokens.div_ceil(self.block_size)
    }

    pub(super) fn checked(self) -> Result<Self> {
        if self.num_blocks == 0 || self.block_size == 0 {
            return Err(Error::Invalid(format!("a cache of {} blocks of {} tokens holds nothing", self.num_blocks, self.block_size)));
        }
        if self.num_blocks >= (u32::MAX / 2) as usize || self.block_size > u32::MAX as usize {
            return Err(Error::Invalid(format!(
                "{} blocks of {} tokens are more than indices of 32 bits name",
                self.num_blocks, self.block_size
            )));
        }
        Ok(self)
    }
}
