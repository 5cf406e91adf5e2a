use std::{hash::BuildHasher, sync::Arc};

use super::{
    Block, BlockCopy, BlockEvent, BlockManager,
    prefix_index::{NIL, ROOT},
    table::BlockTable,
};

/// Blocks one at a time: who takes, shares, names and leaves them.
impl<S: BuildHasher> BlockManager<S> {
    /// The nodes of a text's leading blocks.
    pub(super) fn matches<'a>(&'a self, namespace: &'a [u8], tokens: &'a [u32]) -> impl Iterator<Item = u32> + 'a {
        let findable = if self.config.prefix_caching { tokens.len().saturating_sub(1) } else { 0 };
        tokens[..findable].chunks_exact(self.config.block_size).scan(ROOT, move |parent, chunk| {
            let node = self.index.find(*parent, namespace, chunk)?;
            *parent = self.index.identity(node);
            Some(node)
        })
    }

    pub(super) fn unshare(&mut self, block: &mut u32, copies: &mut Vec<BlockCopy>) {
        let Block { refs, filled, .. } = self.blocks[*block as usize];
        if refs > 1 {
            let to = self.take();
            copies.push(BlockCopy { from: *block, to });
            self.fill(to, filled as usize);
            self.let_go(*block);
            *block = to;
        }
    }

    /// Takes a free block, whatever it held.
    pub(super) fn take(&mut self) -> u32 {
        let block = self.free.pop_front().expect("a free block is there because they were counted before");
        if self.blocks[block as usize].node != NIL {
            self.forget(block);
            self.evictions += 1;
            self.tell(BlockEvent::Evicted(block));
        }
        self.tell(BlockEvent::Taken(block));
        self.blocks[block as usize] = Block { refs: 1, filled: 0, node: NIL };
        block
    }

    pub(super) fn tell(&mut self, event: BlockEvent) {
        if let Some(events) = &mut self.events {
            events.push(event);
        }
    }

    pub(super) fn hold(&mut self, block: u32) {
        let entry = &mut self.blocks[block as usize];
        entry.refs += 1;
        if entry.refs == 1 {
            self.filled += entry.filled as usize;
            self.free.remove(block);
        }
    }

    pub(super) fn let_go(&mut self, block: u32) {
        let entry = &mut self.blocks[block as usize];
        entry.refs -= 1;
        if entry.refs > 0 {
            return;
        }
        self.filled -= entry.filled as usize;
        if entry.node != NIL && !self.twins.is_alone(block) {
            self.forget(block);
        }
        if self.blocks[block as usize].node == NIL {
            self.blocks[block as usize].filled = 0;
            self.free.push_front(block);
        } else {
            self.free.push_back(block);
        }
    }

    pub(super) fn fill(&mut self, block: u32, filled: usize) {
        let entry = &mut self.blocks[block as usize];
        let more = filled.saturating_sub(entry.filled as usize);
        entry.filled += more as u32;
        self.filled += more;
    }

    /// Makes the next full block of a table findable.
    pub(super) fn seal(&mut self, table: &mut BlockTable, tokens: &[u32]) {
        let block = table.blocks[table.sealed];
        if self.blocks[block as usize].node == NIL {
            let node = match self.index.find(table.parent, &table.namespace, tokens) {
                Some(node) => self.pair(block, node),
                None => self.index.insert(table.parent, &Arc::clone(&table.namespace), tokens, block),
            };
            self.blocks[block as usize].node = node;
        }
        table.parent = self.index.identity(self.blocks[block as usize].node);
        table.sealed += 1;
    }

    /// Adds a held block to a node that others hold already. A free one among those has become needless: one findable copy is enough, and
    /// the held one will be freed later, hence live longer than any text that continues it.
    fn pair(&mut self, block: u32, node: u32) -> u32 {
        let other = self.index.block(node);
        self.twins.join(block, other);
        if self.blocks[other as usize].refs == 0 {
            self.forget(other);
            self.blocks[other as usize].filled = 0;
            self.free.remove(other);
            self.free.push_front(other);
        }
        node
    }

    /// Unbinds a block from its text; the text is forgotten with its last block.
    fn forget(&mut self, block: u32) {
        let node = std::mem::replace(&mut self.blocks[block as usize].node, NIL);
        match self.twins.leave(block) {
            Some(other) => self.index.set_block(node, other),
            None => self.index.remove(node),
        }
    }
}
