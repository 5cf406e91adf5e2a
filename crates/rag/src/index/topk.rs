//! The best k of a stream, in an order that does not depend on the order of arrival.

use std::{cmp::Ordering, collections::BinaryHeap};

use super::Hit;
use crate::{Chunk, ChunkId};

/// Keeps the best `k` candidates: higher scores first, the smaller chunk id first among equal scores.
#[derive(Debug)]
pub(super) struct TopK<'a> {
    k: usize,
    heap: BinaryHeap<Candidate<'a>>,
}

impl<'a> TopK<'a> {
    pub(super) fn new(k: usize) -> Self {
        Self { k, heap: BinaryHeap::new() }
    }

    /// Whether a candidate would be kept; cheaper than making one.
    pub(super) fn admits(&self, score: f32, chunk: impl FnOnce() -> &'a Chunk) -> bool {
        if self.heap.len() < self.k {
            return true;
        }
        let Some(worst) = self.heap.peek() else { return false };
        match score.total_cmp(&worst.score) {
            Ordering::Greater => true,
            Ordering::Equal => chunk().id < *worst.id,
            Ordering::Less => false,
        }
    }

    pub(super) fn push(&mut self, score: f32, chunk: &'a Chunk) {
        self.heap.push(Candidate { score, id: &chunk.id });
        if self.heap.len() > self.k {
            self.heap.pop();
        }
    }

    pub(super) fn into_hits(self) -> Vec<Hit> {
        self.heap.into_sorted_vec().into_iter().map(|best| Hit { chunk: best.id.clone(), score: best.score }).collect()
    }
}

/// Ordered so that the greatest is the worst: the one a heap hands out first.
#[derive(Debug)]
struct Candidate<'a> {
    score: f32,
    id: &'a ChunkId,
}

impl Ord for Candidate<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.score.total_cmp(&self.score).then_with(|| self.id.cmp(other.id))
    }
}

impl PartialOrd for Candidate<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate<'_> {}
