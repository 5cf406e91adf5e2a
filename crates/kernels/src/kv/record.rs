//! Softmax over some keys of a row, left open so that more can be merged into it.
//!
//! A record is `head_dim` sums of values times weights, padded to whole vectors, then the largest score, the sum of weights, and padding.
//! Weights are 2 to the power of scores less the largest, scores being in units of ln 2.

use std::f32::consts::LN_2;

use crate::flash::softmax::{HIDDEN, NONE, exp2};
use crate::flash::vector::Simd;

/// Numbers of a record beyond the sums of values.
pub(super) const TAIL: usize = 16;
const LARGEST: usize = 0;
const TOTAL: usize = 1;

/// Makes a record that of no keys.
pub(super) fn clear(record: &mut [f32], pitch: usize) {
    record.fill(0.0);
    record[pitch + LARGEST] = NONE;
}

/// Writes the largest score and the sum of weights.
#[inline(always)]
pub(super) fn close(record: &mut [f32], pitch: usize, [largest, total]: [f32; 2]) {
    record[pitch + LARGEST] = largest;
    record[pitch + TOTAL] = total;
}

/// Merges the record of other keys into one: with `m = max(m1, m2)` both are multiplied by `2^(their largest - m)` and added.
#[inline(always)]
pub(super) fn merge<S: Simd>(simd: S, into: &mut [f32], other: &[f32], pitch: usize) {
    let [before, after] = [&*into, other].map(|record| record[pitch + LARGEST]);
    let largest = if after > before { after } else { before };
    let (keep, take) = (factor(simd, before - largest), factor(simd, after - largest));
    for (into, other) in into.chunks_exact_mut(S::LANES).zip(other.chunks_exact(S::LANES)) {
        simd.store(into, simd.mul_add(simd.load(into), keep, simd.mul(simd.load(other), take)));
    }
    // The tail was multiplied like the sums before it, which is right for the sum of weights only.
    into[pitch + LARGEST] = largest;
}

/// What a record is multiplied by whose largest score lies so far from that of both.
#[inline(always)]
fn factor<S: Simd>(simd: S, distance: f32) -> S::Vector {
    exp2(simd, simd.max(simd.splat(HIDDEN), simd.splat(distance)))
}

/// The row's result, `head_dim` numbers, and the logarithm of the sum of powers of e of scores.
pub(super) fn finish(record: &[f32], pitch: usize, head_dim: usize) -> (impl Iterator<Item = f32>, f32) {
    let (largest, total) = (record[pitch + LARGEST], record[pitch + TOTAL]);
    (record[..head_dim].iter().map(move |sum| sum / total), largest * LN_2 + total.ln())
}
