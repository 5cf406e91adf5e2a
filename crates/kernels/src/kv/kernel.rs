//! The rows of a block over the keys of a span: scores, weights, and values mixed by them.
//!
//! A few rows at a time stand in registers, and a few keys in the first-level cache while all rows are multiplied by them. Every number is
//! made by the same operations in the same order however many rows and keys there are: `R` and `N` count copies of one body.

#![expect(unsafe_code, reason = "factors are read without bounds checks in the innermost loop")]

use std::ops::Range;

use super::cache::LANES;
use super::element::Element;
use super::record;
use super::simd::Widen;
use super::table::{Group, Keys, Rows, SCORES, SPAN, score};
use crate::flash::softmax::{HIDDEN, NONE, cap, exp2};

/// Keys whose values stay in the first-level cache while rows of them are added up. Weights are made tile by tile.
pub(super) const TILE: usize = 32;

/// Groups of keys that stay there while rows are multiplied by them.
const GROUPS: usize = 4;

/// Values from one that is added to the one that is asked for: blocks may stand anywhere, where no prefetcher of the processor looks.
const AHEAD: usize = 32;

/// Bytes of a cache line.
const LINE: usize = 64;

/// The keys of a span that rows of a block see.
#[derive(Debug)]
pub(super) struct Span<'a, E> {
    pub(super) keys: Keys<'a, E>,
    pub(super) values: Rows<'a, E>,
    /// Scales of keys and values.
    pub(super) scales: [&'a [f32; SPAN]; 2],
    pub(super) softcap: f32,
}

/// Rows that stand in registers together, and the places that at least one of them sees.
#[derive(Debug)]
struct Tile {
    rows: Range<usize>,
    places: Range<usize>,
}

impl Tile {
    /// Whole tiles of weights.
    fn weights(&self) -> Range<usize> {
        self.places.start / TILE * TILE..self.places.end.next_multiple_of(TILE)
    }
}

/// Calls a method for a number of rows known at compile time.
macro_rules! for_rows {
    ($rows:expr, $simd:ident, $span:ident.$method:ident $arguments:tt) => {
        if const { S::ROWS <= 2 } {
            for_rows!(@ $rows, $simd, $span, $method, $arguments, 1 2)
        } else {
            for_rows!(@ $rows, $simd, $span, $method, $arguments, 1 2 3 4 5 6)
        }
    };
    (@ $rows:expr, $simd:ident, $span:ident, $method:ident, $arguments:tt, $($count:literal)*) => {
        match $rows {
            $($count => $simd.vectorize(#[inline(always)] || $span.$method::<S, $count> $arguments),)*
            rows => unreachable!("{rows} rows are no tile"),
        }
    };
}

impl<E: Element> Span<'_, E> {
    /// Attention of rows `queries [rows, width]`, of which each sees the places `seen`, into their `records`, where a row sees any. Queries
    /// come multiplied by what scores are multiplied by. Of rows in order neither end of what they see goes back.
    pub(super) fn attend<S: Widen>(&self, simd: S, queries: &[f32], seen: &[Range<usize>], scores: &mut [f32], records: &mut [f32]) {
        let tiles = tiles(seen, S::ROWS);
        self.multiply_keys(simd, queries, &tiles, scores);
        let size = self.values.pitch() + record::TAIL;
        for tile in &tiles {
            for row in tile.rows.clone() {
                let scores = &mut scores[row * SCORES..][LANES..][..SPAN];
                let sums = simd.vectorize(
                    #[inline(always)]
                    || self.weigh(simd, scores, &tile.weights(), &seen[row]),
                );
                let record = &mut records[row * size..][..size];
                record.fill(0.0);
                record::close(record, self.values.pitch(), sums);
            }
        }
        self.mix_values(simd, scores, &tiles, records);
    }

    /// Scores `[rows, SCORES]`.
    fn multiply_keys<S: Widen>(&self, simd: S, queries: &[f32], tiles: &[Tile], scores: &mut [f32]) {
        let groups = self.keys.groups();
        for first in (0..groups.len()).step_by(GROUPS) {
            let (groups, rest) = groups[first..].split_at(GROUPS.min(groups.len() - first));
            let mut ahead = &rest[..GROUPS.min(rest.len())];
            for tile in tiles {
                let (queries, scores) = (&queries[tile.rows.start * self.keys.width()..], &mut scores[tile.rows.start * SCORES..]);
                let mut groups = seen_groups(groups, &tile.places);
                while !groups.is_empty() {
                    let count = for_rows!(tile.rows.len(), simd, self.multiply_some(simd, queries, groups, ahead, scores));
                    (groups, ahead) = (&groups[count..], &[]);
                }
            }
        }
        for place in tiles.first().map_or(0..0, |tile| tile.places.start..tile.places.start + AHEAD) {
            self.values.prefetch(simd, place);
        }
    }

    /// Scores of up to four vectors of keys; gives back how many groups. Asks for the groups `ahead` meanwhile.
    #[inline(always)]
    fn multiply_some<S: Widen, const R: usize>(
        &self,
        simd: S,
        queries: &[f32],
        groups: &[Group],
        ahead: &[Group],
        scores: &mut [f32],
    ) -> usize {
        let vectors = side_by_side(groups.len() * LANES / S::LANES);
        match vectors {
            4 => self.multiply::<S, R, 4>(simd, queries, groups, ahead, scores),
            2 => self.multiply::<S, R, 2>(simd, queries, groups, ahead, scores),
            _ => self.multiply::<S, R, 1>(simd, queries, groups, ahead, scores),
        }
        vectors * S::LANES / LANES
    }

    /// Each score is one chain over the numbers of its key.
    #[inline(always)]
    fn multiply<S: Widen, const R: usize, const N: usize>(
        &self,
        simd: S,
        queries: &[f32],
        groups: &[Group],
        ahead: &[Group],
        scores: &mut [f32],
    ) {
        let width = self.keys.width();
        assert!(queries.len() >= R * width, "a row is as wide as a key");
        let places: [(Group, usize); N] = std::array::from_fn(|i| (groups[i * S::LANES / LANES], i * S::LANES % LANES));
        let mut sums = [[simd.splat(0.0); N]; R];
        for at in 0..width {
            let mut keys = [simd.splat(0.0); N];
            for (key, (group, lane)) in keys.iter_mut().zip(places) {
                // SAFETY: the group is one of the keys', the number within the width, and the lanes are those of a group.
                *key = unsafe { self.keys.vector(simd, group, at, lane) };
            }
            for (row, sums) in sums.iter_mut().enumerate() {
                // SAFETY: the row is below R and the number below the width.
                let query = simd.splat(unsafe { *queries.get_unchecked(row * width + at) });
                for (sum, key) in sums.iter_mut().zip(keys) {
                    *sum = simd.mul_add(query, key, *sum);
                }
            }
            if (at * LANES * size_of::<E>()).is_multiple_of(LINE) {
                for group in ahead {
                    self.keys.prefetch(simd, *group, at);
                }
            }
        }
        for (scores, sums) in scores.chunks_exact_mut(SCORES).zip(sums) {
            for ((group, lane), sum) in places.into_iter().zip(sums) {
                simd.store(&mut scores[group.score + lane..], sum);
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

    /// Values of places times weights, added to records tile by tile.
    fn mix_values<S: Widen>(&self, simd: S, scores: &[f32], tiles: &[Tile], records: &mut [f32]) {
        let size = self.values.pitch() + record::TAIL;
        let Some(places) = tiles.first().zip(tiles.last()).map(|(first, last)| first.places.start..last.places.end) else { return };
        for first in (places.start / TILE * TILE..places.end).step_by(TILE) {
            let mut ahead = true;
            for tile in tiles {
                let places = first.max(tile.places.start)..(first + TILE).min(tile.places.end);
                if !places.is_empty() {
                    let (scores, records) = (&scores[tile.rows.start * SCORES..], &mut records[tile.rows.start * size..]);
                    for_rows!(tile.rows.len(), simd, self.mix_row(simd, scores, &places, ahead, records));
                    ahead = false;
                }
            }
        }
    }

    #[inline(always)]
    fn mix_row<S: Widen, const R: usize>(&self, simd: S, weights: &[f32], places: &Range<usize>, ahead: bool, records: &mut [f32]) {
        let mut at = 0;
        while at < self.values.pitch() {
            at += self.mix_some::<S, R>(simd, weights, places, at, ahead && at == 0, records) * S::LANES;
        }
    }

    /// Adds up to four vectors of values from `at` on, times weights, to the records; gives back how many vectors.
    #[inline(always)]
    fn mix_some<S: Widen, const R: usize>(
        &self,
        simd: S,
        weights: &[f32],
        places: &Range<usize>,
        at: usize,
        ahead: bool,
        records: &mut [f32],
    ) -> usize {
        let vectors = side_by_side((self.values.pitch() - at) / S::LANES);
        match vectors {
            4 => self.mix::<S, R, 4>(simd, weights, places, at, ahead, records),
            2 => self.mix::<S, R, 2>(simd, weights, places, at, ahead, records),
            _ => self.mix::<S, R, 1>(simd, weights, places, at, ahead, records),
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
        ahead: bool,
        records: &mut [f32],
    ) {
        let size = self.values.pitch() + record::TAIL;
        assert!(
            weights.len() >= R * SCORES && places.end <= SPAN && at + N * S::LANES <= self.values.pitch(),
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
                // SAFETY: the row is below R and the place below SPAN, both within `SCORES`.
                let weight = simd.splat(unsafe { *weights.get_unchecked(row * SCORES + score(place)) });
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum = simd.mul_add(weight, value, *sum);
                }
            }
            if ahead {
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

/// Rows in tiles of equal sizes, as a small last one would read as much for less; those that see nothing are left out.
fn tiles(seen: &[Range<usize>], most: usize) -> Vec<Tile> {
    let size = seen.len().div_ceil(seen.len().div_ceil(most));
    let tile = |(index, seen): (usize, &[Range<usize>])| {
        let first = index * size;
        Tile { rows: first..first + seen.len(), places: seen[0].start..seen[seen.len() - 1].end }
    };
    seen.chunks(size).enumerate().map(tile).filter(|tile| !tile.places.is_empty()).collect()
}

/// Those of some groups in order that have keys at `places`.
fn seen_groups<'a>(groups: &'a [Group], places: &Range<usize>) -> &'a [Group] {
    let first = groups.partition_point(|group| group.score + LANES <= score(places.start));
    let end = groups.partition_point(|group| group.score < score(places.end));
    &groups[first.min(end)..end]
}

/// How many of the vectors that are left stand in registers together.
#[inline(always)]
fn side_by_side(left: usize) -> usize {
    match left {
        0 | 1 => 1,
        2 | 3 => 2,
        _ => 4,
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
