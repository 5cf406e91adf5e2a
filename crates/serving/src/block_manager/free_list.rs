/// Blocks that nobody holds, in the order of their reuse: a doubly linked list through indices, every operation O(1).
///
/// It is a ring with a sentinel at index `num_blocks`, so that no end is a special case.
#[derive(Clone, Debug)]
pub(super) struct FreeList {
    links: Vec<Links>,
    len: usize,
}

#[derive(Clone, Copy, Debug)]
struct Links {
    prev: u32,
    next: u32,
}

impl FreeList {
    /// All of `num_blocks` blocks, the lowest first.
    pub(super) fn full(num_blocks: u32) -> Self {
        let around = num_blocks + 1;
        let links = (0..around).map(|at| Links { prev: (at + num_blocks) % around, next: (at + 1) % around }).collect();
        Self { links, len: num_blocks as usize }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Takes the block that is reused first.
    pub(super) fn pop_front(&mut self) -> Option<u32> {
        let first = self.links[self.sentinel()].next;
        (self.len > 0).then(|| {
            self.remove(first);
            first
        })
    }

    /// The block will be the first to be reused.
    pub(super) fn push_front(&mut self, block: u32) {
        self.insert_before(self.links[self.sentinel()].next, block);
    }

    /// The block will be the last to be reused.
    pub(super) fn push_back(&mut self, block: u32) {
        self.insert_before(self.sentinel() as u32, block);
    }

    /// Takes a block out, wherever it stands. It must be in the list.
    pub(super) fn remove(&mut self, block: u32) {
        let Links { prev, next } = self.links[block as usize];
        self.links[prev as usize].next = next;
        self.links[next as usize].prev = prev;
        self.len -= 1;
    }

    fn insert_before(&mut self, next: u32, block: u32) {
        let prev = self.links[next as usize].prev;
        self.links[block as usize] = Links { prev, next };
        self.links[prev as usize].next = block;
        self.links[next as usize].prev = block;
        self.len += 1;
    }

    fn sentinel(&self) -> usize {
        self.links.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::FreeList;

    proptest! {
        /// Against a `VecDeque`, which is searched for what is taken from the middle.
        #[test]
        fn is_a_deque(ops in prop::collection::vec((0_u8..4, 0_u32..6), 0..60)) {
            let (mut list, mut model) = (FreeList::full(6), (0..6).collect::<VecDeque<u32>>());
            for (op, block) in ops {
                let inside = model.iter().position(|&other| other == block);
                match (op, inside) {
                    (0, _) => prop_assert_eq!(list.pop_front(), model.pop_front()),
                    (1, None) => { list.push_front(block); model.push_front(block); }
                    (2, None) => { list.push_back(block); model.push_back(block); }
                    (3, Some(at)) => { list.remove(block); model.remove(at); }
                    _ => {}
                }
                prop_assert_eq!(list.len(), model.len());
            }
            let rest: Vec<u32> = std::iter::from_fn(|| list.pop_front()).collect();
            prop_assert_eq!(rest, Vec::from(model));
        }
    }
}
