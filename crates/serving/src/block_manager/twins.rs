/// Blocks of equal text, each computed by a sequence that did not know of the other: rings through indices.
///
/// A block without a twin is a ring of its own. Every operation is O(1).
#[derive(Clone, Debug)]
pub(super) struct Twins {
    links: Vec<(u32, u32)>,
}

impl Twins {
    pub(super) fn new(num_blocks: u32) -> Self {
        Self { links: (0..num_blocks).map(|block| (block, block)).collect() }
    }

    /// Puts a block that has no twin into the ring of another.
    pub(super) fn join(&mut self, block: u32, ring: u32) {
        let next = self.links[ring as usize].1;
        self.links[block as usize] = (ring, next);
        self.links[ring as usize].1 = block;
        self.links[next as usize].0 = block;
    }

    /// Takes a block out of its ring and gives one of those that stay.
    pub(super) fn leave(&mut self, block: u32) -> Option<u32> {
        let (prev, next) = self.links[block as usize];
        self.links[prev as usize].1 = next;
        self.links[next as usize].0 = prev;
        self.links[block as usize] = (block, block);
        (next != block).then_some(next)
    }

    pub(super) fn is_alone(&self, block: u32) -> bool {
        self.links[block as usize].1 == block
    }
}
