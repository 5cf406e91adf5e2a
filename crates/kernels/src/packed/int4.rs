//! Weights of 4 bits with a scale for every group of inputs.

use std::ops::Range;

use super::cpu::Level;
use super::epilogue::Values;
use super::int4_amx::{self, TileBlock};
use super::int4_tile::{self, Int4Panel, Pair, SignedBlock, Zeros};
use super::matmul::{Context, Panels, Rows};
use super::matrix::PackedMatrix;
use super::pool::{Pool, chunk};
use super::quantized_rows::{LINE, QuantizedRows, ROWS};
use super::tile::{BLOCK, PANEL, STEP, Sums};

/// Inputs that a pair of steps holds; groups are whole pairs.
pub(super) const PAIR: usize = 2 * STEP;

/// The code that stands for zero where groups have no zero point.
pub(super) const MIDDLE: u8 = 8;

/// So few rows are multiplied no slower by vectors than by tiles.
const FEW_ROWS: usize = 8;

/// A linear layer's weights `[n, k]` in four bits: `(code - zero) scale`, with a code of 0 to 15, and a scale for every `group` neighbours
/// of a row; `zero` is 8, or a number of 0 to 16 for every group.
///
/// They are packed in panels of 32 outputs, eight inputs after eight, two codes a byte, beside `4 n k / group` bytes of scales: a product
/// of one row reads `(1/2 + 4/group)` bytes a weight. Integer sums of a group are exact; groups are added up in f32 from the first to the
/// last, whatever the number of rows.
#[derive(Clone, Debug)]
pub struct Int4Weights {
    pairs: Vec<Pair>,
    /// `[n / 32, k / group, 32]`.
    scales: Vec<[f32; PANEL]>,
    /// The same shape, where groups have zero points.
    zeros: Option<Vec<[u8; PANEL]>>,
    n: usize,
    k: usize,
    group: usize,
}

impl Int4Weights {
    /// Rounds rows `[n, k]` to the nearest, without zero points: the value of largest magnitude of a group becomes code 0, so that all
    /// sixteen are used. An output with a NaN or infinite weight is NaN for every input.
    ///
    /// # Panics
    /// As [`from_parts`](Self::from_parts).
    pub fn quantize(weights: &[f32], n: usize, k: usize, group: usize) -> Self {
        assert_eq!(weights.len(), n * k, "weights of {n} outputs of {k} inputs");
        check_group(group, k);
        let scales: Vec<f32> = weights.chunks_exact(group).map(scale).collect();
        let code = |(weight, scale): (f32, f32)| (weight / scale + f32::from(MIDDLE)).round_ties_even().clamp(0.0, 15.0) as u8;
        let codes: Vec<u8> = weights.iter().enumerate().map(|(index, weight)| code((*weight, scales[index / group]))).collect();
        Self::from_parts(&codes, &scales, None, [n, k], group)
    }

    /// Codes `[n, k]`, scales and zero points `[n, k / group]` that were made elsewhere.
    ///
    /// # Panics
    /// Where their numbers do not fit, a code is above 15 or a zero point above 16, or `group` is not a multiple of 8 that divides `k`, or
    /// is above 65,536, from where sums might not fit 32 bits.
    pub fn from_parts(codes: &[u8], scales: &[f32], zeros: Option<&[u8]>, [n, k]: [usize; 2], group: usize) -> Self {
        assert_eq!(codes.len(), n * k, "weights of {n} outputs of {k} inputs");
        check_group(group, k);
        let groups = k / group;
        assert_eq!(scales.len(), n * groups, "scales of {n} outputs of {groups} groups");
        assert!(codes.iter().all(|&code| code < 16), "a code above 15");
        if let Some(zeros) = zeros {
            assert_eq!(zeros.len(), n * groups, "zero points of {n} outputs of {groups} groups");
            assert!(zeros.iter().all(|&zero| zero <= 16), "a zero point above 16");
        }
        Self {
            pairs: pack(codes, n, k),
            scales: panels(scales, n, groups),
            zeros: zeros.map(|zeros| panels(zeros, n, groups)),
            n,
            k,
            group,
        }
    }

    /// Codes `[n, k]`, scales and zero points `[n, k / group]`, as [`from_parts`](Self::from_parts) takes them.
    pub fn parts(&self) -> (Vec<u8>, Vec<f32>, Option<Vec<u8>>) {
        let depth = self.depth();
        let row = |output: usize| {
            let (panel, column) = (output / PANEL, output % PANEL);
            self.pairs[panel * depth..(panel + 1) * depth].iter().flat_map(move |pair| pair.codes(column))
        };
        let codes = (0..self.n).flat_map(row).collect();
        let zeros = self.zeros.as_ref().map(|zeros| rows(zeros, self.n, self.groups()));
        (codes, rows(&self.scales, self.n, self.groups()), zeros)
    }

    /// Neighbours that share a scale.
    pub fn group(&self) -> usize {
        self.group
    }

    fn groups(&self) -> usize {
        self.k / self.group
    }

    /// Pairs of steps of a panel.
    fn depth(&self) -> usize {
        self.k / PAIR
    }

    fn panel(&self, index: usize) -> Int4Panel<'_> {
        let (depth, groups) = (self.depth(), self.groups());
        let range = index * groups..(index + 1) * groups;
        Int4Panel {
            pairs: &self.pairs[index * depth..(index + 1) * depth],
            scales: &self.scales[range.clone()],
            zeros: self.zeros.as_ref().map_or(Zeros::Middle, |zeros| Zeros::Each(&zeros[range])),
            pairs_per_group: self.group / PAIR,
        }
    }
}

/// A block of rows, as vectors or as tiles read them.
#[derive(Clone, Debug)]
pub enum Int4Block {
    Vectors(SignedBlock),
    Tiles(TileBlock),
}

impl Rows for Int4Block {
    fn rows(&self) -> usize {
        match self {
            Self::Vectors(block) => block.rows,
            Self::Tiles(block) => block.rows,
        }
    }
}

impl Panels for Int4Weights {
    type Block = Int4Block;
    type Sums = Sums<f32>;

    fn shape(&self) -> [usize; 2] {
        [self.n, self.k]
    }

    fn panel_bytes(&self) -> usize {
        self.depth() * size_of::<Pair>() + self.groups() * size_of::<[f32; PANEL]>()
    }

    fn multiply(&self, level: Level, blocks: &[Int4Block], panel: usize, sums: &mut [Sums<f32>]) {
        let panel = self.panel(panel);
        let mut tiles = Vec::new();
        for (block, sums) in blocks.iter().zip(sums) {
            sums.0[..block.rows()].fill([0.0; PANEL]);
            match block {
                Int4Block::Vectors(block) => int4_tile::multiply(level, block, panel, &mut sums.0),
                Int4Block::Tiles(block) => tiles.push((block, sums)),
            }
        }
        if let Some(amx) = level.tiles {
            int4_amx::multiply(level, amx, &mut tiles, panel);
        }
    }

    #[inline(always)]
    fn values(&self, block: &Int4Block, _panel: usize, row: usize, sums: &Sums<f32>) -> Values {
        let scale = match block {
            Int4Block::Vectors(block) => block.scales[row],
            Int4Block::Tiles(block) => block.scales[row],
        };
        // A loop, as `map` makes one number after another.
        let mut values = Values::ZERO;
        values.0.iter_mut().zip(&sums.0[row]).for_each(|(value, sum)| *value = sum * scale);
        values
    }
}

impl PackedMatrix for Int4Weights {
    fn with_blocks(&self, context: Context<'_>, x: &QuantizedRows, run: impl FnOnce(&[Int4Block])) {
        let unit = int4_amx::unit(self.group).filter(|_| context.level.tiles.is_some() && x.rows() > FEW_ROWS);
        let height = if unit.is_some() { ROWS } else { BLOCK };
        let mut blocks: Vec<Option<Int4Block>> = Vec::new();
        blocks.resize_with(x.rows().div_ceil(height), || None);
        let edit = |index: usize, blocks: &mut [Option<Int4Block>]| {
            for (block, rows) in blocks.iter_mut().zip((index..).map(|index| chunk(index, height, x.rows()))) {
                *block = Some(match unit {
                    Some(unit) => Int4Block::Tiles(TileBlock::new(x, rows, unit)),
                    None => Int4Block::Vectors(signed(context.level, x, rows, self.group)),
                });
            }
        };
        if blocks.len() < 4 {
            edit(0, &mut blocks);
        } else {
            context.pool.edit_chunks(&mut blocks, 1, edit);
        }
        run(&blocks.into_iter().flatten().collect::<Vec<_>>());
    }

    #[inline(always)]
    fn widen(&self, panel: usize, step: usize, weights: &mut [[f32; PANEL * STEP]; 2]) {
        let pair = &self.pairs[panel * self.depth() + step].0;
        let group = panel * self.groups() + step * PAIR / self.group;
        let zeros = self.zeros.as_ref().map_or([MIDDLE; PANEL], |zeros| zeros[group]);
        let [low, high] = weights;
        let halves = low.as_chunks_mut::<STEP>().0.iter_mut().zip(high.as_chunks_mut::<STEP>().0);
        for (((low, high), bytes), (scale, zero)) in halves.zip(pair).zip(self.scales[group].iter().zip(zeros)) {
            let value = |code: u8| (f32::from(code) - f32::from(zero)) * scale;
            *low = bytes.map(|byte| value(byte & 15));
            *high = bytes.map(|byte| value(byte >> 4));
        }
    }

    fn dequantize(&self) -> Vec<f32> {
        let (codes, scales, zeros) = self.parts();
        let value = |(index, code): (usize, &u8)| {
            let group = index / self.group;
            (f32::from(*code) - f32::from(zeros.as_ref().map_or(MIDDLE, |zeros| zeros[group]))) * scales[group]
        };
        codes.iter().enumerate().map(value).collect()
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.pairs) + size_of_val(&*self.scales) + self.zeros.as_ref().map_or(0, |zeros| size_of_val(&**zeros))
    }
}

fn check_group(group: usize, k: usize) {
    let whole = group > 0 && group.is_multiple_of(PAIR) && k.is_multiple_of(group);
    assert!(whole, "groups of {group} for {k} inputs: take a multiple of {PAIR} that divides them");
    assert!(group <= 1 << 16, "groups of {group}, of which sums might not fit 32 bits; at most 65536");
}

/// The scale of a group; NaN where a weight is not finite.
fn scale(group: &[f32]) -> f32 {
    let extreme = group.iter().copied().fold(0.0_f32, |a, b| if b.abs() > a.abs() || b.is_nan() { b } else { a });
    match extreme {
        0.0 => 1.0,
        extreme if extreme.is_finite() => extreme / -f32::from(MIDDLE),
        _ => f32::NAN,
    }
}

/// Codes `[n, k]` as `[n / 32, k / 8]` pairs.
fn pack(codes: &[u8], n: usize, k: usize) -> Vec<Pair> {
    let depth = k / PAIR;
    let mut pairs = vec![Pair::ZERO; n.div_ceil(PANEL) * depth];
    Pool::global().edit_chunks(&mut pairs, depth.max(1), |panel, pairs| {
        for column in 0..PANEL.min(n - panel * PANEL) {
            let row = &codes[(panel * PANEL + column) * k..][..k];
            for (pair, codes) in pairs.iter_mut().zip(row.as_chunks().0) {
                pair.set_codes(column, *codes);
            }
        }
    });
    pairs
}

/// Values `[n, groups]` as `[n / 32, groups, 32]`, zeros beyond the last output.
fn panels<T: Copy + Default>(values: &[T], n: usize, groups: usize) -> Vec<[T; PANEL]> {
    let value = |output: usize, group: usize| if output < n { values[output * groups + group] } else { T::default() };
    let panel = |panel: usize| (0..groups).map(move |group| std::array::from_fn(|column| value(panel * PANEL + column, group)));
    (0..n.div_ceil(PANEL)).flat_map(panel).collect()
}

/// The way back.
fn rows<T: Copy>(panels: &[[T; PANEL]], n: usize, groups: usize) -> Vec<T> {
    let row = |output: usize| (0..groups).map(move |group| panels[output / PANEL * groups + group][output % PANEL]);
    (0..n).flat_map(row).collect()
}

/// Inputs of some rows as signed integers, and their sums over groups.
fn signed(level: Level, x: &QuantizedRows, range: Range<usize>, group: usize) -> SignedBlock {
    let (rows, k) = (range.len(), x.width());
    let mut block = SignedBlock { values: vec![[0; STEP]; k / STEP * rows], sums: vec![0; k / group * rows], scales: [0.0; BLOCK], rows };
    let mut values = vec![0_i8; k.next_multiple_of(LINE)];
    for (index, row) in range.enumerate() {
        block.scales[index] = x.scale(row);
        level.vectorize(
            #[inline(always)]
            || {
                for (to, line) in values.as_chunks_mut::<LINE>().0.iter_mut().zip(x.lines(row)) {
                    to.iter_mut().zip(&line.0).for_each(|(to, value)| *to = (value ^ 0x80).cast_signed());
                }
                for (to, four) in block.values.chunks_exact_mut(rows).zip(values.as_chunks().0) {
                    to[index] = *four;
                }
                for (to, group) in block.sums.chunks_exact_mut(rows).zip(values.chunks_exact(group)) {
                    to[index] = group.iter().map(|&x| i32::from(x)).sum();
                }
            },
        );
    }
    block
}
