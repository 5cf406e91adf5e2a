//! Attention of one sequence on one core, block of queries by block of queries, and the way back.

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;

use super::Attention;
use crate::matrix::{Matrix, Place, product_into};
use crate::rows::dot;
use crate::softmax::softmax_row;

/// Queries whose scores are made at a time.
pub(super) const BLOCK: usize = 64;

/// Sizes of one sequence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) queries: usize,
    pub(super) keys: usize,
    pub(super) heads: usize,
    pub(super) kv_heads: usize,
    pub(super) width: usize,
}

impl Sizes {
    pub(super) fn of(query: &FlexTensor, key: &FlexTensor) -> Self {
        let (query, key) = (query.shape(), key.shape());
        Self { queries: query[1], keys: key[1], heads: query[2], kv_heads: key[2], width: query[3] }
    }

    /// Rows `rows` of a head of `x [seq, heads, head_dim]`.
    fn head<'a>(&self, x: &'a [f32], heads: usize, head: usize, (first, end): (usize, usize)) -> Matrix<'a> {
        let stride = heads * self.width;
        Matrix::strided(&x[first * stride + head * self.width..], end - first, self.width, stride)
    }

    /// The same place for writing.
    fn place<'a>(&self, x: &'a mut [f32], heads: usize, head: usize, first: usize) -> Place<'a> {
        let row_stride = heads * self.width;
        Place { values: &mut x[first * row_stride + head * self.width..], row_stride }
    }

    /// Scores of a head.
    pub(super) fn scores(&self) -> usize {
        self.queries * self.keys
    }

    /// Blocks of queries.
    pub(super) fn blocks(&self) -> usize {
        self.queries.div_ceil(BLOCK)
    }
}

/// One sequence: queries, keys and values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sequence<'a> {
    pub(super) query: &'a [f32],
    pub(super) key: &'a [f32],
    pub(super) value: &'a [f32],
}

/// Some queries of a head.
struct Block<'a> {
    /// The first of them and the end.
    rows: (usize, usize),
    /// The keys from the first to the last that any of them sees.
    seen: (usize, usize),
    /// `[rows, keys]`.
    bias: Option<&'a [f32]>,
}

impl Attention {
    /// The blocks of queries of a head.
    fn blocks(&self, sizes: Sizes, batch: usize, head: usize) -> impl Iterator<Item = Block<'_>> {
        (0..sizes.blocks()).map(move |index| self.block(sizes, batch, head, index))
    }

    fn block(&self, sizes: Sizes, batch: usize, head: usize, index: usize) -> Block<'_> {
        let rows = (index * BLOCK, ((index + 1) * BLOCK).min(sizes.queries));
        let bias = self.bias.as_ref().map(|bias| bias.of(batch, head, sizes.scores(), sizes.blocks()));
        match bias {
            Some((bias, seen)) => Block { rows, seen: seen[index], bias: Some(&bias[rows.0 * sizes.keys..rows.1 * sizes.keys]) },
            None => Block { rows, seen: (0, sizes.keys), bias: None },
        }
    }

    /// Attention of one sequence: `weights [heads, queries, keys]`, all zero before, and `output [queries, heads, head_dim]`.
    pub(super) fn attend(&self, sizes: Sizes, batch: usize, x: Sequence<'_>, weights: &mut [f32], output: &mut [f32]) {
        for (head, weights) in weights.chunks_exact_mut(sizes.scores()).enumerate() {
            for block in self.blocks(sizes, batch, head) {
                let place = Place { values: &mut weights[block.rows.0 * sizes.keys + block.seen.0..], row_stride: sizes.keys };
                self.attend_block(sizes, head, &block, x, place, sizes.place(output, sizes.heads, head, block.rows.0));
            }
        }
    }

    /// Writes the weights of seen keys to `scores`, and what they mix to `output`.
    fn attend_block(&self, sizes: Sizes, head: usize, block: &Block<'_>, x: Sequence<'_>, mut scores: Place<'_>, mut output: Place<'_>) {
        let (kv_head, (first, end)) = (head / self.group, block.seen);
        let (count, stride) = (block.rows.1 - block.rows.0, scores.row_stride);
        let queries = sizes.head(x.query, sizes.heads, head, block.rows);
        let keys = sizes.head(x.key, sizes.kv_heads, kv_head, block.seen);
        product_into(&mut scores, queries, keys.transposed(), self.scale, false);
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                for (index, row) in scores.values.chunks_mut(stride).take(count).enumerate() {
                    let row = &mut row[..end - first];
                    if let Some(bias) = block.bias {
                        for (score, bias) in row.iter_mut().zip(&bias[index * sizes.keys + first..]) {
                            *score += bias;
                        }
                    }
                    softmax_row(row);
                }
            },
        );
        let weights = Matrix::strided(scores.values, count, end - first, stride);
        product_into(&mut output, weights, sizes.head(x.value, sizes.kv_heads, kv_head, block.seen), 1.0, false);
    }

    /// Gradients of one sequence from that of its output, added to `gradients`.
    pub(super) fn pull_back(
        &self,
        sizes: Sizes,
        batch: usize,
        x: Sequence<'_>,
        weights: &[f32],
        gradient: &[f32],
        [dq, dk, dv]: [&mut [f32]; 3],
    ) {
        let arch = pulp::Arch::new();
        let mut slopes = vec![0.0; BLOCK.min(sizes.queries) * sizes.keys];
        for (head, weights) in weights.chunks_exact(sizes.scores()).enumerate() {
            let kv_head = head / self.group;
            for Block { rows, seen, .. } in self.blocks(sizes, batch, head) {
                let (count, width) = (rows.1 - rows.0, seen.1 - seen.0);
                let block = &weights[rows.0 * sizes.keys..rows.1 * sizes.keys];
                let weights = Matrix::strided(&block[seen.0..], count, width, sizes.keys);
                let gradient = sizes.head(gradient, sizes.heads, head, rows);
                product_into(&mut sizes.place(dv, sizes.kv_heads, kv_head, seen.0), weights.transposed(), gradient, 1.0, true);
                let values = sizes.head(x.value, sizes.kv_heads, kv_head, seen);
                product_into(&mut Place { values: &mut slopes, row_stride: width }, gradient, values.transposed(), 1.0, false);
                arch.dispatch(
                    #[inline(always)]
                    || {
                        for (slope, weights) in slopes.chunks_exact_mut(width).zip(block.chunks_exact(sizes.keys)) {
                            let weights = &weights[seen.0..seen.1];
                            let mean = dot(slope, weights);
                            for (slope, weight) in slope.iter_mut().zip(weights) {
                                *slope = weight * (*slope - mean);
                            }
                        }
                    },
                );
                let slopes = Matrix::strided(&slopes, count, width, width);
                let keys = sizes.head(x.key, sizes.kv_heads, kv_head, seen);
                product_into(&mut sizes.place(dq, sizes.heads, head, rows.0), slopes, keys, self.scale, false);
                let queries = sizes.head(x.query, sizes.heads, head, rows);
                product_into(&mut sizes.place(dk, sizes.kv_heads, kv_head, seen.0), slopes.transposed(), queries, self.scale, true);
            }
        }
    }
}
