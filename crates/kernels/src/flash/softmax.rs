//! Softmax over keys that come block by block, 2 to the power of scores being made instead of e: scores come in units of ln 2.
//!
//! Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018: with the largest score so far `m` and the sum so far `l`, a
//! block's scores `s` make `m' = max(m, max s)` and `l' = l 2^(m - m') + sum 2^(s - m')`.

use super::vector::Simd;

/// Sums of one vector of queries, each a lane.
#[derive(Debug)]
pub(super) struct Sums<'a> {
    /// The largest scores so far, finite where none was seen yet.
    pub(super) largest: &'a mut [f32],
    /// Sums of 2 to the power of scores less the largest.
    pub(super) totals: &'a mut [f32],
}

/// Stands for the largest of no scores, so that differences from it are numbers.
pub(crate) const NONE: f32 = f32::MIN;

/// Scores so far below the largest have weight zero.
pub(crate) const HIDDEN: f32 = -200.0;

/// Replaces scores `[keys, lanes]` in the vector at `lane` by 2 to the power of them less the largest so far, brings `sums` up to date and
/// gives back what earlier sums are multiplied by.
#[inline(always)]
pub(super) fn exponentiate<S: Simd>(simd: S, scores: &mut [f32], lanes: usize, lane: usize, sums: &mut Sums<'_>) -> S::Vector {
    let before = simd.load(sums.largest);
    let largest = simd.max(before, largest(simd, scores, lanes, lane));
    let factor = exp2(simd, simd.max(simd.splat(HIDDEN), simd.sub(before, largest)));
    let mut total = simd.splat(0.0);
    for row in scores.chunks_exact_mut(lanes) {
        let place = &mut row[lane..];
        let power = exp2(simd, simd.max(simd.splat(HIDDEN), simd.sub(simd.load(place), largest)));
        total = simd.add(total, power);
        simd.store(place, power);
    }
    simd.store(sums.largest, largest);
    simd.store(sums.totals, simd.mul_add(simd.load(sums.totals), factor, total));
    factor
}

/// The largest scores of the vector at `lane`; one that is no number counts or not, as its power will be none either.
#[inline(always)]
fn largest<S: Simd>(simd: S, scores: &[f32], lanes: usize, lane: usize) -> S::Vector {
    let mut largest = [simd.splat(f32::NEG_INFINITY); 4];
    for rows in scores.chunks(4 * lanes) {
        for (largest, row) in largest.iter_mut().zip(rows.chunks_exact(lanes)) {
            *largest = simd.max(*largest, simd.load(&row[lane..]));
        }
    }
    let [a, b, c, d] = largest;
    simd.max(simd.max(a, b), simd.max(c, d))
}

/// `c tanh(score / c)`, in units of ln 2, for scores that come divided by `c`.
#[inline(always)]
pub(crate) fn cap<S: Simd>(simd: S, scores: &mut [f32], softcap: f32) {
    let (one, two) = (simd.splat(1.0), simd.splat(2.0));
    let (to_power, softcap) = (simd.splat(2.0 * std::f32::consts::LOG2_E), simd.splat(softcap * std::f32::consts::LOG2_E));
    for score in scores.chunks_exact_mut(S::LANES) {
        let x = simd.mul(simd.load(score), to_power);
        let power = exp2(simd, simd.max(simd.splat(HIDDEN), simd.min(simd.splat(100.0), x)));
        let tanh = simd.sub(one, simd.div(two, simd.add(power, one)));
        simd.store(score, simd.mul(softcap, tanh));
    }
}

/// `2^x` for x from -200 to 100, within 3e-7 of its size; 0 below -126.
#[inline(always)]
pub(crate) fn exp2<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    let (power, n) = split_exp2(simd, x);
    simd.scale(power, n)
}

/// `2^x` as a power and a whole number `n`, the first times `2^n`.
#[inline(always)]
pub(super) fn split_exp2<S: Simd>(simd: S, x: S::Vector) -> (S::Vector, S::Vector) {
    /// 1.5 * 2^23: adding it rounds a small float to an integer.
    const ROUND: f32 = 12_582_912.0;
    /// A polynomial through `2^r` at 0 and through `(2^r - 1) / r` at Chebyshev's nodes of [-1/2, 1/2]: 2^0 is 1 exactly.
    const TERMS: [f32; 6] = [1.0, std::f32::consts::LN_2, 0.240_223_5, 0.055_503_81, 0.009_666_368, 0.001_338_130_3];
    let n = simd.sub(simd.add(x, simd.splat(ROUND)), simd.splat(ROUND));
    let r = simd.sub(x, n);
    let mut power = simd.splat(TERMS[5]);
    for term in TERMS[..5].iter().rev() {
        power = simd.mul_add(power, r, simd.splat(*term));
    }
    (power, n)
}
