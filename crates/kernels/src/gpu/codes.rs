//! Codes of weights in words of 32 bits, as kernels read them.

use cubecl::prelude::*;

/// How the weights `[n, k]` of a linear layer are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CodeFormat {
    /// Signed bytes, four to a word, the first in the lowest bits, with a scale for every output: `code scale`.
    Int8,
    /// Numbers of 0 to 15, eight to a word, the first in the lowest bits, with a scale for `group` neighbours: `(code - zero) scale`.
    Int4 {
        /// Neighbours of a row that share a scale: a multiple of 8 that divides `k`.
        group: usize,
        /// Whether groups have zero points of their own, rather than 8.
        zeros: bool,
    },
}

impl CodeFormat {
    /// Codes in a word.
    pub const fn per_word(self) -> usize {
        match self {
            Self::Int8 => 4,
            Self::Int4 { .. } => 8,
        }
    }

    /// Scales of a row of `k` weights.
    pub const fn scales_per_row(self, k: usize) -> usize {
        match self {
            Self::Int8 => 1,
            Self::Int4 { group, .. } => k / group,
        }
    }

    pub(super) const fn has_zeros(self) -> bool {
        matches!(self, Self::Int4 { zeros: true, .. })
    }

    pub(super) const fn bits(self) -> usize {
        32 / self.per_word()
    }

    /// Added to codes, so that all are 0 or more: flips the sign of a byte.
    pub(super) const fn flip(self) -> u32 {
        match self {
            Self::Int8 => 128,
            Self::Int4 { .. } => 0,
        }
    }

    /// What stands for zero where nothing else is said.
    pub(super) const fn middle(self) -> f32 {
        match self {
            Self::Int8 => 128.0,
            Self::Int4 { .. } => 8.0,
        }
    }

    /// Words that share a scale, in rows of `k` weights.
    fn words_per_scale(self, k: usize) -> usize {
        match self {
            Self::Int8 => k / self.per_word(),
            Self::Int4 { group, .. } => group / self.per_word(),
        }
    }
}

/// The code at `index` of a word, 0 or more.
#[cube]
pub(super) fn code_at(word: u32, #[comptime] index: usize, #[comptime] format: CodeFormat) -> f32 {
    let shift = comptime!((index * format.bits()) as u32);
    let mask = comptime!(((1u64 << format.bits()) - 1) as u32);
    let flip = comptime!(format.flip());
    f32::cast_from(((word >> shift) & mask) ^ flip)
}

/// Where the scale of a word is among all scales; rows have `k` weights.
#[cube]
pub(super) fn scale_index(row: usize, word: usize, #[comptime] k: usize, #[comptime] format: CodeFormat) -> usize {
    let per_row = comptime!(format.scales_per_row(k));
    let words = comptime!(format.words_per_scale(k));
    row * per_row + word / words
}

/// The code that stands for zero, for the scale at `index`.
#[cube]
pub(super) fn zero_at(zeros: &[f32], index: usize, #[comptime] format: CodeFormat) -> f32 {
    if comptime!(format.has_zeros()) { zeros[index] } else { f32::new(comptime!(format.middle())) }
}
