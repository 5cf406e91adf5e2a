use jarre_kernels::kv::RaggedBatch;
use jarre_kernels::{RopePairs, Rotation};

use super::adapter::AdaptedRows;

/// What every layer of a step reads beside its rows.
#[derive(Debug)]
pub(super) struct Step<'a> {
    pub(super) batch: RaggedBatch<'a>,
    /// Tokens.
    pub(super) rows: usize,
    /// The place of every token in the cache.
    pub(super) slots: Vec<usize>,
    pub(super) angles: Option<Angles>,
    /// Rows that adapters are added to.
    pub(super) adapted: Vec<AdaptedRows<'a>>,
}

/// Cosines and sines of every token's position, `[rows, dim / 2]`.
#[derive(Debug)]
pub(super) struct Angles {
    pub(super) cos: Vec<f32>,
    pub(super) sin: Vec<f32>,
    pub(super) pairs: RopePairs,
}

impl Angles {
    pub(super) fn rotation(&self) -> Rotation<'_> {
        Rotation { cos: &self.cos, sin: &self.sin, pairs: self.pairs }
    }
}
