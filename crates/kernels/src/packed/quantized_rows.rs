//! Inputs of a product, quantised row by row.

use super::cpu::Level;
use super::matmul::{Context, Rows};
use super::tile::BLOCK;
pub(super) use crate::amx::{LINE, ROWS};

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
    /// Rows of every block but the last.
    height: usize,
    m: usize,
    k: usize,
}

/// Up to [`ROWS`] rows.
#[derive(Clone, Debug)]
pub struct Block {
    /// 64 inputs at a time, row by row: `[k / 64, rows]`.
    pub(super) lines: Vec<Line>,
    pub(super) scales: [f32; ROWS],
    pub(super) rows: usize,
}

/// 64 inputs of a row, each 128 above its value. Beyond `k` there are zeros, as 128.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [u8; LINE]);

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
        Self::build(context, m, k, |first, rows| Block::quantize(context.level, &x[first * k..(first + rows) * k], rows, k, None))
    }

    /// Parts `[m, k]` of rows that lie cut over several workers, with the scales of whole rows: `largest` has the largest magnitude of each
    /// whole row, of which [`largest_magnitudes`] of the parts are the candidates. The integers are those that the whole row has there.
    ///
    /// # Panics
    /// Where `x` is not `m * k` values for the `m` magnitudes of `largest`, or a part has a value above its row's magnitude.
    pub fn quantize_parts(x: &[f32], k: usize, largest: &[f32]) -> Self {
        let (context, m) = (Context::default(), largest.len());
        assert_eq!(x.len(), m * k, "values of {m} rows of {k}");
        let within = |(row, largest): (&[f32], &f32)| largest_magnitude(row).to_bits() <= largest.to_bits();
        assert!(k == 0 || x.chunks_exact(k).zip(largest).all(within), "a row's magnitude is the largest of all its parts");
        Self::build(context, m, k, |first, rows| {
            Block::quantize(context.level, &x[first * k..(first + rows) * k], rows, k, Some(&largest[first..first + rows]))
        })
    }

    /// Quantises rows that `fill` writes, given a row's index and place.
    pub(super) fn from_rows(context: Context<'_>, m: usize, k: usize, fill: impl Fn(usize, &mut [f32]) + Sync) -> Self {
        Self::build(context, m, k, |first, rows| {
            let mut x = vec![0.0; rows * k];
            (0..rows).for_each(|row| fill(first + row, &mut x[row * k..(row + 1) * k]));
            Block::quantize(context.level, &x, rows, k, None)
        })
    }

    /// `block` makes the rows from a first one on, given their number.
    fn build(context: Context<'_>, m: usize, k: usize, block: impl Fn(usize, usize) -> Block + Sync) -> Self {
        let height = height(context.level);
        let mut blocks = vec![Block::EMPTY; m.div_ceil(height)];
        let fill = |index: usize, place: &mut Block| *place = block(index * height, height.min(m - index * height));
        if m * k < SMALL {
            blocks.iter_mut().enumerate().for_each(|(index, block)| fill(index, block));
        } else {
            context.pool.edit_chunks(&mut blocks, 1, |index, block| block.iter_mut().for_each(|block| fill(index, block)));
        }
        Self { blocks, height, m, k }
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
        self.blocks[row / self.height].scales[row % self.height]
    }

    /// The integers of a row, `[k]`.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn integers(&self, row: usize) -> Vec<i8> {
        assert!(row < self.m, "row {row} of {}", self.m);
        self.lines(row).flat_map(|line| line.0).take(self.k).map(|value| (value ^ 0x80) as i8).collect()
    }

    /// A row's inputs, each 128 above its value, 64 by 64; at the end there may be zeros more.
    pub(super) fn lines(&self, row: usize) -> impl Iterator<Item = &Line> {
        let block = &self.blocks[row / self.height];
        block.lines.iter().skip(row % self.height).step_by(block.rows)
    }

    pub(super) fn blocks(&self) -> &[Block] {
        &self.blocks
    }
}

/// The largest magnitude of each row of `x` `[m, k]`, `[m]`; infinite or NaN where a value is. They compare as their bits do.
///
/// # Panics
/// Where `x` is not whole rows, or rows have no values.
pub fn largest_magnitudes(x: &[f32], k: usize) -> Vec<f32> {
    assert!(k > 0 && x.len().is_multiple_of(k), "{} values are no rows of {k}", x.len());
    let level = Context::default().level;
    x.chunks_exact(k).map(|row| magnitude(level, row)).collect()
}

/// Rows that a level computes together; every level takes blocks of any height.
fn height(level: Level) -> usize {
    if level.tiles.is_some() { ROWS } else { BLOCK }
}

impl Rows for Block {
    fn rows(&self) -> usize {
        self.rows
    }
}

impl Block {
    const EMPTY: Self = Self { lines: Vec::new(), scales: [0.0; ROWS], rows: 0 };

    /// Rows of the largest magnitudes that are given, or that they have.
    fn quantize(level: Level, x: &[f32], rows: usize, k: usize, largest: Option<&[f32]>) -> Self {
        let mut lines = vec![Line([0x80; LINE]); k.div_ceil(LINE) * rows];
        let mut scales = [0.0; ROWS];
        for (row, scale) in scales[..rows].iter_mut().enumerate() {
            let lines = lines.iter_mut().skip(row).step_by(rows).map(|line| line.0.as_mut_slice());
            let x = &x[row * k..(row + 1) * k];
            *scale = quantize_row_to(level, x, largest.map_or_else(|| magnitude(level, x), |largest| largest[row]), lines);
        }
        Self { lines, scales, rows }
    }
}

/// Writes a row's integers, each 128 above its value, to lines of [`LINE`] of them, and gives back the row's scale.
pub(super) fn quantize_row<'a>(level: Level, x: &[f32], lines: impl Iterator<Item = &'a mut [u8]>) -> f32 {
    quantize_row_to(level, x, magnitude(level, x), lines)
}

/// The same with the scale of a row whose largest magnitude is `largest`.
fn quantize_row_to<'a>(level: Level, x: &[f32], largest: f32, lines: impl Iterator<Item = &'a mut [u8]>) -> f32 {
    let inverse = 127.0 / largest;
    let lines = lines.zip(x.chunks(LINE));
    if !largest.is_finite() || !inverse.is_finite() {
        lines.for_each(|(line, x)| line[..x.len()].fill(0x80));
        return if largest.is_finite() { 0.0 } else { f32::NAN };
    }
    level.vectorize(
        #[inline(always)]
        || {
            for (line, x) in lines {
                match (line.first_chunk_mut::<LINE>(), x.first_chunk::<LINE>()) {
                    (Some(line), Some(x)) => quantize_line(line, x, inverse),
                    _ => quantize_line(line, x, inverse),
                }
            }
        },
    );
    largest / 127.0
}

#[inline(always)]
fn quantize_line(line: &mut [u8], x: &[f32], inverse: f32) {
    for (integer, x) in line.iter_mut().zip(x) {
        *integer = (x * inverse + ROUND).to_bits() as u8 ^ 0x80;
    }
}

fn magnitude(level: Level, x: &[f32]) -> f32 {
    level.vectorize(
        #[inline(always)]
        || largest_magnitude(x),
    )
}

/// The largest magnitude of a row; not finite where a value is not, as the bits of NaN and infinity are above those of every number.
#[inline(always)]
fn largest_magnitude(x: &[f32]) -> f32 {
    f32::from_bits(x.iter().fold(0, |largest, x| largest.max(x.abs().to_bits())))
}
