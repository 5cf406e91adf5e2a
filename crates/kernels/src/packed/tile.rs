//! Integer sums of one tile: a block of rows of inputs times one panel of 32 outputs.

#![expect(unsafe_code, reason = "calls functions compiled for instructions that the level proves")]

use super::cpu::{Instructions, Level};
use super::quantized_rows::{Block, LINE, Line, ROWS};
#[cfg(target_arch = "x86_64")]
use super::tile_x86;
use crate::amx::{Amx, Factors, Sums as TileSums};

/// Outputs that are packed and computed together.
pub(super) const PANEL: usize = 32;

/// Most rows of inputs that vectors compute together: 12 rows by 32 outputs take 24 of 32 vector registers of 512 bits.
pub(super) const BLOCK: usize = 12;

/// Blocks of so few rows are multiplied no slower by vectors than by tiles.
const FEW_ROWS: usize = 8;

/// Inputs that one instruction multiplies and adds up.
pub(super) const STEP: usize = 4;

/// The weights of a panel for four inputs, output by output: `[32, 4]`.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct Step(pub(super) [[i8; STEP]; PANEL]);

/// The sums of a tile, of which the first rows are used.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Sums<T>(pub(super) [[T; PANEL]; ROWS]);

impl<T: Copy + Default> Default for Sums<T> {
    fn default() -> Self {
        Self([[T::default(); PANEL]; ROWS])
    }
}

/// Weights of 32 outputs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panel<'a> {
    /// `[k / 4]`.
    pub(super) steps: &'a [Step],
    /// Minus 128 times the sum of each output's weights. A sum that starts here and takes inputs that are 128 too large ends right.
    pub(super) start: &'a [i32; PANEL],
}

/// Sums of products of a block's rows.
pub(super) fn multiply(level: Level, block: &Block, panel: Panel<'_>, sums: &mut Sums<i32>) {
    if let Some(amx) = level.tiles
        && block.rows > FEW_ROWS
    {
        return multiply_tiles(amx, block, panel, sums);
    }
    for (part, sums) in sums.0[..block.rows].chunks_mut(BLOCK).enumerate() {
        let inputs = Inputs { lines: &block.lines, first: part * BLOCK, stride: block.rows };
        multiply_part(level, inputs, panel, sums);
    }
}

fn multiply_part(level: Level, inputs: Inputs<'_>, panel: Panel<'_>, sums: &mut [[i32; PANEL]]) {
    match level.vectors {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: this level is built only where the processor was found to have the instructions.
        Instructions::Avx512 => unsafe { tile_x86::AVX512[sums.len() - 1](inputs, panel, sums) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Instructions::Avx2 => unsafe { tile_x86::multiply_avx2(inputs, panel, sums) },
        Instructions::Portable => multiply_portable(inputs, panel, sums),
    }
}

/// Some of a block's rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inputs<'a> {
    lines: &'a [Line],
    /// The first row.
    first: usize,
    /// Rows of the block.
    pub(super) stride: usize,
}

impl<'a> Inputs<'a> {
    /// The lines of the rows from `skip` on, 64 inputs after 64.
    #[inline(always)]
    pub(super) fn lines(self, skip: usize) -> impl Iterator<Item = &'a [Line]> {
        self.lines.chunks_exact(self.stride).map(move |lines| &lines[self.first + skip..])
    }
}

impl Line {
    /// Four inputs.
    #[inline(always)]
    pub(super) fn step(&self, step: usize) -> [u8; STEP] {
        self.0.as_chunks().0[step]
    }
}

/// Tiles take a block whole.
fn multiply_tiles(amx: Amx, block: &Block, panel: Panel<'_>, sums: &mut Sums<i32>) {
    let (rows, steps) = (block.rows, panel.steps.len());
    assert!((1..=ROWS).contains(&rows) && steps.div_ceil(LINE / STEP) * rows == block.lines.len(), "a block fits its weights");
    let factors = Factors { inputs: block.lines.as_ptr().cast(), rows, weights: panel.steps.as_ptr().cast(), steps };
    let stride = size_of_val(&sums.0[0]);
    let sums = TileSums { start: panel.start.as_ptr().cast(), start_stride: 0, end: sums.0.as_mut_ptr().cast(), end_stride: stride };
    // SAFETY: the block was checked to hold a line for each row and 16 steps. Every row starts from the one array of 32 sums, and there is a
    // place for the sums of 32 rows.
    unsafe { amx.multiply_integers(&factors, &sums) };
}

/// Sums stay in halves, of two products each, until the end: compilers make one instruction of a widening product of two pairs.
fn multiply_portable(inputs: Inputs<'_>, panel: Panel<'_>, sums: &mut [[i32; PANEL]]) {
    let mut halves = [[0_i32; 2 * PANEL]; BLOCK];
    for (lines, steps) in inputs.lines(0).zip(panel.steps.chunks(LINE / STEP)) {
        for (index, step) in steps.iter().enumerate() {
            let mut weights = [0_i16; STEP * PANEL];
            weights.iter_mut().zip(step.0.as_flattened()).for_each(|(to, weight)| *to = i16::from(*weight));
            for (halves, line) in halves[..sums.len()].iter_mut().zip(lines) {
                let input = line.step(index).map(|x| i16::from(x) - 128);
                let mut spread = [[0_i16; STEP]; PANEL];
                spread.fill(input);
                add_pairs(halves, spread.as_flattened(), &weights);
            }
        }
    }
    for (sums, halves) in sums.iter_mut().zip(&halves) {
        for (sum, [low, high]) in sums.iter_mut().zip(halves.as_chunks().0) {
            *sum = low + high;
        }
    }
}

#[inline(always)]
fn add_pairs(halves: &mut [i32; 2 * PANEL], inputs: &[i16], weights: &[i16; STEP * PANEL]) {
    for (i, half) in halves.iter_mut().enumerate() {
        let product = |i: usize| i32::from(inputs[i]) * i32::from(weights[i]);
        *half += product(2 * i) + product(2 * i + 1);
    }
}
