//! Packing and tiles with AVX-512 BF16.

#![expect(unsafe_code, reason = "vector instructions of some processors, and loads and stores through pointers")]

use std::arch::x86_64::{
    __m256bh, __m256i, __m512, __m512bh, __m512i, _mm512_cvtepu16_epi32, _mm512_cvtne2ps_pbh, _mm512_cvtneps_pbh, _mm512_dpbf16_ps,
    _mm512_mask_storeu_epi32, _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps, _mm512_or_si512, _mm512_set1_epi32, _mm512_setzero_ps,
    _mm512_setzero_si512, _mm512_slli_epi32,
};
use std::mem::transmute;

use super::pack::{Group, LANES};
use super::tile::COLUMNS;
use crate::matrix::Matrix;
use crate::transpose_x86::transposed;

/// Proof that the processor has AVX-512 F and BF16.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512(());

/// Calls [`tile`] for a number of rows known at compile time.
macro_rules! tile_of {
    ($rows:expr, $arguments:tt, $($count:literal)*) => {
        match $rows {
            // SAFETY: an `Avx512` exists, so the processor has the instructions.
            $($count => unsafe { tile::<$count> $arguments },)*
            rows => unreachable!("{rows} rows are no tile"),
        }
    };
}

#[expect(clippy::unused_self, reason = "the value is the proof that the instructions exist")]
impl Avx512 {
    /// The proof, where the processor has them.
    pub(crate) fn new() -> Option<Self> {
        (is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bf16")).then_some(Self(()))
    }

    /// The product of `rows` rows `a`, `[pairs, rows, 2]`, and columns `b`, `[pairs, COLUMNS, 2]`, into `columns` of the rows of `out`, or added to
    /// what is there.
    ///
    /// # Panics
    /// Where rows are none or more than twelve, columns are more than [`COLUMNS`], or `out` is too short.
    pub(crate) fn tile(self, [a, b]: [&[u32]; 2], rows: usize, out: &mut [f32], stride: usize, columns: usize, add: bool) {
        tile_of!(rows, (a, b, out, stride, columns, add), 1 2 3 4 5 6 7 8 9 10 11 12);
    }

    /// Packs a matrix whose lanes are contiguous.
    pub(crate) fn pack_interleaved(self, side: Matrix<'_>, groups: &[Group], packed: &mut [u32]) {
        // SAFETY: an `Avx512` exists, so the processor has the instructions.
        unsafe { pack_interleaved(side, groups, packed) }
    }

    /// Packs a matrix whose lanes are rows of contiguous k.
    pub(crate) fn pack_transposed(self, side: Matrix<'_>, groups: &[Group], packed: &mut [u32]) {
        for group in groups {
            // SAFETY: an `Avx512` exists, so the processor has the instructions.
            unsafe { pack_transposed(side, group, packed) }
        }
    }

    /// Packs a matrix whose lanes are rows of contiguous k, as lines.
    pub(crate) fn pack_lines(self, side: Matrix<'_>, groups: &[Group], packed: &mut [u32]) {
        for group in groups {
            // SAFETY: an `Avx512` exists, so the processor has the instructions.
            unsafe { pack_lines(side, group, packed) }
        }
    }

    /// Packs a matrix whose lanes are contiguous, as lines.
    pub(crate) fn turn_to_lines(self, side: Matrix<'_>, groups: &[Group], packed: &mut [u32]) {
        for group in groups {
            // SAFETY: an `Avx512` exists, so the processor has the instructions.
            unsafe { turn_to_lines(side, group, packed) }
        }
    }
}

#[target_feature(enable = "avx512f,avx512bf16")]
fn tile<const R: usize>(a: &[u32], b: &[u32], out: &mut [f32], stride: usize, columns: usize, add: bool) {
    assert!(columns <= COLUMNS && (R - 1) * stride + columns <= out.len(), "a tile fits its place");
    let widths = [columns.min(LANES), columns.saturating_sub(LANES)];
    let mut sums = [[_mm512_setzero_ps(); 2]; R];
    if add {
        for (row, sums) in sums.iter_mut().enumerate() {
            let out = &out[row * stride..][..columns];
            *sums = [load(&out[..widths[0]]), load(&out[widths[0]..])];
        }
    }
    for (a, b) in a.as_chunks::<R>().0.iter().zip(b.as_chunks::<LANES>().0.as_chunks::<2>().0) {
        let b = [pairs(b[0]), pairs(b[1])];
        for (sums, &a) in sums.iter_mut().zip(a) {
            let a = bf16(_mm512_set1_epi32(a.cast_signed()));
            *sums = [_mm512_dpbf16_ps(sums[0], a, b[0]), _mm512_dpbf16_ps(sums[1], a, b[1])];
        }
    }
    for (row, sums) in sums.into_iter().enumerate() {
        let (first, second) = out[row * stride..][..columns].split_at_mut(widths[0]);
        store(first, sums[0]);
        store(second, sums[1]);
    }
}

#[target_feature(enable = "avx512f,avx512bf16")]
fn pack_interleaved(side: Matrix<'_>, groups: &[Group], packed: &mut [u32]) {
    for pair in 0..groups.first().map_or(0, |group| group.depth) {
        for group in groups {
            store_pairs(&mut packed[group.place(pair)], interleaved(side, group, pair));
        }
    }
}

/// A pair of each of a group's lanes, which are contiguous; zeros beyond k.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn interleaved(side: Matrix<'_>, group: &Group, pair: usize) -> __m512i {
    let ([_, k], [_, k_stride], values) = (side.shape(), side.strides(), side.values());
    let row = |index: usize| {
        if index >= k {
            return _mm512_setzero_si512();
        }
        widened(load(values.get(index * k_stride..).map_or(&[], |row| &row[group.lanes.clone()])))
    };
    _mm512_or_si512(row(2 * pair), _mm512_slli_epi32::<16>(row(2 * pair + 1)))
}

#[target_feature(enable = "avx512f,avx512bf16")]
fn pack_transposed(side: Matrix<'_>, group: &Group, packed: &mut [u32]) {
    for line in 0..side.shape()[1].div_ceil(2 * LANES) {
        let mut rows = [_mm512_setzero_si512(); LANES];
        for (row, lane) in rows.iter_mut().zip(group.lanes.clone()) {
            *row = line_of(side, lane, line);
        }
        let pairs = (group.depth - line * LANES).min(LANES);
        for (index, column) in transposed(&rows).into_iter().enumerate().take(pairs) {
            store_pairs(&mut packed[group.place(line * LANES + index)], column);
        }
    }
}

/// 16 pairs of a lane, whose k is contiguous; zeros beyond it.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn line_of(side: Matrix<'_>, lane: usize, index: usize) -> __m512i {
    let ([_, k], [lane_stride, _], start) = (side.shape(), side.strides(), index * 2 * LANES);
    let count = (k - start).min(2 * LANES);
    let (low, high) = side.values()[lane * lane_stride + start..][..count].split_at(count.min(LANES));
    join(load(low), load(high))
}

#[target_feature(enable = "avx512f,avx512bf16")]
fn pack_lines(side: Matrix<'_>, group: &Group, packed: &mut [u32]) {
    for (row, lane) in group.lanes.clone().enumerate() {
        for line in 0..side.shape()[1].div_ceil(2 * LANES) {
            store_pairs(&mut packed[group.line(line, row)], line_of(side, lane, line));
        }
    }
}

#[target_feature(enable = "avx512f,avx512bf16")]
fn turn_to_lines(side: Matrix<'_>, group: &Group, packed: &mut [u32]) {
    for line in 0..side.shape()[1].div_ceil(2 * LANES) {
        let mut pairs = [_mm512_setzero_si512(); LANES];
        for (index, pair) in pairs.iter_mut().enumerate() {
            *pair = interleaved(side, group, line * LANES + index);
        }
        for (row, values) in transposed(&pairs).into_iter().enumerate().take(group.width) {
            store_pairs(&mut packed[group.line(line, row)], values);
        }
    }
}

/// Bits of the first `count` lanes.
#[inline]
fn mask(count: usize) -> u16 {
    ((1_u32 << count.min(LANES)) - 1) as u16
}

/// Up to 16 values, then zeros.
#[inline]
#[target_feature(enable = "avx512f")]
fn load(values: &[f32]) -> __m512 {
    // SAFETY: the mask lets only lanes within the slice be read.
    unsafe { _mm512_maskz_loadu_ps(mask(values.len()), values.as_ptr()) }
}

/// The first of 16 values, up to the end of `place`.
#[inline]
#[target_feature(enable = "avx512f")]
fn store(place: &mut [f32], values: __m512) {
    // SAFETY: the mask lets only lanes within the slice be written.
    unsafe { _mm512_mask_storeu_ps(place.as_mut_ptr(), mask(place.len()), values) }
}

/// The first of 16 pairs, up to the end of `place`.
#[inline]
#[target_feature(enable = "avx512f")]
fn store_pairs(place: &mut [u32], pairs: __m512i) {
    // SAFETY: the mask lets only lanes within the slice be written.
    unsafe { _mm512_mask_storeu_epi32(place.as_mut_ptr().cast(), mask(place.len()), pairs) }
}

/// Values rounded to bf16, in the low halves of words.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn widened(values: __m512) -> __m512i {
    // SAFETY: both types are 256 bits of integers.
    _mm512_cvtepu16_epi32(unsafe { transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(values)) })
}

/// 32 values as 16 pairs.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn join(low: __m512, high: __m512) -> __m512i {
    // SAFETY: both types are 512 bits of integers.
    unsafe { transmute(_mm512_cvtne2ps_pbh(high, low)) }
}

/// Words as pairs of bf16.
#[inline]
#[target_feature(enable = "avx512f")]
fn bf16(words: __m512i) -> __m512bh {
    // SAFETY: both types are 512 bits of integers.
    unsafe { transmute(words) }
}

/// An array of pairs in a vector.
#[inline]
#[target_feature(enable = "avx512f")]
fn pairs(pairs: [u32; LANES]) -> __m512bh {
    // SAFETY: both types are 512 bits of integers.
    unsafe { transmute(pairs) }
}
