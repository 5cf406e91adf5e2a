//! Integer sums of one tile: up to twelve rows of inputs times one panel of 32 outputs.

#![cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "calls functions compiled for instructions that the level proves"))]

use super::cpu::{Instructions, Level};
#[cfg(target_arch = "x86_64")]
use super::tile_x86;

/// Outputs that are packed and computed together.
pub(super) const PANEL: usize = 32;

/// Most rows of inputs that are computed together: 12 rows by 32 outputs take 24 of 32 vector registers of 512 bits.
pub(super) const BLOCK: usize = 12;

/// Inputs that one instruction multiplies and adds up.
pub(super) const STEP: usize = 4;

/// The weights of a panel for four inputs, output by output: `[32, 4]`.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct Step(pub(super) [[i8; STEP]; PANEL]);

/// The sums of a tile, of which the first rows are used.
pub(super) type Sums = [[i32; PANEL]; BLOCK];

/// Weights of 32 outputs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panel<'a> {
    /// `[k / 4]`.
    pub(super) steps: &'a [Step],
    /// Minus 128 times the sum of each output's weights. A sum that starts here and takes inputs that are 128 too large ends right.
    pub(super) start: &'a [i32; PANEL],
}

/// Sums of products of `rows` rows of inputs, each number 128 above its value, four by four and row by row (`[k / 4, rows]`).
///
/// # Panics
/// Where there are no rows or more than [`BLOCK`].
pub(super) fn multiply(level: Level, inputs: &[[u8; STEP]], rows: usize, panel: Panel<'_>, sums: &mut Sums) {
    assert!((1..=BLOCK).contains(&rows), "a tile of {rows} rows");
    match level.0 {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: this level is built only where the processor was found to have the instructions.
        Instructions::Avx512 => unsafe { tile_x86::AVX512[rows - 1](inputs, panel, sums) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Instructions::Avx2 => unsafe { tile_x86::multiply_avx2(inputs, rows, panel, sums) },
        Instructions::Portable => multiply_portable(inputs, rows, panel, sums),
    }
}

/// Sums stay in halves, of two products each, until the end: compilers make one instruction of a widening product of two pairs.
fn multiply_portable(inputs: &[[u8; STEP]], rows: usize, panel: Panel<'_>, sums: &mut Sums) {
    let mut halves = [[0_i32; 2 * PANEL]; BLOCK];
    for (inputs, step) in inputs.chunks_exact(rows).zip(panel.steps) {
        let mut weights = [0_i16; STEP * PANEL];
        weights.iter_mut().zip(step.0.as_flattened()).for_each(|(to, weight)| *to = i16::from(*weight));
        for (halves, input) in halves.iter_mut().zip(inputs) {
            let input = input.map(|x| i16::from(x) - 128);
            let mut spread = [[0_i16; STEP]; PANEL];
            spread.fill(input);
            add_pairs(halves, spread.as_flattened(), &weights);
        }
    }
    for (sums, halves) in sums[..rows].iter_mut().zip(&halves) {
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
