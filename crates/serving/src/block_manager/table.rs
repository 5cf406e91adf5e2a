use std::sync::Arc;

use super::prefix_index::ROOT;

/// The blocks of one sequence, first to last: position `p` lies in slot `p % block_size` of block `blocks()[p / block_size]`.
///
/// Made empty with the namespace that its text is shared in; filled and emptied by a [`BlockManager`](super::BlockManager). Release it
/// before it is dropped: its blocks stay taken otherwise.
#[derive(Clone, Debug)]
pub struct BlockTable {
    pub(super) blocks: Vec<u32>,
    /// How many leading blocks the prefix cache knows.
    pub(super) sealed: usize,
    /// The identity of the text up to the end of those.
    pub(super) parent: u64,
    /// How many leading positions are computed.
    pub(super) computed: usize,
    pub(super) namespace: Arc<[u8]>,
}

impl BlockTable {
    /// A table without blocks. Prefixes are found among those of equal `namespace` (a tenant's salt, an adapter's name) alone.
    pub fn new(namespace: impl Into<Arc<[u8]>>) -> Self {
        Self { blocks: Vec::new(), sealed: 0, parent: ROOT, computed: 0, namespace: namespace.into() }
    }

    /// Indices of the blocks.
    pub fn blocks(&self) -> &[u32] {
        &self.blocks
    }

    /// Leading positions whose keys and values are in the cache.
    pub fn computed(&self) -> usize {
        self.computed
    }

    /// The namespace that its text is shared in.
    pub fn namespace(&self) -> &[u8] {
        &self.namespace
    }
}

/// How much of a text the prefix cache holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PrefixMatch {
    /// Full blocks found, from the first on.
    pub blocks: usize,
    /// How many of those no sequence holds: taking them makes the free list shorter.
    pub idle: usize,
    /// Tokens in them.
    pub tokens: usize,
}
