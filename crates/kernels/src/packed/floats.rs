//! Inputs that stay f32: weights are widened while they go by.

use super::cpu::Level;
use super::epilogue::Values;
use super::matmul::{Panels, Rows};
use super::matrix::PackedMatrix;
use super::tile::{BLOCK, PANEL, STEP};

/// Inputs of one round, whose weights are widened together.
pub(super) const ROUND: usize = 2 * STEP;

/// Up to twelve rows of f32, with zeros up to whole rounds.
#[derive(Debug)]
pub(super) struct FloatBlock {
    /// `[rows, k / 8, 8]`.
    values: Vec<[f32; ROUND]>,
    rows: usize,
}

impl FloatBlock {
    /// Blocks of rows `x` `[m, k]`.
    pub(super) fn all(x: &[f32], m: usize, k: usize) -> Vec<Self> {
        let block = |first: usize| {
            let rows = BLOCK.min(m - first);
            let rounds = k.div_ceil(ROUND);
            let mut values = vec![[0.0; ROUND]; rows * rounds];
            for row in 0..rows {
                values[row * rounds..(row + 1) * rounds].as_flattened_mut()[..k].copy_from_slice(&x[(first + row) * k..][..k]);
            }
            Self { values, rows }
        };
        (0..m).step_by(BLOCK).map(block).collect()
    }
}

impl Rows for FloatBlock {
    fn rows(&self) -> usize {
        self.rows
    }
}

/// Weights that are multiplied by rows of f32.
#[derive(Debug)]
pub(super) struct Floats<'a, P>(pub(super) &'a P);

/// The sums of the inputs at each of four places, `[32, 4]` for each row.
#[derive(Clone, Copy, Debug)]
pub(super) struct FloatSums([[f32; PANEL * STEP]; BLOCK]);

impl Default for FloatSums {
    fn default() -> Self {
        Self([[0.0; PANEL * STEP]; BLOCK])
    }
}

impl<P: PackedMatrix> Panels for Floats<'_, P> {
    type Block = FloatBlock;
    type Sums = FloatSums;

    fn shape(&self) -> [usize; 2] {
        self.0.shape()
    }

    fn panel_bytes(&self) -> usize {
        self.0.panel_bytes()
    }

    fn multiply(&self, level: Level, blocks: &[FloatBlock], panel: usize, sums: &mut [FloatSums]) {
        for (block, sums) in blocks.iter().zip(sums) {
            level.vectorize(
                #[inline(always)]
                || self.multiply_block(block, panel, sums),
            );
        }
    }

    #[inline(always)]
    fn values(&self, _block: &FloatBlock, _panel: usize, row: usize, sums: &FloatSums) -> Values {
        let sums = sums.0[row].as_chunks::<STEP>().0;
        Values(std::array::from_fn(|output| {
            let [a, b, c, d] = sums[output];
            (a + b) + (c + d)
        }))
    }
}

impl<P: PackedMatrix> Floats<'_, P> {
    #[inline(always)]
    fn multiply_block(&self, block: &FloatBlock, panel: usize, sums: &mut FloatSums) {
        let rounds = self.0.shape()[1].div_ceil(ROUND);
        *sums = FloatSums::default();
        let mut weights = [[0.0; PANEL * STEP]; 2];
        for round in 0..rounds {
            self.0.widen(panel, round, &mut weights);
            for (row, sums) in sums.0[..block.rows].iter_mut().enumerate() {
                let inputs = block.values[row * rounds + round].as_chunks::<STEP>().0;
                for (inputs, weights) in inputs.iter().zip(&weights) {
                    for (sums, weights) in sums.as_chunks_mut::<STEP>().0.iter_mut().zip(weights.as_chunks::<STEP>().0) {
                        for ((sum, weight), input) in sums.iter_mut().zip(weights).zip(inputs) {
                            *sum += weight * input;
                        }
                    }
                }
            }
        }
    }
}
