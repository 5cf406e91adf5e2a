//! Matrices as panels of bf16 in pairs of k.

use std::ops::Range;

use super::layout::{LINE_PAIRS, Layout};
use super::tile::Isa;
use crate::matrix::Matrix;

/// Lanes that are packed at a time, one vector of pairs.
pub(crate) const LANES: usize = 16;

/// Up to [`LANES`] lanes of one panel.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Lanes of the matrix.
    pub(crate) lanes: Range<usize>,
    /// Lanes to write: those of the matrix, then zeros.
    pub(crate) width: usize,
    /// Where the first pair goes.
    pub(crate) start: usize,
    /// From one pair to the next.
    pub(crate) stride: usize,
    /// Pairs to write of each lane: those of the matrix, then zeros.
    pub(crate) depth: usize,
}

impl Group {
    /// Where a pair goes.
    pub(crate) fn place(&self, pair: usize) -> Range<usize> {
        let start = self.start + pair * self.stride;
        start..start + self.width
    }

    /// Where the line with this index of one of the group's lanes goes, in [`Layout::Lines`].
    pub(crate) fn line(&self, index: usize, lane: usize) -> Range<usize> {
        let start = self.start + (index * self.stride + lane) * LINE_PAIRS;
        start..start + LINE_PAIRS
    }
}

/// The groups of `lanes` lanes with `pairs` pairs of k.
fn groups(lanes: usize, pairs: usize, layout: Layout) -> Vec<Group> {
    let mut groups = Vec::new();
    let (padded, depth) = (layout.padded(lanes), layout.depth(pairs));
    for panel in (0..padded).step_by(layout.width()) {
        let stride = layout.width().min(padded - panel);
        for first in (0..stride).step_by(LANES) {
            let width = LANES.min(stride - first);
            let lanes = (panel + first).min(lanes)..(panel + first + width).min(lanes);
            let start = panel * depth + if layout == Layout::Lines { first * LINE_PAIRS } else { first };
            groups.push(Group { lanes, width, start, stride, depth });
        }
    }
    groups
}

/// Packs `side`, `[lanes, k]`, on this thread; where k is odd, the last pair ends with zero.
///
/// # Panics
/// Where `packed` is too short.
pub(crate) fn pack(isa: Isa, side: Matrix<'_>, layout: Layout, packed: &mut [u32]) {
    let [lanes, k] = side.shape();
    let groups = groups(lanes, k.div_ceil(2), layout);
    match (isa, side.strides(), layout) {
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx512(avx512) | Isa::Amx(_, avx512), [1, _], Layout::Lines) => avx512.turn_to_lines(side, &groups, packed),
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx512(avx512) | Isa::Amx(_, avx512), [_, 1], Layout::Lines) => avx512.pack_lines(side, &groups, packed),
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx512(avx512) | Isa::Amx(_, avx512), [1, _], _) => avx512.pack_interleaved(side, &groups, packed),
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx512(avx512) | Isa::Amx(_, avx512), [_, 1], _) => avx512.pack_transposed(side, &groups, packed),
        (_, _, Layout::Lines) => groups.iter().for_each(|group| pack_lines(side, group, packed)),
        _ => groups.iter().for_each(|group| pack_group(side, group, packed)),
    }
}

fn pack_group(side: Matrix<'_>, group: &Group, packed: &mut [u32]) {
    for pair in 0..group.depth {
        let place = &mut packed[group.place(pair)];
        place.fill(0);
        for (place, lane) in place.iter_mut().zip(group.lanes.clone()) {
            *place = pair_of(side, lane, pair);
        }
    }
}

fn pack_lines(side: Matrix<'_>, group: &Group, packed: &mut [u32]) {
    for line in 0..side.shape()[1].div_ceil(2 * LINE_PAIRS) {
        for (row, lane) in group.lanes.clone().enumerate() {
            for (pair, place) in packed[group.line(line, row)].iter_mut().enumerate() {
                *place = pair_of(side, lane, line * LINE_PAIRS + pair);
            }
        }
    }
}

/// A pair of a lane's values, zeros beyond the last.
fn pair_of(side: Matrix<'_>, lane: usize, pair: usize) -> u32 {
    let ([_, k], [lane_stride, k_stride], values) = (side.shape(), side.strides(), side.values());
    let at = |index: usize| if index < k { u32::from(round(values[lane * lane_stride + index * k_stride])) } else { 0 };
    at(2 * pair) | at(2 * pair + 1) << 16
}

/// The nearest bf16, ties to even; NaN stays NaN.
fn round(x: f32) -> u16 {
    let bits = x.to_bits();
    if x.is_nan() {
        return (bits >> 16) as u16 | 0x40;
    }
    ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16
}

/// The value of the nearest bf16.
pub(crate) fn rounded(x: f32) -> f32 {
    f32::from_bits(u32::from(round(x)) << 16)
}

/// The values of a pair.
pub(crate) fn widened(pair: u32) -> [f32; 2] {
    [f32::from_bits(pair << 16), f32::from_bits(pair & 0xffff_0000)]
}
