//! Matrices as panels of bf16 in pairs of k: `[panel, pair, lane, 2]`, where lanes are rows of the left matrix or columns of the right one.

use std::ops::Range;

use super::tile::{COLUMNS, Isa, ROWS};
use crate::matrix::Matrix;

/// Lanes that are packed at a time, one vector of pairs.
pub(crate) const LANES: usize = 16;

/// How the last panel is filled.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Padding {
    /// Panels of [`ROWS`] lanes; the last one is as narrow as what is left.
    None,
    /// Panels of [`COLUMNS`] lanes; the last one is filled with zeros.
    Columns,
}

impl Padding {
    /// Lanes of a panel.
    pub(crate) fn width(self) -> usize {
        match self {
            Self::None => ROWS,
            Self::Columns => COLUMNS,
        }
    }

    /// Lanes of all panels.
    pub(crate) fn padded(self, lanes: usize) -> usize {
        match self {
            Self::None => lanes,
            Self::Columns => lanes.next_multiple_of(COLUMNS),
        }
    }
}

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
}

impl Group {
    /// Where a pair goes.
    pub(crate) fn place(&self, pair: usize) -> Range<usize> {
        let start = self.start + pair * self.stride;
        start..start + self.width
    }
}

/// The groups of `lanes` lanes with `pairs` pairs of k.
fn groups(lanes: usize, pairs: usize, padding: Padding) -> Vec<Group> {
    let mut groups = Vec::new();
    let padded = padding.padded(lanes);
    for panel in (0..padded).step_by(padding.width()) {
        let stride = padding.width().min(padded - panel);
        for first in (0..stride).step_by(LANES) {
            let width = LANES.min(stride - first);
            let lanes = (panel + first).min(lanes)..(panel + first + width).min(lanes);
            groups.push(Group { lanes, width, start: panel * pairs + first, stride });
        }
    }
    groups
}

/// Packs `side`, `[lanes, k]`, on this thread; where k is odd, the last pair ends with zero.
///
/// # Panics
/// Where `packed` is too short.
pub(crate) fn pack(isa: Isa, side: Matrix<'_>, padding: Padding, packed: &mut [u32]) {
    let [lanes, k] = side.shape();
    let groups = groups(lanes, k.div_ceil(2), padding);
    match (isa, side.strides()) {
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx512(avx512), [1, _]) => avx512.pack_interleaved(side, &groups, packed),
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx512(avx512), [_, 1]) => avx512.pack_transposed(side, &groups, packed),
        _ => groups.iter().for_each(|group| pack_group(side, group, packed)),
    }
}

fn pack_group(side: Matrix<'_>, group: &Group, packed: &mut [u32]) {
    let ([_, k], [lane_stride, k_stride], values) = (side.shape(), side.strides(), side.values());
    for pair in 0..k.div_ceil(2) {
        let place = &mut packed[group.place(pair)];
        place.fill(0);
        for (place, lane) in place.iter_mut().zip(group.lanes.clone()) {
            let at = |k: usize| round(values[lane * lane_stride + k * k_stride]);
            let second = if 2 * pair + 1 < k { at(2 * pair + 1) } else { 0 };
            *place = u32::from(at(2 * pair)) | u32::from(second) << 16;
        }
    }
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
