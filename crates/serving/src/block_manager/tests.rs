use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

use proptest::prelude::*;

use super::{prefix_index::NIL, *};

/// Every prefix falls into one of two buckets, and mostly into the same.
#[derive(Clone, Default)]
struct WeakHasher(u64);

impl Hasher for WeakHasher {
    fn finish(&self) -> u64 {
        u64::from(self.0 % 4 == 3)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 += bytes.iter().map(|&byte| u64::from(byte)).sum::<u64>();
    }
}

type Weak = BuildHasherDefault<WeakHasher>;

const SIZE: usize = 2;

fn manager(num_blocks: usize) -> BlockManager<Weak> {
    BlockManager::with_hasher(CacheConfig::new(num_blocks, SIZE), Weak::default()).unwrap()
}

/// Computes a text as one sequence would, and keeps its table.
fn open(manager: &mut BlockManager<Weak>, namespace: &[u8], tokens: &[u32]) -> BlockTable {
    let mut table = BlockTable::new(namespace);
    let found = manager.attach(&mut table, tokens);
    assert!(manager.reserve(&mut table, found..tokens.len(), &mut Vec::new()));
    manager.commit(&mut table, tokens);
    table
}

fn visit(manager: &mut BlockManager<Weak>, namespace: &[u8], tokens: &[u32]) {
    let mut table = open(manager, namespace, tokens);
    manager.release(&mut table);
}

#[test]
fn nothing_foreign_is_found_whatever_collides() {
    let mut manager = manager(32);
    visit(&mut manager, b"a", &[1, 2, 3, 4, 9]);
    // Equal second block behind another first one, equal text in another namespace, the same tokens in another order.
    assert_eq!(manager.find(b"a", &[2, 1, 3, 4, 9]).tokens, 0);
    assert_eq!(manager.find(b"b", &[1, 2, 3, 4, 9]).tokens, 0);
    assert_eq!(manager.find(b"a", &[1, 2, 4, 3, 9]).tokens, 2);
    assert_eq!(manager.find(b"a", &[1, 2, 3, 4, 9]).tokens, 4);
    // The second block is not a first one.
    assert_eq!(manager.find(b"a", &[3, 4, 9]).tokens, 0);
}

#[test]
fn the_last_token_is_left_to_compute() {
    let mut manager = manager(8);
    visit(&mut manager, b"", &[1, 2, 3, 4]);
    assert_eq!(manager.find(b"", &[1, 2, 3, 4]).tokens, 2);
    assert_eq!(manager.find(b"", &[1, 2, 3, 4, 5]).tokens, 4);
    assert_eq!(manager.find(b"", &[]).tokens, 0);
}

#[test]
fn heads_outlive_tails() {
    let mut manager = manager(4);
    visit(&mut manager, b"", &[1, 2, 3, 4, 5, 6]);
    visit(&mut manager, b"", &[7, 7, 8, 8]);
    // Two blocks were needed and one was blank: the tail of the first text had to go.
    assert_eq!((manager.find(b"", &[1, 2, 3, 4, 5, 6, 0]).tokens, manager.evictions()), (4, 1));
    visit(&mut manager, b"", &[9, 9]);
    assert_eq!((manager.find(b"", &[1, 2, 3, 4, 0]).tokens, manager.find(b"", &[7, 7, 8, 8, 0]).tokens), (2, 4));
}

#[test]
fn a_text_computed_twice_is_kept_once() {
    let mut manager = manager(6);
    let tokens = [1, 2, 3, 4];
    // Both are computed before either is findable.
    let (mut one, mut two) = (BlockTable::new(*b""), BlockTable::new(*b""));
    assert!(manager.reserve(&mut one, 0..4, &mut Vec::new()) && manager.reserve(&mut two, 0..4, &mut Vec::new()));
    manager.commit(&mut one, &tokens);
    manager.commit(&mut two, &tokens);
    assert_eq!((manager.cached_blocks(), manager.held_blocks()), (2, 4));
    manager.release(&mut one);
    assert_eq!(manager.find(b"", &[1, 2, 3, 4, 5]), PrefixMatch { blocks: 2, idle: 0, tokens: 4 });
    manager.release(&mut two);
    assert_eq!(manager.find(b"", &[1, 2, 3, 4, 5]), PrefixMatch { blocks: 2, idle: 2, tokens: 4 });
    // Four blocks are blank and serve another text without an eviction.
    visit(&mut manager, b"", &[5, 5, 6, 6, 7, 7, 8, 8]);
    assert_eq!((manager.evictions(), manager.find(b"", &[1, 2, 3, 4, 5]).tokens), (0, 4));
}

#[test]
fn a_shared_block_is_copied_before_it_is_written() {
    let mut manager = manager(8);
    let mut one = open(&mut manager, b"", &[1, 2, 3]);
    let mut two = manager.fork(&one);
    let shared = one.blocks()[1];
    let mut copies = Vec::new();
    assert!(manager.reserve(&mut two, 3..4, &mut copies));
    assert_eq!(copies, [BlockCopy { from: shared, to: two.blocks()[1] }]);
    assert_eq!((one.blocks()[0] == two.blocks()[0], manager.filled_slots()), (true, 4));
    // The other has the block to itself now.
    assert!(manager.reserve(&mut one, 3..4, &mut copies));
    assert_eq!((copies.len(), one.blocks()[1]), (1, shared));
    manager.commit(&mut one, &[1, 2, 3, 4]);
    manager.commit(&mut two, &[1, 2, 3, 5]);
    manager.release(&mut one);
    manager.release(&mut two);
    assert_eq!((manager.find(b"", &[1, 2, 3, 4, 0]).tokens, manager.find(b"", &[1, 2, 3, 5, 0]).tokens), (4, 4));
}

#[test]
fn reserving_is_all_or_nothing() {
    let mut manager = manager(3);
    let mut table = open(&mut manager, b"", &[1, 2, 3]);
    let before = table.blocks().to_vec();
    assert!(!manager.reserve(&mut table, 3..7, &mut Vec::new()));
    assert_eq!((table.blocks(), manager.free_blocks()), (&before[..], 1));
    assert!(manager.reserve(&mut table, 3..6, &mut Vec::new()));
    assert_eq!(manager.free_blocks(), 0);
}

#[test]
fn without_prefix_caching_nothing_is_found() {
    let mut manager = BlockManager::with_hasher(CacheConfig::new(4, SIZE).with_prefix_caching(false), Weak::default()).unwrap();
    visit(&mut manager, b"", &[1, 2, 3]);
    assert_eq!((manager.find(b"", &[1, 2, 3]).tokens, manager.cached_blocks()), (0, 0));
}

#[test]
fn a_cache_of_nothing_is_refused() {
    assert!(BlockManager::new(CacheConfig::new(0, 4)).is_err());
    assert!(BlockManager::new(CacheConfig::new(4, 0)).is_err());
    assert!(BlockManager::new(CacheConfig::new(usize::MAX, 4)).is_err());
}

/// What each block holds and since when it is free, searched from end to end.
struct Model {
    blocks: Vec<ModelBlock>,
    clock: u64,
}

#[derive(Clone, Default)]
struct ModelBlock {
    refs: usize,
    text: Option<(u8, Vec<u32>)>,
    freed: u64,
}

impl Model {
    fn holder(&self, text: &(u8, Vec<u32>), free: bool) -> Option<usize> {
        self.blocks.iter().position(|block| block.text.as_ref() == Some(text) && (block.refs == 0) == free)
    }

    fn found(&self, namespace: u8, tokens: &[u32]) -> usize {
        let lengths = (1..).map(|n| n * SIZE).take_while(|&end| end < tokens.len());
        let there = |end: &usize| self.blocks.iter().any(|block| block.text == Some((namespace, tokens[..*end].to_vec())));
        lengths.take_while(there).count() * SIZE
    }

    /// A block was taken: a blank one where there is any, else the one that is free for longest.
    fn take(&mut self, block: u32) {
        let free = self.blocks.iter().enumerate().filter(|(_, block)| block.refs == 0);
        let oldest = free.clone().min_by_key(|(_, block)| (block.text.is_some(), block.freed)).expect("one is free").0;
        let taken = &mut self.blocks[block as usize];
        assert_eq!(taken.refs, 0, "a held block was given away");
        assert!(taken.text.is_none() || oldest == block as usize, "block {block} went before {oldest}");
        *taken = ModelBlock { refs: 1, ..ModelBlock::default() };
    }

    fn seal(&mut self, block: u32, text: (u8, Vec<u32>)) {
        if self.blocks[block as usize].text.is_none() {
            if let Some(twin) = self.holder(&text, true) {
                self.blocks[twin].text = None;
            }
            self.blocks[block as usize].text = Some(text);
        }
        let sealed = &self.blocks[block as usize];
        assert!(sealed.refs > 0);
    }

    fn release(&mut self, block: u32) {
        self.clock += 1;
        let clock = self.clock;
        let entry = &mut self.blocks[block as usize];
        entry.refs -= 1;
        if entry.refs == 0 {
            entry.freed = clock;
            let text = entry.text.clone();
            if text.is_some_and(|text| self.holder(&text, false).is_some()) {
                self.blocks[block as usize].text = None;
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Op {
    Open { namespace: u8, tokens: Vec<u32> },
    Grow { which: prop::sample::Index, tokens: Vec<u32> },
    Fork(prop::sample::Index),
    Release(prop::sample::Index),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let tokens = |most| prop::collection::vec(0_u32..2, 1..most);
    let which = any::<prop::sample::Index>;
    prop::collection::vec(
        prop_oneof![
            4 => (0_u8..2, tokens(12)).prop_map(|(namespace, tokens)| Op::Open { namespace, tokens }),
            3 => (which(), tokens(4)).prop_map(|(which, tokens)| Op::Grow { which, tokens }),
            1 => which().prop_map(Op::Fork),
            4 => which().prop_map(Op::Release),
        ],
        1..80,
    )
}

struct Pair {
    manager: BlockManager<Weak>,
    model: Model,
    open: Vec<(u8, Vec<u32>, BlockTable)>,
}

impl Pair {
    fn apply(&mut self, op: Op) {
        match op {
            Op::Open { namespace, tokens } => {
                let mut table = BlockTable::new([namespace]);
                let found = self.manager.attach(&mut table, &tokens);
                assert_eq!(found, self.model.found(namespace, &tokens), "{tokens:?}");
                for (at, &block) in table.blocks().iter().enumerate() {
                    let entry = &mut self.model.blocks[block as usize];
                    assert_eq!(entry.text, Some((namespace, tokens[..(at + 1) * SIZE].to_vec())));
                    entry.refs += 1;
                }
                self.open.push((namespace, tokens[..found].to_vec(), table));
                self.grow(self.open.len() - 1, &tokens[found..]);
            }
            Op::Grow { which, tokens } if !self.open.is_empty() => self.grow(which.index(self.open.len()), &tokens),
            Op::Fork(which) if !self.open.is_empty() => {
                let (namespace, tokens, table) = &self.open[which.index(self.open.len())];
                let twin = (*namespace, tokens.clone(), self.manager.fork(table));
                twin.2.blocks().iter().for_each(|&block| self.model.blocks[block as usize].refs += 1);
                self.open.push(twin);
            }
            Op::Release(which) if !self.open.is_empty() => {
                let (_, _, mut table) = self.open.swap_remove(which.index(self.open.len()));
                table.blocks().iter().rev().for_each(|&block| self.model.release(block));
                self.manager.release(&mut table);
            }
            _ => {}
        }
    }

    fn grow(&mut self, at: usize, more: &[u32]) {
        let (namespace, tokens, table) = &mut self.open[at];
        let (before, mut copies) = (table.blocks().to_vec(), Vec::new());
        let end = tokens.len() + more.len();
        if !self.manager.reserve(table, tokens.len()..end, &mut copies) {
            assert_eq!((table.blocks(), copies.len()), (&before[..], 0));
            return;
        }
        for (at, &block) in table.blocks().iter().enumerate() {
            if before.get(at) != Some(&block) {
                self.model.take(block);
            }
            if let Some(&old) = before.get(at).filter(|&&old| old != block) {
                assert!(copies.contains(&BlockCopy { from: old, to: block }));
                self.model.release(old);
            }
        }
        tokens.extend_from_slice(more);
        self.manager.commit(table, tokens);
        for full in 1..=tokens.len() / SIZE {
            self.model.seal(table.blocks()[full - 1], (*namespace, tokens[..full * SIZE].to_vec()));
        }
    }

    fn check(&self) {
        let Self { manager, model, open } = self;
        let free = model.blocks.iter().filter(|block| block.refs == 0).count();
        assert_eq!((manager.free_blocks(), manager.held_blocks()), (free, model.blocks.len() - free));
        let mut filled = vec![0; model.blocks.len()];
        for (_, tokens, table) in open {
            for (at, &block) in table.blocks().iter().enumerate() {
                filled[block as usize] = filled[block as usize].max((tokens.len().saturating_sub(at * SIZE)).min(SIZE));
            }
        }
        assert_eq!(manager.filled_slots(), filled.iter().sum::<usize>());
        for (block, entry) in model.blocks.iter().enumerate() {
            let node = manager.blocks[block].node;
            assert_eq!((manager.references(block as u32), node != NIL), (entry.refs, entry.text.is_some()), "block {block}");
            assert!(node == NIL || self.parent_lives(node), "block {block} continues a text that is gone");
        }
    }

    /// Tails are freed before their heads, so that no text is cached that cannot be reached.
    fn parent_lives(&self, node: u32) -> bool {
        let (parent, _) = self.manager.index.kinship(node);
        let nodes = self.manager.blocks.iter().map(|block| block.node).filter(|&node| node != NIL);
        parent == ROOT || nodes.into_iter().any(|node| self.manager.index.kinship(node).1 == parent)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Hits, evictions, reference counts and waste are those of a model that searches everything, with a hasher that collides.
    #[test]
    fn agrees_with_a_model(ops in ops(), num_blocks in 1_usize..14) {
        let model = Model { blocks: vec![ModelBlock::default(); num_blocks], clock: 0 };
        let mut pair = Pair { manager: manager(num_blocks), model, open: Vec::new() };
        for op in ops {
            pair.apply(op);
            pair.check();
        }
        while let Some((_, _, mut table)) = pair.open.pop() {
            pair.manager.release(&mut table);
        }
        prop_assert_eq!(pair.manager.free_blocks(), num_blocks);
        prop_assert!(pair.manager.index.len() <= num_blocks);
    }
}

#[test]
fn the_weak_hasher_collides() {
    let hash = |tokens: &[u32]| Weak::default().hash_one((0_u64, &[0_u8][..], tokens));
    assert_eq!(hash(&[1, 2]), hash(&[2, 1]));
}
