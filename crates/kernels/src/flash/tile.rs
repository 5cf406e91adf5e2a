//! Products of a few rows in registers.

#![expect(unsafe_code, reason = "factors are read without bounds checks in the innermost loop")]

use super::vector::Simd;

/// Rows of a tile.
pub(super) const ROWS: usize = 6;

/// `out [rows, lanes] = left [rows, depth] right [depth, lanes]`; with `factors [lanes]`, `out` times them is added. Value `(row, i)` of the
/// left matrix stands at `row * ROW + i * STEP`, distances that the compiler knows: address arithmetic would compete with the products.
///
/// Every sum is one chain from the first to the last of `depth`, however many rows and lanes there are.
///
/// # Panics
/// Where `lanes` are not 1 to `S::WIDTH` whole vectors, or a slice is too short.
#[inline(always)]
pub(super) fn multiply<S: Simd, const ROW: usize, const STEP: usize>(
    simd: S,
    left: &[f32],
    right: &[f32],
    out: &mut [f32],
    lanes: usize,
    factors: Option<&[f32]>,
) {
    for (index, out) in out.chunks_mut(ROWS * lanes).enumerate() {
        multiply_rows::<S, ROW, STEP>(simd, &left[index * ROWS * ROW..], right, out, lanes, factors);
    }
}

/// Calls [`tile`] for rows and vectors known at compile time.
macro_rules! tile_of {
    ($simd:ident, $rows:expr, $vectors:expr, $arguments:tt, $($width:literal: $($count:literal)*;)*) => {
        match ($rows, $vectors) {
            $($(($count, $width) => $simd.vectorize(#[inline(always)] || tile::<S, ROW, STEP, $count, $width> $arguments),)*)*
            (rows, vectors) => unreachable!("{rows} rows of {vectors} vectors are no tile"),
        }
    };
}

#[inline(always)]
fn multiply_rows<S: Simd, const ROW: usize, const STEP: usize>(
    simd: S,
    left: &[f32],
    right: &[f32],
    out: &mut [f32],
    lanes: usize,
    factors: Option<&[f32]>,
) {
    let (rows, vectors) = (out.len() / lanes, lanes / S::LANES);
    tile_of!(simd, rows, vectors, (simd, left, right, out, factors), 1: 1 2 3 4 5 6; 2: 1 2 3 4 5 6; 3: 1 2 3 4 5 6; 4: 1 2 3 4 5 6;);
}

#[inline(always)]
fn tile<S: Simd, const ROW: usize, const STEP: usize, const R: usize, const N: usize>(
    simd: S,
    left: &[f32],
    right: &[f32],
    out: &mut [f32],
    factors: Option<&[f32]>,
) {
    let lanes = N * S::LANES;
    let depth = right.len() / lanes;
    assert!(depth == 0 || (R - 1) * ROW + (depth - 1) * STEP < left.len(), "a tile lies within its factors");
    let mut sums = [[simd.splat(0.0); N]; R];
    for (i, right) in right.chunks_exact(lanes).enumerate() {
        let mut vectors = [simd.splat(0.0); N];
        for (j, vector) in vectors.iter_mut().enumerate() {
            *vector = simd.load(&right[j * S::LANES..]);
        }
        for (row, sums) in sums.iter_mut().enumerate() {
            // SAFETY: the row is below R and i below the depth, so the place is at most the one checked above.
            let value = simd.splat(unsafe { *left.get_unchecked(row * ROW + i * STEP) });
            for (sum, vector) in sums.iter_mut().zip(vectors) {
                *sum = simd.mul_add(value, vector, *sum);
            }
        }
    }
    for (out, sums) in out.chunks_exact_mut(lanes).zip(sums) {
        for (j, sum) in sums.into_iter().enumerate() {
            let place = &mut out[j * S::LANES..];
            let sum = factors.map_or(sum, |factors| simd.mul_add(simd.load(place), simd.load(&factors[j * S::LANES..]), sum));
            simd.store(place, sum);
        }
    }
}
