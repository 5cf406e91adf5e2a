use std::{hash::BuildHasher, sync::Arc};

/// The identity of no prefix at all: the parent of every first block.
pub(super) const ROOT: u64 = 0;

/// "No node", "no block".
pub(super) const NIL: u32 = u32::MAX;

/// Finds a full block by the text that it ends: a hash table of prefix nodes.
///
/// A node is the text of one block after one parent. It has an identity that is never used again, and children name their parent by it. A
/// lookup compares that identity and the tokens, and for first blocks the namespace: whatever hashes collide, what is found is the text.
#[derive(Clone, Debug)]
pub(super) struct PrefixIndex<S> {
    hasher: S,
    block_size: usize,
    /// The first node of each bucket. As many as there are blocks at least, so that the table never grows.
    buckets: Vec<u32>,
    nodes: Vec<Node>,
    /// The tokens of each node, `block_size` apiece.
    tokens: Vec<u32>,
    /// Nodes that hold nothing at present.
    vacant: Vec<u32>,
    last_identity: u64,
}

#[derive(Clone, Debug)]
struct Node {
    identity: u64,
    parent: u64,
    /// Of first blocks alone: later ones have it through their parent.
    namespace: Option<Arc<[u8]>>,
    bucket: u32,
    next: u32,
    block: u32,
}

impl<S: BuildHasher> PrefixIndex<S> {
    pub(super) fn new(num_blocks: usize, block_size: usize, hasher: S) -> Self {
        let buckets = vec![NIL; num_blocks.next_power_of_two()];
        Self { hasher, block_size, buckets, nodes: Vec::new(), tokens: Vec::new(), vacant: Vec::new(), last_identity: ROOT }
    }

    /// The node of these tokens (one block of them) after this parent.
    pub(super) fn find(&self, parent: u64, namespace: &[u8], tokens: &[u32]) -> Option<u32> {
        let mut at = self.buckets[self.bucket(parent, namespace, tokens)];
        while at != NIL && !self.is(at, parent, namespace, tokens) {
            at = self.nodes[at as usize].next;
        }
        (at != NIL).then_some(at)
    }

    /// Adds a node that is not there yet, held by `block`.
    pub(super) fn insert(&mut self, parent: u64, namespace: &Arc<[u8]>, tokens: &[u32], block: u32) -> u32 {
        let bucket = self.bucket(parent, namespace, tokens);
        self.last_identity += 1;
        let node = Node {
            identity: self.last_identity,
            parent,
            namespace: (parent == ROOT).then(|| Arc::clone(namespace)),
            bucket: bucket as u32,
            next: self.buckets[bucket],
            block,
        };
        let at = self.place(node, tokens);
        self.buckets[bucket] = at;
        at
    }

    /// Forgets a node: its text is found no more, its identity is nobody's again.
    pub(super) fn remove(&mut self, at: u32) {
        let (bucket, next) = (self.nodes[at as usize].bucket as usize, self.nodes[at as usize].next);
        if self.buckets[bucket] == at {
            self.buckets[bucket] = next;
        } else {
            let before = self.before(bucket, at);
            self.nodes[before as usize].next = next;
        }
        self.nodes[at as usize].namespace = None;
        self.vacant.push(at);
    }

    pub(super) fn identity(&self, at: u32) -> u64 {
        self.nodes[at as usize].identity
    }

    /// A block that holds this node's text.
    pub(super) fn block(&self, at: u32) -> u32 {
        self.nodes[at as usize].block
    }

    pub(super) fn set_block(&mut self, at: u32, block: u32) {
        self.nodes[at as usize].block = block;
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len() - self.vacant.len()
    }

    /// The identities of a node's parent and of the node, for the check of invariants.
    #[cfg(test)]
    pub(super) fn kinship(&self, at: u32) -> (u64, u64) {
        (self.nodes[at as usize].parent, self.nodes[at as usize].identity)
    }

    fn is(&self, at: u32, parent: u64, namespace: &[u8], tokens: &[u32]) -> bool {
        let node = &self.nodes[at as usize];
        let start = at as usize * self.block_size;
        node.parent == parent
            && self.tokens[start..start + self.block_size] == *tokens
            && node.namespace.as_ref().is_none_or(|own| **own == *namespace)
    }

    fn bucket(&self, parent: u64, namespace: &[u8], tokens: &[u32]) -> usize {
        let namespace = if parent == ROOT { namespace } else { &[] };
        self.hasher.hash_one((parent, namespace, tokens)) as usize & (self.buckets.len() - 1)
    }

    fn place(&mut self, node: Node, tokens: &[u32]) -> u32 {
        if let Some(at) = self.vacant.pop() {
            let start = at as usize * self.block_size;
            self.tokens[start..start + self.block_size].copy_from_slice(tokens);
            self.nodes[at as usize] = node;
            return at;
        }
        self.tokens.extend_from_slice(tokens);
        self.nodes.push(node);
        self.nodes.len() as u32 - 1
    }

    fn before(&self, bucket: usize, at: u32) -> u32 {
        let mut before = self.buckets[bucket];
        while self.nodes[before as usize].next != at {
            before = self.nodes[before as usize].next;
        }
        before
    }
}
