//! Products of 8-bit weights in two halves: the integer sums, and what is made of them.
//!
//! Where a layer's inputs are cut over several workers, each has the sums over its own. Those add up exactly, in any order, to the sums of
//! the whole layer, which then give the bits that the whole layer gives.

use super::cpu::Level;
use super::epilogue::{Epilogue, Values};
use super::int8::Int8Weights;
use super::matmul::{Context, Panels, Product};
use super::matrix::PackedMatrix;
use super::quantized_rows::{Block, QuantizedRows};
use super::tile::{PANEL, Sums};

impl Int8Weights {
    /// The sums of products of integers, `[m, n]`.
    ///
    /// # Panics
    /// Where the rows are not of as many values as there are inputs.
    pub fn integer_sums(&self, x: &QuantizedRows) -> Vec<i32> {
        self.check_width(x);
        let mut bits = vec![0.0; x.rows() * self.outputs()];
        let weights = [&Integers(self)];
        Product { context: Context::default(), blocks: x.blocks(), m: x.rows(), weights }.write(&mut bits, &Epilogue::default());
        bits.into_iter().map(|bits| bits.to_bits().cast_signed()).collect()
    }

    /// What [`matmul_quantized`](PackedMatrix::matmul_quantized) makes of integer sums `[m, n]` of rows with these scales `[m]`: scaled, and
    /// through the epilogue to `out` `[m, n]`.
    ///
    /// # Panics
    /// Where the sizes do not fit each other.
    pub fn finish_sums(&self, sums: &[i32], row_scales: &[f32], out: &mut [f32], epilogue: &Epilogue<'_>) {
        let (m, n) = (row_scales.len(), self.outputs());
        assert_eq!([sums.len(), out.len()], [m * n; 2], "sums and outputs of {m} rows of {n} outputs");
        epilogue.check(m, n);
        Context::default().pool.edit_chunks(out, n.max(1), |row, out| {
            let sums = &sums[row * n..(row + 1) * n];
            self.finish_row(sums, row_scales[row], out, |out, values, column| epilogue.write(out, values, column, row * n + column));
        });
    }

    /// One row, panel by panel.
    fn finish_row(&self, sums: &[i32], row_scale: f32, out: &mut [f32], write: impl Fn(&mut [f32], Values, usize)) {
        let panels = out.chunks_mut(PANEL).zip(sums.chunks(PANEL)).zip(&self.scales);
        for (panel, ((out, sums), scales)) in panels.enumerate() {
            let mut values = Values::ZERO;
            for ((value, sum), scale) in values.0.iter_mut().zip(sums).zip(scales) {
                *value = *sum as f32 * row_scale * scale;
            }
            write(out, values, panel * PANEL);
        }
    }
}

/// Weights whose products are the bits of integer sums. Those are moved, never computed with, until they are integers again.
struct Integers<'a>(&'a Int8Weights);

impl Panels for Integers<'_> {
    type Block = Block;
    type Sums = Sums<i32>;

    fn shape(&self) -> [usize; 2] {
        self.0.shape()
    }

    fn panel_bytes(&self) -> usize {
        self.0.panel_bytes()
    }

    fn multiply(&self, level: Level, blocks: &[Block], panel: usize, sums: &mut [Sums<i32>]) {
        self.0.multiply(level, blocks, panel, sums);
    }

    #[inline(always)]
    fn values(&self, _block: &Block, _panel: usize, row: usize, sums: &Sums<i32>) -> Values {
        Values(sums.0[row].map(|sum| f32::from_bits(sum.cast_unsigned())))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::largest_magnitudes;
    use super::*;

    fn noise(count: usize, step: f32) -> Vec<f32> {
        (0..count).map(|i| (i as f32 * step).sin() * 3.0).collect()
    }

    /// Columns `start..end` of rows of `k` values.
    fn part<T: Copy>(rows: &[T], k: usize, range: std::ops::Range<usize>) -> Vec<T> {
        rows.chunks_exact(k).flat_map(|row| &row[range.clone()]).copied().collect()
    }

    proptest! {
        #[test]
        fn sums_over_parts_of_the_inputs_add_up_to_the_bits_of_the_whole(
            m in 1_usize..40, n in 1_usize..70, left in 1_usize..140, right in 1_usize..140, wild in any::<bool>(),
        ) {
            let k = left + right;
            let mut x = noise(m * k, 0.71);
            if wild {
                x[k - 1] = f32::INFINITY;
                x[(m - 1) * k] = 1e20;
            }
            let (weights, bias, before) = (Int8Weights::quantize(&noise(n * k, 0.37), n, k), noise(n, 0.19), noise(m * n, 0.11));
            let (integers, scales) = weights.parts();
            let ranges = [0..left, left..k];
            let parts = ranges.clone().map(|range| part(&x, k, range));
            let [a, b] = [0, 1].map(|at| largest_magnitudes(&parts[at], ranges[at].len()));
            let largest: Vec<f32> = a.iter().zip(&b).map(|(a, b)| f32::from_bits(a.to_bits().max(b.to_bits()))).collect();
            let (mut sums, mut row_scales) = (vec![0; m * n], Vec::new());
            for (range, x) in ranges.into_iter().zip(&parts) {
                let rows = QuantizedRows::quantize_parts(x, range.len(), &largest);
                let weights = Int8Weights::from_parts(&part(&integers, k, range.clone()), &scales, n, range.len());
                sums.iter_mut().zip(weights.integer_sums(&rows)).for_each(|(sum, part)| *sum += part);
                row_scales = (0..m).map(|row| rows.scale(row)).collect();
            }
            let epilogue = Epilogue::default().with_bias(&bias).onto_output();
            let (mut ours, mut whole) = (before.clone(), before);
            weights.finish_sums(&sums, &row_scales, &mut ours, &epilogue);
            weights.matmul(&x, &mut whole, &epilogue);
            let bits = |values: &[f32]| values.iter().map(|value| if value.is_nan() { 1 } else { value.to_bits() }).collect::<Vec<_>>();
            prop_assert_eq!(bits(&ours), bits(&whole));
        }
    }

    #[test]
    #[should_panic(expected = "the largest of all its parts")]
    fn a_magnitude_that_is_too_small_is_refused() {
        QuantizedRows::quantize_parts(&[1.0, -3.0], 2, &[2.0]);
    }
}
