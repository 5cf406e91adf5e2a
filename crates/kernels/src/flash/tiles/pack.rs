//! Queries, keys and values in the order in which tiles are loaded.
//!
//! A step of a product is over 32 numbers; its words hold the first 16 of them beside the other 16.

#![expect(unsafe_code, reason = "loads through pointers")]

use std::arch::x86_64::{
    __m512, __m512i, _MM_HINT_T0, _mm_prefetch, _mm512_and_si512, _mm512_castps_si512, _mm512_castsi512_ps, _mm512_cmpgt_epi32_mask,
    _mm512_loadu_ps, _mm512_maskz_loadu_ps, _mm512_max_epi32, _mm512_reduce_max_epi32, _mm512_set1_epi32, _mm512_setzero_si512,
};
use std::ops::Range;

use super::parts::{put, split};
use super::{GROUP, KEY_GROUPS};
use crate::amx::blocks::Tiles;
use crate::flash::heads::Heads;
use crate::transpose_x86::transposed;

/// Vectors take numbers from this on, that are infinite and that are none: no sum of products of smaller ones is infinite, so that none is
/// taken from another.
const LARGE: i32 = (127 + 59) << 23;

/// Queries `[width, 32]` into `[part, step]`; where the bits of the result are set, a query has large values.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn pack_queries<const PARTS: usize>(queries: &[f32], tiles: &mut [Tiles]) -> u32 {
    let (rows, _) = queries.as_chunks::<GROUP>();
    let steps = rows.len().div_ceil(GROUP);
    let mut largest = [_mm512_setzero_si512(); 2];
    for (step, rows) in rows.chunks(GROUP).enumerate() {
        for i in 0..16 {
            for (vector, largest) in largest.iter_mut().enumerate() {
                let [first, second] = [i, 16 + i].map(|row| rows.get(row).map_or(&[][..], |row| &row[16 * vector..16 * vector + 16]));
                let (first, second) = (load_some(first), load_some(second));
                *largest = larger(larger(*largest, first), second);
                for (part, words) in split::<PARTS>(first, second).into_iter().enumerate() {
                    put(&mut tiles[part * steps + step], vector, i, words);
                }
            }
        }
    }
    let [first, second] = largest.map(|largest| u32::from(_mm512_cmpgt_epi32_mask(largest, _mm512_set1_epi32(LARGE - 1))));
    first | second << 16
}

/// Keys `[32, width]` into `[part, step]`; whether a value is large.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn pack_keys<const PARTS: usize>(keys: Heads<'_>, head: usize, tokens: Range<usize>, tiles: &mut [Tiles]) -> bool {
    let steps = keys.width.div_ceil(GROUP);
    let mut largest = _mm512_setzero_si512();
    for key in 0..GROUP {
        let row = if key < tokens.len() { keys.row(tokens.start + key, head) } else { &[] };
        for step in 0..steps {
            let row = row.get(step * GROUP..).unwrap_or_default();
            let (first, second) = (load_some(row), load_some(row.get(16..).unwrap_or_default()));
            largest = larger(larger(largest, first), second);
            for (part, words) in split::<PARTS>(first, second).into_iter().enumerate() {
                put(&mut tiles[part * steps + step], key / 16, key % 16, words);
            }
        }
    }
    _mm512_reduce_max_epi32(largest) >= LARGE
}

/// Values `[32, width]` into step `step` of `[width / 32, part, steps of a block of keys]`, turned; whether a value is large.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn pack_values<const PARTS: usize>(
    values: Heads<'_>,
    head: usize,
    tokens: Range<usize>,
    step: usize,
    tiles: &mut [Tiles],
) -> bool {
    let mut largest = _mm512_setzero_si512();
    for column in 0..2 * values.width.div_ceil(GROUP) {
        let mut squares = [[_mm512_setzero_si512(); 16]; 2];
        for (key, place) in squares.as_flattened_mut().iter_mut().enumerate().take(tokens.len()) {
            let row = values.row(tokens.start + key, head).get(16 * column..).unwrap_or_default();
            let row = load_some(row);
            largest = larger(largest, row);
            *place = _mm512_castps_si512(row);
        }
        let [first, second] = [transposed(&squares[0]), transposed(&squares[1])];
        for i in 0..16 {
            let words = split::<PARTS>(_mm512_castsi512_ps(first[i]), _mm512_castsi512_ps(second[i]));
            for (part, words) in words.into_iter().enumerate() {
                put(&mut tiles[(column / 2 * PARTS + part) * KEY_GROUPS + step], column % 2, i, words);
            }
        }
    }
    _mm512_reduce_max_epi32(largest) >= LARGE
}

/// Asks for rows that are packed next: where heads of tokens stand far apart, the processor does not see them coming.
#[target_feature(enable = "avx512f")]
pub(super) fn prefetch(rows: Heads<'_>, head: usize, tokens: Range<usize>) {
    for token in tokens {
        for line in rows.row(token, head).chunks(16) {
            _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast());
        }
    }
}

/// The larger magnitudes, as bits of floats.
#[inline]
#[target_feature(enable = "avx512f")]
fn larger(largest: __m512i, x: __m512) -> __m512i {
    _mm512_max_epi32(largest, _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(i32::MAX)))
}

/// Up to 16 numbers, then zeros.
#[inline]
#[target_feature(enable = "avx512f")]
fn load_some(values: &[f32]) -> __m512 {
    if values.len() >= 16 {
        // SAFETY: there are 16 numbers; no alignment is asked for.
        return unsafe { _mm512_loadu_ps(values.as_ptr()) };
    }
    let mask = ((1_u32 << values.len()) - 1) as u16;
    // SAFETY: the mask lets only lanes within the slice be read.
    unsafe { _mm512_maskz_loadu_ps(mask, values.as_ptr()) }
}
