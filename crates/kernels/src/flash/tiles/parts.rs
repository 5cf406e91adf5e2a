//! Numbers as sums of numbers in bfloat16.
//!
//! A float of 24 bits is exactly the sum of three of 8 bits each, as long as the last one is no subnormal, which tiles take for zero. Of the
//! nine products of two such sums, the six largest leave out less than 2^-23 of the product (Henry, Tang and Heinecke, "Leveraging the
//! bfloat16 Artificial Intelligence Datatype For Higher-Precision Computations", 2019).

#![expect(unsafe_code, reason = "stores through pointers")]

use std::arch::x86_64::{
    __m512, __m512i, _mm512_add_epi32, _mm512_and_si512, _mm512_castps_si512, _mm512_castsi512_ps, _mm512_set1_epi32, _mm512_setzero_si512,
    _mm512_srli_epi32, _mm512_store_si512, _mm512_sub_ps, _mm512_ternarylogic_epi32,
};

use crate::amx::blocks::Tiles;

/// Two vectors, each as the sum of `PARTS` in bfloat16: words of them side by side, the second in the upper halves, the largest part first.
/// All parts but the last of three are rounded to the nearest.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn split<const PARTS: usize>(first: __m512, second: __m512) -> [__m512i; PARTS] {
    let (mut first, mut second) = (first, second);
    let mut words = [_mm512_setzero_si512(); PARTS];
    for (part, words) in words.iter_mut().enumerate() {
        let (low, high) =
            if part == 2 { (_mm512_castps_si512(first), _mm512_castps_si512(second)) } else { (rounded(first), rounded(second)) };
        // The first one, or the second one where the mask is.
        *words = _mm512_ternarylogic_epi32::<0xf8>(_mm512_srli_epi32::<16>(low), high, _mm512_set1_epi32(!0xffff));
        if part + 1 < PARTS {
            first = rest(first, low);
            second = rest(second, high);
        }
    }
    words
}

/// The nearest numbers in bfloat16, in the upper halves.
#[inline]
#[target_feature(enable = "avx512f")]
fn rounded(x: __m512) -> __m512i {
    _mm512_add_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(0x8000))
}

/// What is left of numbers less the upper halves of others.
#[inline]
#[target_feature(enable = "avx512f")]
fn rest(x: __m512, part: __m512i) -> __m512 {
    _mm512_sub_ps(x, _mm512_castsi512_ps(_mm512_and_si512(part, _mm512_set1_epi32(!0xffff))))
}

/// Puts words into a row of tiles.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn put(tiles: &mut Tiles, tile: usize, row: usize, words: __m512i) {
    // SAFETY: a row is 16 words, and begins at a multiple of 64 bytes as tiles do.
    unsafe { _mm512_store_si512(tiles.0[tile][row].as_mut_ptr().cast(), words) }
}

/// Which parts of two sums of `PARTS` are multiplied, the smallest products first.
pub(super) const fn terms<const PARTS: usize>() -> &'static [[usize; 2]] {
    match PARTS {
        1 => &[[0, 0]],
        _ => &[[2, 0], [1, 1], [0, 2], [1, 0], [0, 1], [0, 0]],
    }
}
