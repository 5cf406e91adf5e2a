//! A few rows over the keys of a span, in registers.
//!
//! Every number is made by the same operations in the same order however many rows there are: `R` counts copies of one body.

#![expect(unsafe_code, reason = "factors are read without bounds checks in the innermost loop")]

use std::ops::Range;

use super::element::Element;
use super::record;
use super::simd::Widen;
use super::table::{GROUP, Rows, SPAN};
use crate::flash::softmax::{HIDDEN, NONE, cap, exp2};

/// Keys whose values stay in the first-level cache while all parts of them are added up. Weights are made tile by tile.
pub(super) const TILE: usize = 32;

/// Keys from one that is multiplied to the one that is asked for: blocks may stand anywhere, where no prefetcher of the processor looks.
const AHEAD: usize = 32;

/// The keys of a span that some rows see.
#[derive(Debug)]
pub(super) struct Span<'a, E> {
    pub(super) keys: Rows<'a, E>,
    pub(super) values: Rows<'a, E>,
    /// Scales of keys and values.
    pub(super) scales: [&'a [f32; SPAN]; 2],
    /// Places of keys that at least one row sees.
    pub(super) places: Range<usize>,
    pub(super) softcap: f32,
}

impl<E: Element> Span<'_, E> {
    /// Attention of rows `queries [rows, pitch]`, of which each sees the places `seen`, into their `records`. Queries come multiplied by
    /// what scores are multiplied by.
    pub(super) fn attend<S: Widen>(&self, simd: S, queries: &[f32], seen: &[Range<usize>], scores: &mut [f32], records: &mut [f32]) {
        macro_rules! for_rows {
            ($($count:literal)*) => {
                match seen.len() {
                    $($count => simd.vectorize(#[inline(always)] || self.attend_rows::<S, $count>(simd, queries, seen, scores, records)),)*
                    rows => unreachable!("{rows} rows are no tile"),
                }
            };
        }
        if const { S::ROWS <= 2 } {
            for_rows!(1 2);
        } else {
            for_rows!(1 2 3 4 5 6);
        }
    }

    #[inline(always)]
    fn attend_rows<S: Widen, const R: usize>(
        &self,
        simd: S,
        queries: &[f32],
        seen: &[Range<usize>],
        scores: &mut [f32],
        records: &mut [f32],
    ) {
        let pitch = self.keys.pitch();
        self.multiply_keys::<S, R>(simd, queries, scores);
        let tiles = self.places.start / TILE * TILE..self.places.end.next_multiple_of(TILE);
        let record_size = pitch + record::TAIL;
        for ((scores, seen), record) in scores.chunks_exact_mut(SPAN).zip(seen).zip(records.chunks_exact_mut(record_size)) {
            let sums = self.weigh(simd, scores, &tiles, seen);
            record.fill(0.0);
            record::close(record, pitch, sums);
        }
        for first in tiles.step_by(TILE) {
            let places = first.max(self.places.start)..(first + TILE).min(self.places.end);
            let mut at = 0;
            while at < pitch {
                at += self.mix_some::<S, R>(simd, scores, &places, at, records) * S::LANES;
            }
        }
    }

    /// Scores `[R, SPAN]` of groups of keys.
    #[inline(always)]
    fn multiply_keys<S: Widen, const R: usize>(&self, simd: S, queries: &[f32], scores: &mut [f32]) {
        let pitch = self.keys.pitch();
        assert!(queries.len() >= R * pitch && pitch.is_multiple_of(S::LANES), "queries are whole vectors");
        for first in (self.places.start / GROUP * GROUP..self.places.end).step_by(GROUP) {
            let mut sums = [[simd.splat(0.0); GROUP]; R];
            for at in (0..pitch).step_by(S::LANES) {
                let mut keys = [simd.splat(0.0); GROUP];
                for (i, key) in keys.iter_mut().enumerate() {
                    // SAFETY: the rows were made for the groups of all places, and vectors are part of rows.
                    *key = unsafe { self.keys.vector(simd, first + i, at) };
                }
                for (row, sums) in sums.iter_mut().enumerate() {
                    // SAFETY: the vector is part of a row, of which there were found to be enough.
                    let query = simd.load(unsafe { queries.get_unchecked(row * pitch + at..row * pitch + at + S::LANES) });
                    for (sum, key) in sums.iter_mut().zip(keys) {
                        *sum = simd.mul_add(query, key, *sum);
                    }
                }
            }
            for (scores, sums) in scores.chunks_exact_mut(SPAN).zip(sums) {
                scores[first..first + GROUP].copy_from_slice(&simd.sums(sums));
            }
            self.prefetch(simd, first + AHEAD);
        }
    }

    /// Asks for a group of keys, or of the first values, which are read after the last keys.
    #[inline(always)]
    fn prefetch<S: Widen>(&self, simd: S, first: usize) {
        for place in first..first + GROUP {
            if place < self.places.end {
                self.keys.prefetch(simd, place);
            } else {
                self.values.prefetch(simd, self.places.start + place - self.places.end);
            }
        }
    }

    /// Replaces a row's scores in `tiles` by weights and gives back the largest score and the sum of weights. Places that the row does not
    /// see get weight 0. Sums are of places at equal distances, so that more such places at either end change nothing.
    #[inline(always)]
    fn weigh<S: Widen>(&self, simd: S, scores: &mut [f32], tiles: &Range<usize>, seen: &Range<usize>) -> [f32; 2] {
        let inside = tiles.clone();
        if E::SCALED {
            scale(simd, &mut scores[inside.clone()], &self.scales[0][inside.clone()]);
        }
        if self.softcap > 0.0 {
            cap(simd, &mut scores[inside.clone()], self.softcap);
        }
        let (start, end) = (seen.start.clamp(tiles.start, tiles.end), seen.end.clamp(tiles.start, tiles.end));
        scores[tiles.start..start].fill(f32::NEG_INFINITY);
        scores[end.max(start)..tiles.end].fill(f32::NEG_INFINITY);
        let sums = exponentiate(simd, &mut scores[inside.clone()]);
        if E::SCALED {
            scale(simd, &mut scores[inside.clone()], &self.scales[1][inside]);
        }
        sums
    }

    /// Adds up to four vectors of values from `at` on, times weights, to the records; gives back how many vectors.
    #[inline(always)]
    fn mix_some<S: Widen, const R: usize>(&self, simd: S, weights: &[f32], places: &Range<usize>, at: usize, records: &mut [f32]) -> usize {
        let vectors = match (self.values.pitch() - at) / S::LANES {
            0 | 1 => 1,
            2 | 3 => 2,
            _ => 4,
        };
        match vectors {
            4 => self.mix::<S, R, 4>(simd, weights, places, at, records),
            2 => self.mix::<S, R, 2>(simd, weights, places, at, records),
            _ => self.mix::<S, R, 1>(simd, weights, places, at, records),
        }
        vectors
    }

    /// Each sum is one chain over the places.
    #[inline(always)]
    fn mix<S: Widen, const R: usize, const N: usize>(
        &self,
        simd: S,
        weights: &[f32],
        places: &Range<usize>,
        at: usize,
        records: &mut [f32],
    ) {
        let size = self.values.pitch() + record::TAIL;
        assert!(
            weights.len() >= R * SPAN && places.end <= SPAN && at + N * S::LANES <= self.values.pitch(),
            "a tile lies within its factors"
        );
        let mut sums = [[simd.splat(0.0); N]; R];
        for (sums, record) in sums.iter_mut().zip(records.chunks_exact(size)) {
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum = simd.load(&record[at + i * S::LANES..]);
            }
        }
        for place in places.clone() {
            let mut values = [simd.splat(0.0); N];
            for (i, value) in values.iter_mut().enumerate() {
                // SAFETY: the rows were made for all places, and the vectors were found to be part of rows.
                *value = unsafe { self.values.vector(simd, place, at + i * S::LANES) };
            }
            for (row, sums) in sums.iter_mut().enumerate() {
                // SAFETY: the row is below R and the place below SPAN.
                let weight = simd.splat(unsafe { *weights.get_unchecked(row * SPAN + place) });
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum = simd.mul_add(weight, value, *sum);
                }
            }
            if at == 0 {
                self.values.prefetch(simd, place + AHEAD);
            }
        }
        for (sums, record) in sums.into_iter().zip(records.chunks_exact_mut(size)) {
            for (i, sum) in sums.into_iter().enumerate() {
                simd.store(&mut record[at + i * S::LANES..], sum);
            }
        }
    }
}

/// Multiplies whole vectors by factors.
#[inline(always)]
fn scale<S: Widen>(simd: S, values: &mut [f32], factors: &[f32]) {
    for (values, factors) in values.chunks_exact_mut(S::LANES).zip(factors.chunks_exact(S::LANES)) {
        simd.store(values, simd.mul(simd.load(values), simd.load(factors)));
    }
}

/// Replaces scores of whole tiles by 2 to the power of them less the largest, which it gives back with their sum.
#[inline(always)]
fn exponentiate<S: Widen>(simd: S, scores: &mut [f32]) -> [f32; 2] {
    let mut lanes = [simd.splat(NONE); 2];
    for scores in scores.chunks_exact(2 * S::LANES) {
        for (largest, scores) in lanes.iter_mut().zip(scores.chunks_exact(S::LANES)) {
            *largest = simd.max(simd.load(scores), *largest);
        }
    }
    let largest = fold(simd, simd.max(lanes[0], lanes[1]), f32::max);
    let mut totals = [simd.splat(0.0); 2];
    for scores in scores.chunks_exact_mut(2 * S::LANES) {
        for (total, scores) in totals.iter_mut().zip(scores.chunks_exact_mut(S::LANES)) {
            let power = simd.sub(simd.load(scores), simd.splat(largest));
            let power = exp2(simd, simd.max(simd.splat(HIDDEN), power));
            *total = simd.add(*total, power);
            simd.store(scores, power);
        }
    }
    [largest, fold(simd, simd.add(totals[0], totals[1]), |a, b| a + b)]
}

/// Joins the numbers of a vector, halves with halves.
#[inline(always)]
fn fold<S: Widen>(simd: S, x: S::Vector, join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0; 16];
    simd.store(&mut lanes, x);
    let mut count = S::LANES;
    while count > 1 {
        count /= 2;
        for i in 0..count {
            lanes[i] = join(lanes[i], lanes[i + count]);
        }
    }
    lanes[0]
}
