//! The dense leg: cosine similarity with every row, exactly.

use pulp::{Arch, Simd, WithSimd};

use super::{Accept, Hit, segment::View, state::State, topk::TopK, vectors::inverse_length};
use crate::{Error, Result};

/// Rows scored before the heap looks at them: few enough that the scores stay in the first-level cache.
const BLOCK: usize = 512;

/// A query vector with a direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Query<'a> {
    pub(super) values: &'a [f32],
    pub(super) inverse_length: f32,
}

impl<'a> Query<'a> {
    pub(super) fn parse(values: &'a [f32], dims: usize) -> Result<Self> {
        if values.len() != dims {
            return Err(Error::Query(format!("the query vector has {} values where the index has {dims}", values.len())));
        }
        let no_direction = || Error::Query("the query vector is zero, not finite, or out of the range of its type".to_owned());
        Ok(Self { values, inverse_length: inverse_length(values).ok_or_else(no_direction)? })
    }
}

/// The `k` live chunks most similar to `query` among those that `accept` takes.
pub(super) fn search(state: &State, query: Query<'_>, k: usize, accept: Option<&Accept<'_>>) -> Vec<Hit> {
    let mut best = TopK::new(k);
    for view in &state.views {
        scan(view, query, accept, &mut best);
    }
    best.into_hits()
}

/// Offers every live row of `view` to `best`.
pub(super) fn scan<'a>(view: &'a View, query: Query<'_>, accept: Option<&Accept<'_>>, best: &mut TopK<'a>) {
    let vectors = &view.segment.vectors;
    let mut products = [0.0; BLOCK];
    for start in (0..vectors.len()).step_by(BLOCK) {
        let rows = start..vectors.len().min(start + BLOCK);
        let products = &mut products[..rows.len()];
        dot_products(query.values, vectors.block(rows.clone()), products);
        for (row, &product) in rows.zip(products.iter()) {
            offer(view, row, cosine(query, product, vectors.inverse_length(row)), accept, best);
        }
    }
}

/// Offers the given rows of `view` alone.
#[cfg(feature = "hnsw")]
pub(super) fn scan_rows<'a>(
    view: &'a View,
    rows: impl Iterator<Item = usize>,
    query: Query<'_>,
    accept: Option<&Accept<'_>>,
    best: &mut TopK<'a>,
) {
    let vectors = &view.segment.vectors;
    for row in rows {
        let mut product = [0.0];
        dot_products(query.values, vectors.row(row), &mut product);
        offer(view, row, cosine(query, product[0], vectors.inverse_length(row)), accept, best);
    }
}

/// Adding zero turns a negative zero positive, so that the two are one score.
fn cosine(query: Query<'_>, product: f32, inverse_length: f32) -> f32 {
    product * inverse_length * query.inverse_length + 0.0
}

pub(super) fn offer<'a>(view: &'a View, row: usize, score: f32, accept: Option<&Accept<'_>>, best: &mut TopK<'a>) {
    if !view.is_live(row) || !best.admits(score, || view.segment.at(row).1) {
        return;
    }
    let (document, chunk) = view.segment.at(row);
    if accept.is_none_or(|accept| accept(document, chunk)) {
        best.push(score, chunk);
    }
}

/// `out[i]` is the dot product of `query` and row `i` of `rows`, with the widest instructions that this processor has. A row's product
/// does not depend on where the row stands.
pub(super) fn dot_products(query: &[f32], rows: &[f32], out: &mut [f32]) {
    Arch::new().dispatch(DotProducts { query, rows, out });
}

struct DotProducts<'a> {
    query: &'a [f32],
    rows: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for DotProducts<'_> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "pulp compiles a body for each instruction set only where it is inlined")]
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (row, out) in self.rows.chunks_exact(self.query.len()).zip(self.out) {
            *out = dot_product(simd, self.query, row);
        }
    }
}

/// Four sums at a time: one would wait for its own last addition.
#[expect(clippy::inline_always, reason = "pulp compiles a body for each instruction set only where it is inlined")]
#[inline(always)]
fn dot_product<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_tail), (b, b_tail)) = (S::as_simd_f32s(a), S::as_simd_f32s(b));
    let ((a_fours, a_rest), (b_fours, b_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    let mut sums = [simd.splat_f32s(0.0); 4];
    for (a, b) in a_fours.iter().zip(b_fours) {
        for lane in 0..4 {
            sums[lane] = simd.mul_add_f32s(a[lane], b[lane], sums[lane]);
        }
    }
    for (&a, &b) in a_rest.iter().zip(b_rest) {
        sums[0] = simd.mul_add_f32s(a, b, sums[0]);
    }
    let sum = simd.add_f32s(simd.add_f32s(sums[0], sums[1]), simd.add_f32s(sums[2], sums[3]));
    let tail: f32 = a_tail.iter().zip(b_tail).map(|(a, b)| a * b).sum();
    simd.reduce_sum_f32s(sum) + tail
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::dot_products;

    proptest! {
        #[test]
        fn products_are_those_of_a_plain_loop(dims in 1_usize..140, rows in 1_usize..4, seed in any::<u32>()) {
            let mut bits = seed;
            let mut next = || { bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223); (bits >> 8) as f32 / 16_777_216.0 - 0.5 };
            let query: Vec<f32> = (0..dims).map(|_| next()).collect();
            let matrix: Vec<f32> = (0..dims * rows).map(|_| next()).collect();
            let mut found = vec![0.0; rows];
            dot_products(&query, &matrix, &mut found);
            for (row, found) in matrix.chunks_exact(dims).zip(found) {
                let expected: f64 = row.iter().zip(&query).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
                prop_assert!((f64::from(found) - expected).abs() < 1e-5, "{found} {expected}");
            }
        }
    }
}
