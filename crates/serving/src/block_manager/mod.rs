//! Who holds which block of the paged cache, and where text that was computed before lies. No keys or values: only indices.

mod config;
mod free_list;
mod holding;
mod prefix_index;
mod table;
#[cfg(test)]
mod tests;
mod twins;

use std::{
    hash::{BuildHasher, RandomState},
    ops::Range,
};

pub use self::{
    config::CacheConfig,
    table::{BlockTable, PrefixMatch},
};
use self::{
    free_list::FreeList,
    prefix_index::{NIL, PrefixIndex, ROOT},
    twins::Twins,
};
use crate::Result;

/// One block to be copied over another, keys and values of every layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockCopy {
    /// The block that is read.
    pub from: u32,
    /// The block that is overwritten.
    pub to: u32,
}

/// Blocks of fixed size with reference counts, and a cache of full blocks by the text that they end.
///
/// A block is *held* by the tables that name it, or *free*. A free block whose text is known stays findable until it is reused; blocks that
/// nobody can find are reused first, then the one that was freed longest ago. Every operation is O(1) for each block that it touches.
///
/// The hasher decides about speed alone: a match is made by comparing text. The standard one is keyed at random, so that nobody can choose
/// prompts that all fall into one bucket.
///
/// ```
/// use jarre_serving::block_manager::{BlockManager, BlockTable, CacheConfig};
///
/// # fn main() -> jarre_serving::Result<()> {
/// let mut manager = BlockManager::new(CacheConfig::new(8, 4))?;
/// let prompt: Vec<u32> = (0..10).collect();
/// let mut copies = Vec::new();
/// let mut first = BlockTable::new(*b"tenant");
/// assert!(manager.reserve(&mut first, 0..10, &mut copies));
/// manager.commit(&mut first, &prompt);
/// assert_eq!(first.blocks().len(), 3);
/// manager.release(&mut first);
///
/// // The two full blocks are found again, by this tenant alone.
/// let mut second = BlockTable::new(*b"tenant");
/// assert_eq!(manager.attach(&mut second, &prompt), 8);
/// assert_eq!(manager.find(b"another", &prompt).tokens, 0);
/// manager.release(&mut second);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BlockManager<S = RandomState> {
    config: CacheConfig,
    blocks: Vec<Block>,
    free: FreeList,
    index: PrefixIndex<S>,
    twins: Twins,
    /// Slots of held blocks that hold a computed token.
    filled: usize,
    evictions: u64,
    /// What was not yet taken, where anybody wants it.
    events: Option<Vec<BlockEvent>>,
}

/// What became of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockEvent {
    /// It was taken to be written.
    Taken(u32),
    /// A prompt found its text.
    Found(u32),
    /// Its text, which could be found, made room for other text: it is taken next.
    Evicted(u32),
}

#[derive(Clone, Copy, Debug)]
struct Block {
    /// Tables that name it.
    refs: u32,
    /// Leading slots that hold a computed token.
    filled: u32,
    /// Its text in the prefix index, or `NIL`.
    node: u32,
}

impl BlockManager {
    /// A manager of free blocks.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a cache of nothing, and for 2^31 blocks or more.
    pub fn new(config: CacheConfig) -> Result<Self> {
        Self::with_hasher(config, RandomState::new())
    }
}

impl<S: BuildHasher> BlockManager<S> {
    /// As [`new`](BlockManager::new), with another hasher of prefixes.
    ///
    /// # Errors
    /// As those of `new`.
    pub fn with_hasher(config: CacheConfig, hasher: S) -> Result<Self> {
        let config = config.checked()?;
        let count = config.num_blocks as u32;
        Ok(Self {
            config,
            blocks: vec![Block { refs: 0, filled: 0, node: NIL }; config.num_blocks],
            free: FreeList::full(count),
            index: PrefixIndex::new(config.num_blocks, config.block_size, hasher),
            twins: Twins::new(count),
            filled: 0,
            evictions: 0,
            events: None,
        })
    }

    /// How much of a text is here. The last token is never found, so that one is left to compute and there are logits to choose from.
    pub fn find(&self, namespace: &[u8], tokens: &[u32]) -> PrefixMatch {
        let mut found = PrefixMatch::default();
        for node in self.matches(namespace, tokens) {
            found.blocks += 1;
            found.idle += usize::from(self.blocks[self.index.block(node) as usize].refs == 0);
        }
        found.tokens = found.blocks * self.config.block_size;
        found
    }

    /// Gives an empty table the blocks that [`find`](Self::find) counts, and says how many tokens they hold.
    ///
    /// # Panics
    /// Where the table has blocks already.
    pub fn attach(&mut self, table: &mut BlockTable, tokens: &[u32]) -> usize {
        assert!(table.blocks.is_empty(), "only a table without blocks can begin with those of another");
        let nodes: Vec<u32> = self.matches(&table.namespace, tokens).collect();
        for &node in &nodes {
            let block = self.index.block(node);
            self.hold(block);
            self.tell(BlockEvent::Found(block));
            table.blocks.push(block);
        }
        table.sealed = nodes.len();
        table.parent = nodes.last().map_or(ROOT, |&node| self.index.identity(node));
        table.computed = nodes.len() * self.config.block_size;
        table.computed
    }

    /// Makes the positions of `span` writable for this table alone: blocks that are missing are taken, blocks that others hold too are
    /// replaced, with a [`BlockCopy`] that has to be done, in order, before the positions are written. All or nothing: false, and nothing
    /// changed, where too few blocks are free.
    pub fn reserve(&mut self, table: &mut BlockTable, span: Range<usize>, copies: &mut Vec<BlockCopy>) -> bool {
        debug_assert!(span.start >= table.computed, "positions that are computed are not written again");
        let (first, last) = (span.start / self.config.block_size, self.config.blocks_for(span.end));
        let own = first.min(table.blocks.len())..last.min(table.blocks.len());
        let shared = table.blocks[own.clone()].iter().filter(|&&block| self.blocks[block as usize].refs > 1).count();
        if shared + last.saturating_sub(table.blocks.len()) > self.free.len() {
            return false;
        }
        for at in own {
            self.unshare(&mut table.blocks[at], copies);
        }
        while table.blocks.len() < last {
            table.blocks.push(self.take());
        }
        true
    }

    /// A second table over the same blocks. Whoever writes first into one that both hold gets a copy of it.
    pub fn fork(&mut self, table: &BlockTable) -> BlockTable {
        for &block in &table.blocks {
            self.hold(block);
        }
        table.clone()
    }

    /// Notes that the keys and values of `tokens`, the text from its first token on, are in the table's blocks; full blocks of it become
    /// findable. Tokens that were noted before are passed by.
    ///
    /// # Panics
    /// Where the table's blocks do not hold so many tokens.
    pub fn commit(&mut self, table: &mut BlockTable, tokens: &[u32]) {
        let size = self.config.block_size;
        assert!(tokens.len() <= table.blocks.len() * size, "tokens are computed in blocks that were reserved for them");
        for at in table.computed / size..self.config.blocks_for(tokens.len()) {
            self.fill(table.blocks[at], (tokens.len() - at * size).min(size));
        }
        table.computed = table.computed.max(tokens.len());
        while self.config.prefix_caching && (table.sealed + 1) * size <= tokens.len() {
            let start = table.sealed * size;
            self.seal(table, &tokens[start..start + size]);
        }
    }

    /// Takes all blocks from a table, the last first, so that the heads of texts, which more texts share, live longest.
    pub fn release(&mut self, table: &mut BlockTable) {
        while let Some(block) = table.blocks.pop() {
            self.let_go(block);
        }
        (table.sealed, table.parent, table.computed) = (0, ROOT, 0);
    }

    /// The configuration.
    pub fn config(&self) -> &CacheConfig {
        &self.config
    }

    /// Blocks that no table names; those of them that are findable among them.
    pub fn free_blocks(&self) -> usize {
        self.free.len()
    }

    /// Blocks that tables name.
    pub fn held_blocks(&self) -> usize {
        self.config.num_blocks - self.free.len()
    }

    /// Distinct texts of a block that can be found, in held blocks and in free ones.
    pub fn cached_blocks(&self) -> usize {
        self.index.len()
    }

    /// Slots of held blocks that hold a computed token. A block that several tables name counts once.
    pub fn filled_slots(&self) -> usize {
        self.filled
    }

    /// Findable blocks that were reused for other text, from the beginning on.
    pub fn evictions(&self) -> u64 {
        self.evictions
    }

    /// Notes from now on what becomes of blocks, for [`take_events`](Self::take_events).
    pub fn record_events(&mut self) {
        self.events.get_or_insert_default();
    }

    /// What became of blocks since this was last asked, in order; nothing where nobody asked to [note](Self::record_events) it.
    pub fn take_events(&mut self) -> Vec<BlockEvent> {
        self.events.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Tables that name a block.
    pub fn references(&self, block: u32) -> usize {
        self.blocks[block as usize].refs as usize
    }
}
