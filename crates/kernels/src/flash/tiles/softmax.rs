//! From scores to weights that tiles multiply.

use std::arch::x86_64::{__m512, _CMP_NLT_UQ, _mm512_cmp_ps_mask, _mm512_maskz_scalef_ps};

use super::parts::{put, split};
use super::{GROUP, KEY_GROUPS};
use crate::amx::blocks::Tiles;
use crate::flash::avx512::Avx512;
use crate::flash::softmax::{Sums, split_exp2};
use crate::flash::vector::Simd;

/// Weights of a block of keys: `[part, steps]`.
pub(super) type Weights<const PARTS: usize> = [[Tiles; KEY_GROUPS]; PARTS];

/// Of scores `[keys, 32]` in the 16 columns of `vector`, puts 2 to the power of them less the largest so far into `weights` from `step` on,
/// brings `sums` up to date and gives back what earlier sums are multiplied by.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn exponentiate<const PARTS: usize>(
    simd: Avx512,
    scores: &[f32],
    vector: usize,
    sums: &mut Sums<'_>,
    weights: &mut Weights<PARTS>,
    step: usize,
) -> __m512 {
    let before = simd.load(sums.largest);
    let largest = simd.max(before, largest(simd, scores, vector));
    let factor = power(simd, simd.sub(before, largest));
    let mut totals = [simd.splat(0.0); 2];
    for (index, rows) in scores.as_chunks::<{ GROUP * GROUP }>().0.iter().enumerate() {
        for i in 0..16 {
            let score = |row: usize| simd.load(&rows[row * GROUP + 16 * vector..]);
            let [first, second] = [score(i), score(16 + i)].map(|score| power(simd, simd.sub(score, largest)));
            totals = [simd.add(totals[0], first), simd.add(totals[1], second)];
            for (weights, words) in weights.iter_mut().zip(split::<PARTS>(first, second)) {
                put(&mut weights[step + index], vector, i, words);
            }
        }
    }
    let total = simd.add(totals[0], totals[1]);
    simd.store(sums.largest, largest);
    simd.store(sums.totals, simd.mul_add(simd.load(sums.totals), factor, total));
    factor
}

/// The largest scores of a vector; one that is no number counts or not, as its power will be none either.
#[inline]
#[target_feature(enable = "avx512f")]
fn largest(simd: Avx512, scores: &[f32], vector: usize) -> __m512 {
    let mut largest = [simd.splat(f32::NEG_INFINITY); 4];
    for rows in scores.as_chunks::<{ 4 * GROUP }>().0 {
        for (row, largest) in largest.iter_mut().enumerate() {
            *largest = simd.max(*largest, simd.load(&rows[row * GROUP + 16 * vector..]));
        }
    }
    let [a, b, c, d] = largest;
    simd.max(simd.max(a, b), simd.max(c, d))
}

/// `2^x` for x up to 0; 0 below -126, without the detour that processors take for results too small for a float.
#[inline]
#[target_feature(enable = "avx512f")]
fn power(simd: Avx512, x: __m512) -> __m512 {
    let (power, n) = split_exp2(simd, x);
    // What is no number stays that.
    _mm512_maskz_scalef_ps(_mm512_cmp_ps_mask::<_CMP_NLT_UQ>(x, simd.splat(-126.0)), power, n)
}
