//! Inputs of a product, quantised row by row.

use super::cpu::Level;
use super::matmul::{Context, Rows};
use super::tile::{BLOCK, STEP};

/// Values below which quantising on one thread takes less time than waking another.
const SMALL: usize = 1 << 15;

/// Adding `1.5 * 2^23` rounds a small number to the nearest integer, ties to even, which then stands in its low bits.
const ROUND: f32 = 12_582_912.0;

/// Rows `[m, k]` of 8-bit integers with one scale each, `max |x| / 127`: quantised once, multiplied by any number of weights.
///
/// A row that holds a NaN or an infinity has NaN for its scale, so that every result of that row is NaN and no other row's. A row whose
/// largest magnitude is below `3.8e-37` counts as zeros.
#[derive(Clone, Debug)]
pub struct QuantizedRows {
    blocks: Vec<Block>,
    m: usize,
    k: usize,
}

/// Up to twelve rows.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// Four inputs at a time, row by row, each 128 above its value: `[k / 4, rows, 4]`. Beyond `k` there are zeros, as 128.
    pub(super) values: Vec<[u8; STEP]>,
    pub(super) scales: [f32; BLOCK],
    pub(super) rows: usize,
}

impl QuantizedRows {
    /// Quantises rows `[m, k]`, one after another in `x`.
    ///
    /// # Panics
    /// Where `x` is not `m * k` values.
    pub fn quantize(x: &[f32], m: usize, k: usize) -> Self {
        Self::quantize_in(Context::default(), x, m, k)
    }

    /// [`quantize`](Self::quantize) with given instructions and threads.
    ///
    /// # Panics
    /// Where `x` is not `m * k` values.
    pub fn quantize_in(context: Context<'_>, x: &[f32], m: usize, k: usize) -> Self {
        assert_eq!(x.len(), m * k, "values of {m} rows of {k}");
        Self::build(context, m, k, |first, rows| Block::quantize(context.level, &x[first * k..(first + rows) * k], rows, k))
    }

    /// Quantises rows that `fill` writes, given a row's index and place.
    pub(super) fn from_rows(context: Context<'_>, m: usize, k: usize, fill: impl Fn(usize, &mut [f32]) + Sync) -> Self {
        Self::build(context, m, k, |first, rows| {
            let mut x = vec![0.0; rows * k];
            (0..rows).for_each(|row| fill(first + row, &mut x[row * k..(row + 1) * k]));
            Block::quantize(context.level, &x, rows, k)
        })
    }

    /// `block` makes the rows from a first one on, given their number.
    fn build(context: Context<'_>, m: usize, k: usize, block: impl Fn(usize, usize) -> Block + Sync) -> Self {
        let mut blocks = vec![Block::default(); m.div_ceil(BLOCK)];
        let fill = |index: usize, place: &mut Block| *place = block(index * BLOCK, BLOCK.min(m - index * BLOCK));
        if m * k < SMALL {
            blocks.iter_mut().enumerate().for_each(|(index, block)| fill(index, block));
        } else {
            context.pool.edit_chunks(&mut blocks, 1, |index, block| block.iter_mut().for_each(|block| fill(index, block)));
        }
        Self { blocks, m, k }
    }

    /// Number of rows, `m`.
    pub fn rows(&self) -> usize {
        self.m
    }

    /// Values of a row, `k`.
    pub fn width(&self) -> usize {
        self.k
    }

    /// The scale of a row.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn scale(&self, row: usize) -> f32 {
        assert!(row < self.m, "row {row} of {}", self.m);
        self.blocks[row / BLOCK].scales[row % BLOCK]
    }

    /// The integers of a row, `[k]`.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn integers(&self, row: usize) -> Vec<i8> {
        assert!(row < self.m, "row {row} of {}", self.m);
        let block = &self.blocks[row / BLOCK];
        let steps = block.values.iter().skip(row % BLOCK).step_by(block.rows);
        steps.flatten().take(self.k).map(|&value| (value ^ 0x80) as i8).collect()
    }

    pub(super) fn blocks(&self) -> &[Block] {
        &self.blocks
    }
}

impl Rows for Block {
    fn rows(&self) -> usize {
        self.rows
    }
}

impl Block {
    fn quantize(level: Level, x: &[f32], rows: usize, k: usize) -> Self {
        let steps = k.div_ceil(STEP);
        let mut values = vec![[0; STEP]; steps * rows];
        let mut scales = [0.0; BLOCK];
        let mut integers = vec![[0x80; STEP]; steps];
        for (row, scale) in scales[..rows].iter_mut().enumerate() {
            *scale = quantize_row(level, &x[row * k..(row + 1) * k], &mut integers.as_flattened_mut()[..k]);
            for (values, integer) in values.chunks_exact_mut(rows).zip(&integers) {
                values[row] = *integer;
            }
        }
        Self { values, scales, rows }
    }
}

/// Writes a row's integers, each 128 above its value, and gives back the row's scale.
pub(super) fn quantize_row(level: Level, x: &[f32], integers: &mut [u8]) -> f32 {
    let largest = level.vectorize(
        #[inline(always)]
        || largest_magnitude(x),
    );
    let inverse = 127.0 / largest;
    if !largest.is_finite() || !inverse.is_finite() {
        integers.fill(0x80);
        return if largest.is_finite() { 0.0 } else { f32::NAN };
    }
    level.vectorize(
        #[inline(always)]
        || {
            for (integer, x) in integers.iter_mut().zip(x) {
                *integer = (x * inverse + ROUND).to_bits() as u8 ^ 0x80;
            }
        },
    );
    largest / 127.0
}

/// The largest magnitude of a row; not finite where a value is not, as the bits of NaN and infinity are above those of every number.
#[inline(always)]
fn largest_magnitude(x: &[f32]) -> f32 {
    f32::from_bits(x.iter().fold(0, |largest, x| largest.max(x.abs().to_bits())))
}
