//! Weights of four bits multiplied by tiles: they are widened to eight bits, as much of a panel at a time as the first-level cache keeps,
//! and then many rows pass by.

#![expect(unsafe_code, reason = "tiles are told where inputs, weights and sums are by pointers")]

use std::ops::Range;

use super::cpu::Level;
use super::int4::{MIDDLE, PAIR};
use super::int4_tile::{Int4Panel, Pair, Zeros};
use super::quantized_rows::{LINE, Line, QuantizedRows, ROWS};
use super::tile::{PANEL, STEP, Step, Sums};
use crate::amx::{Amx, Groups, PASS_OUTPUTS, PASS_ROWS, Pass};

/// Inputs whose weights are widened together: 16 KiB, beside which the first-level cache keeps the inputs of two tiles.
pub(super) const CHUNK: usize = 512;

/// Up to [`ROWS`] rows of inputs, of which tiles take 16 each; others are zeros.
#[derive(Clone, Debug)]
pub struct TileBlock {
    /// Signed, `[tiles, k / unit, 16, unit]`.
    inputs: Vec<Line>,
    pub(super) scales: [f32; ROWS],
    pub(super) rows: usize,
}

/// Inputs that one instruction multiplies and adds up, where groups are whole units and small enough for a chunk.
pub(super) fn unit(group: usize) -> Option<usize> {
    let fits = |unit: &usize| group.is_multiple_of(*unit) && group <= CHUNK;
    [LINE, LINE / 2].into_iter().find(fits)
}

impl TileBlock {
    /// Some rows, in units of as many inputs.
    pub(super) fn new(x: &QuantizedRows, range: Range<usize>, unit: usize) -> Self {
        let rows = range.len();
        let units = x.width() / unit;
        let mut inputs = vec![Line([0; LINE]); (rows.div_ceil(PASS_ROWS) * PASS_ROWS * x.width()).div_ceil(LINE)];
        let mut scales = [0.0; ROWS];
        for (row, index) in range.enumerate() {
            scales[row] = x.scale(index);
            let parts = x.lines(index).flat_map(|line| line.0.chunks_exact(unit)).take(units);
            let start = row / PASS_ROWS * PASS_ROWS * units + row % PASS_ROWS;
            for (place, part) in (start..).step_by(PASS_ROWS).zip(parts) {
                let to = &mut inputs[place * unit / LINE].0[place * unit % LINE..][..unit];
                to.iter_mut().zip(part).for_each(|(to, value)| *to = value ^ 0x80);
            }
        }
        Self { inputs, scales, rows }
    }
}

/// Weights of a chunk in eight bits, zero points subtracted.
#[repr(C, align(64))]
struct Chunk([Step; CHUNK / STEP]);

/// Adds the products of blocks and a panel to `sums`, as [`int4_tile::multiply`](super::int4_tile::multiply) does.
pub(super) fn multiply(level: Level, amx: Amx, blocks: &mut [(&TileBlock, &mut Sums<f32>)], panel: Int4Panel<'_>) {
    let group = panel.pairs_per_group * PAIR;
    let Some(unit) = unit(group).filter(|_| !blocks.is_empty()) else { return };
    let mut chunk = Chunk([const { Step([[0; STEP]; PANEL]) }; CHUNK / STEP]);
    for first in (0..panel.scales.len()).step_by(CHUNK / group) {
        let groups = first..panel.scales.len().min(first + CHUNK / group);
        level.vectorize(
            #[inline(always)]
            || widen(&panel, groups.clone(), &mut chunk),
        );
        for (block, sums) in &mut *blocks {
            multiply_chunk(amx, block, &panel, groups.clone(), unit, &chunk, sums);
        }
    }
}

/// One block and the chunk of weights of some groups. The weights of the next chunk are fetched meanwhile.
fn multiply_chunk(
    amx: Amx,
    block: &TileBlock,
    panel: &Int4Panel<'_>,
    groups: Range<usize>,
    unit: usize,
    chunk: &Chunk,
    sums: &mut Sums<f32>,
) {
    let group = panel.pairs_per_group * PAIR;
    let (inputs, k) = (block.inputs.as_ptr().cast::<u8>(), panel.pairs.len() * PAIR);
    let tiles = block.rows.div_ceil(PASS_ROWS);
    assert!(tiles * PASS_ROWS * k == block.inputs.len() * LINE && panel.scales.len() * group == k, "a block fits its weights");
    let pass = |index: usize| {
        let (tile, column) = (index / 2, index % 2 * PASS_OUTPUTS);
        Pass {
            inputs: inputs.wrapping_add(PASS_ROWS * (tile * k + groups.start * group)),
            weights: chunk.0.as_ptr().cast::<u8>().wrapping_add(column * STEP),
            scales: panel.scales[groups.start][column..].as_ptr(),
            sums: sums.0[tile * PASS_ROWS][column..].as_mut_ptr(),
        }
    };
    let passes: [Pass; 2 * ROWS / PASS_ROWS] = std::array::from_fn(pass);
    let ahead = panel.pairs.as_ptr().wrapping_add(groups.end * panel.pairs_per_group);
    let groups = Groups { count: groups.len(), units: group / unit, unit };
    // SAFETY: the block was checked to have whole tiles of inputs, the panel as many groups of scales, and a chunk holds their weights. There is
    // a place for the sums of all tiles.
    unsafe { amx.multiply_groups(&passes[..2 * tiles], groups, ahead.cast()) }
}

/// Writes the weights of groups in eight bits.
#[inline(always)]
fn widen(panel: &Int4Panel<'_>, groups: Range<usize>, chunk: &mut Chunk) {
    for (group, steps) in groups.zip(chunk.0.chunks_exact_mut(2 * panel.pairs_per_group)) {
        let zeros: [[u8; STEP]; PANEL] = match panel.zeros {
            Zeros::Middle => [[MIDDLE; STEP]; PANEL],
            Zeros::Each(zeros) => zeros[group].map(|zero| [zero; STEP]),
        };
        let pairs = &panel.pairs[group * panel.pairs_per_group..(group + 1) * panel.pairs_per_group];
        for (steps, pair) in steps.as_chunks_mut().0.iter_mut().zip(pairs) {
            widen_pair(steps, pair, &zeros);
        }
    }
}

#[inline(always)]
fn widen_pair([low, high]: &mut [Step; 2], pair: &Pair, zeros: &[[u8; STEP]; PANEL]) {
    let (low, high) = (low.0.as_flattened_mut(), high.0.as_flattened_mut());
    for ((low, high), (byte, zero)) in low.iter_mut().zip(high).zip(pair.0.as_flattened().iter().zip(zeros.as_flattened())) {
        *low = (byte & 15).wrapping_sub(*zero).cast_signed();
        *high = (byte >> 4).wrapping_sub(*zero).cast_signed();
    }
}
