//! Sums of one tile with weights of four bits, group by group.

#![cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "calls functions compiled for instructions that the level proves"))]

use super::cpu::{Instructions, Level};
use super::int4::{MIDDLE, PAIR};
#[cfg(target_arch = "x86_64")]
use super::int4_x86;
use super::tile::{BLOCK, PANEL, STEP};

/// The codes of a panel for eight inputs, output by output, `[32, 4]`: those of the first four inputs in the lower halves of bytes, those of
/// the last four in the upper ones.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct Pair(pub(super) [[u8; STEP]; PANEL]);

impl Pair {
    pub(super) const ZERO: Self = Self([[0; STEP]; PANEL]);

    pub(super) fn set_codes(&mut self, column: usize, codes: [u8; PAIR]) {
        self.0[column] = std::array::from_fn(|i| codes[i] | codes[STEP + i] << 4);
    }

    pub(super) fn codes(&self, column: usize) -> [u8; PAIR] {
        let bytes = self.0[column];
        std::array::from_fn(|i| if i < STEP { bytes[i] & 15 } else { bytes[i - STEP] >> 4 })
    }
}

/// Up to twelve rows of inputs.
#[derive(Clone, Debug, Default)]
pub struct SignedBlock {
    /// Four inputs at a time, row by row: `[k / 4, rows, 4]`.
    pub(super) values: Vec<[i8; STEP]>,
    /// Sums of the inputs of each group, `[groups, rows]`.
    pub(super) sums: Vec<i32>,
    pub(super) scales: [f32; BLOCK],
    pub(super) rows: usize,
}

/// Weights of 32 outputs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Int4Panel<'a> {
    /// `[k / 8]`.
    pub(super) pairs: &'a [Pair],
    /// `[groups]`.
    pub(super) scales: &'a [[f32; PANEL]],
    pub(super) zeros: Zeros<'a>,
    pub(super) pairs_per_group: usize,
}

/// Codes that stand for zero.
#[derive(Clone, Copy, Debug)]
pub(super) enum Zeros<'a> {
    /// The middle one everywhere.
    Middle,
    /// `[groups]`.
    Each(&'a [[u8; PANEL]]),
}

/// Inputs and weights of one group.
pub(super) struct Group<'a> {
    pub(super) inputs: &'a [[i8; STEP]],
    pub(super) input_sums: &'a [i32],
    pub(super) pairs: &'a [Pair],
    pub(super) scales: &'a [f32; PANEL],
    pub(super) zeros: Option<&'a [u8; PANEL]>,
}

/// The groups of a block and a panel, from the first to the last.
#[inline(always)]
pub(super) fn groups<'a>(block: &'a SignedBlock, panel: Int4Panel<'a>) -> impl Iterator<Item = Group<'a>> {
    let inputs = block.values.chunks_exact(panel.pairs_per_group * 2 * block.rows).zip(block.sums.chunks_exact(block.rows));
    let weights = panel.pairs.chunks_exact(panel.pairs_per_group).zip(panel.scales);
    inputs.zip(weights).enumerate().map(move |(index, ((inputs, input_sums), (pairs, scales)))| {
        let zeros = match panel.zeros {
            Zeros::Middle => None,
            Zeros::Each(zeros) => Some(&zeros[index]),
        };
        Group { inputs, input_sums, pairs, scales, zeros }
    })
}

/// Adds the products of a block and a panel to `sums`: for each group `scale (sum of code x - zero sum of x)`, rounded once.
pub(super) fn multiply(level: Level, block: &SignedBlock, panel: Int4Panel<'_>, sums: &mut [[f32; PANEL]]) {
    let sums = &mut sums[..block.rows];
    match level.vectors {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: this level is built only where the processor was found to have the instructions.
        Instructions::Avx512 => unsafe {
            let tiles = match panel.zeros {
                Zeros::Middle => int4_x86::AVX512,
                Zeros::Each(_) => int4_x86::AVX512_ZEROS,
            };
            tiles[sums.len() - 1](block, panel, sums);
        },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Instructions::Avx2 => unsafe { groups(block, panel).for_each(|group| int4_x86::multiply_avx2(&group, sums)) },
        Instructions::Portable => groups(block, panel).for_each(|group| multiply_portable(&group, sums)),
    }
}

fn multiply_portable(group: &Group<'_>, sums: &mut [[f32; PANEL]]) {
    let rows = sums.len();
    for (row, sums) in sums.iter_mut().enumerate() {
        let mut products = [0_i32; PANEL];
        for (pair, inputs) in group.pairs.iter().zip(group.inputs.chunks_exact(2 * rows)) {
            let (low, high) = (inputs[row].map(i32::from), inputs[rows + row].map(i32::from));
            for (product, bytes) in products.iter_mut().zip(&pair.0) {
                for ((byte, low), high) in bytes.iter().zip(low).zip(high) {
                    *product += i32::from(byte & 15) * low + i32::from(byte >> 4) * high;
                }
            }
        }
        for (column, (sum, product)) in sums.iter_mut().zip(products).enumerate() {
            let zero = group.zeros.map_or(MIDDLE, |zeros| zeros[column]);
            *sum = ((product - i32::from(zero) * group.input_sums[row]) as f32).mul_add(group.scales[column], *sum);
        }
    }
}
