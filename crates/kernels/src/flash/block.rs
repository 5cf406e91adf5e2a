//! Attention of some queries that read one key head, on one core, block of keys by block of keys.
//!
//! Every query of every head of the group is a lane of vectors. So keys and values are read where they stand, number by number; largest
//! scores and sums over keys need no step across lanes; and few queries of many heads still fill a vector.

use std::cell::RefCell;
use std::f32::consts::LOG2_E;
use std::ops::Range;

use super::found::Found;
use super::heads::Heads;
use super::mask::{Bias, Mask};
use super::softmax::{NONE, Sums, cap, exponentiate};
use super::tile::multiply;
use super::vector::Simd;
use super::{Output, Settings};

/// Keys of a block: their scores for 64 queries, and their values, stay in the first-level cache. Blocks begin at multiples of it, so that
/// what a query gets does not depend on the queries beside it.
const KEYS: usize = 64;

/// The widest head.
pub(super) const WIDEST: usize = 256;

/// From one copied row to the next: an odd number of cache lines, so that rows spread over all sets of the cache.
pub(super) const PITCH: usize = WIDEST + 16;

/// The most lanes.
pub(super) const LANES: usize = 64;

thread_local! {
    /// Reused from task to task.
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// One sequence of a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sequence<'a> {
    pub(super) inputs: [Heads<'a>; 3],
    pub(super) mask: Mask<'a>,
    pub(super) settings: Settings,
    /// Its place in the batch.
    pub(super) index: usize,
    /// Its first query and key.
    pub(super) starts: [usize; 2],
    /// Its queries and keys.
    pub(super) sizes: [usize; 2],
}

impl Sequence<'_> {
    /// Query heads that read one key head.
    pub(super) fn group(&self) -> usize {
        self.inputs[0].count / self.inputs[1].count
    }

    /// Query and head of a row of a key head's group.
    pub(super) fn place(&self, kv_head: usize, row: usize) -> (usize, usize) {
        let group = self.group();
        (row / group, kv_head * group + row % group)
    }

    /// What queries are multiplied by, so that scores come in units of ln 2, or divided by what caps them.
    pub(super) fn query_scale(&self) -> f32 {
        let Settings { scale, softcap, .. } = self.settings;
        if softcap > 0.0 { scale / softcap } else { scale * LOG2_E }
    }

    /// Puts biases of some keys for `rows` into `out [keys, lanes]`; false where none of the keys is seen.
    pub(super) fn load_bias(
        &self,
        bias: Bias<'_>,
        kv_head: usize,
        rows: &Range<usize>,
        keys: &Range<usize>,
        lanes: usize,
        out: &mut [f32],
    ) -> bool {
        let mut seen = false;
        for (lane, row) in rows.clone().enumerate() {
            let (query, head) = self.place(kv_head, row);
            let row = &bias.row(self.index, head, query)[keys.clone()];
            for (place, x) in out[lane..].iter_mut().step_by(lanes).zip(row) {
                *place = *x;
                seen |= *x != f32::NEG_INFINITY;
            }
        }
        seen
    }

    /// Attention of `rows` out of the queries of a key head's group, query by query and of each its heads.
    pub(super) fn attend<S: Simd>(&self, simd: S, kv_head: usize, rows: Range<usize>, output: &Output<'_>) {
        SCRATCH.with_borrow_mut(|scratch| Block::new(simd, self, kv_head, rows, scratch).run(output));
    }
}

/// The state of a task; arrays are `[.., lanes]`.
struct Block<'a, S> {
    simd: S,
    sequence: &'a Sequence<'a>,
    kv_head: usize,
    rows: Range<usize>,
    lanes: usize,
    /// Keys that each lane sees.
    seen: [(usize, usize); LANES],
    /// `[width]`
    queries: &'a mut [f32],
    /// `[keys of a block]`
    scores: &'a mut [f32],
    /// `[keys of a block]`
    bias: &'a mut [f32],
    /// `[width of values]`
    mix: &'a mut [f32],
    /// Keys of a block one after another, then values: where heads stand far apart, reading them from there again and again costs a third
    /// of the speed.
    copy: &'a mut [f32],
    largest: [f32; LANES],
    totals: [f32; LANES],
    factors: [f32; LANES],
}

impl<'a, S: Simd> Block<'a, S> {
    fn new(simd: S, sequence: &'a Sequence<'a>, kv_head: usize, rows: Range<usize>, scratch: &'a mut Vec<f32>) -> Self {
        let lanes = rows.len().next_multiple_of(S::LANES);
        let [queries, _, values] = sequence.inputs;
        let bias = if sequence.mask.bias.is_some() { KEYS } else { 0 };
        let [q, scores, bias, mix] = [queries.width, KEYS, bias, values.width].map(|rows| rows * lanes);
        let [queries, scores, bias, mix, copy] = split(scratch, [q, scores, bias, mix, LANES.max(KEYS) * PITCH]);
        mix.fill(0.0);
        let [largest, totals, factors] = [NONE, 0.0, 0.0].map(|x| [x; LANES]);
        let mut block = Self {
            simd,
            sequence,
            kv_head,
            rows,
            lanes,
            seen: [(0, 0); LANES],
            queries,
            scores,
            bias,
            mix,
            copy,
            largest,
            totals,
            factors,
        };
        block.load_queries();
        block
    }

    /// Queries as columns, scaled, and what they see; lanes without a query see nothing.
    fn load_queries(&mut self) {
        let Sequence { inputs: [queries, ..], starts, .. } = *self.sequence;
        let scale = self.sequence.query_scale();
        let mut rows = [&[][..]; LANES];
        for lane in 0..self.rows.len() {
            let (query, head) = self.sequence.place(self.kv_head, self.rows.start + lane);
            let Range { start, end } = self.sequence.mask.range(self.sequence.index, query, self.sequence.sizes);
            self.seen[lane] = (start, end);
            rows[lane] = queries.row(starts[0] + query, head);
        }
        for (index, rows) in rows[..self.rows.len()].chunks(S::LANES).enumerate() {
            self.simd.transpose(rows, &mut self.queries[index * S::LANES..], self.lanes);
        }
        for x in self.queries.iter_mut() {
            *x *= scale;
        }
    }

    fn run(mut self, output: &Output<'_>) {
        let seen = self.seen[..self.rows.len()].iter().filter(|(start, end)| start < end);
        let (first, end) = seen.fold((usize::MAX, 0), |all, seen| (all.0.min(seen.0), all.1.max(seen.1)));
        for block in first / KEYS..end.div_ceil(KEYS) {
            self.take(first.max(block * KEYS)..end.min((block + 1) * KEYS));
        }
        self.finish(output);
    }

    /// Takes some keys in.
    fn take(&mut self, keys: Range<usize>) {
        if let Some(bias) = self.sequence.mask.bias
            && !self.sequence.load_bias(bias, self.kv_head, &self.rows, &keys, self.lanes, self.bias)
        {
            return;
        }
        let Sequence { inputs: [_, k, v], .. } = *self.sequence;
        let (simd, lanes, size) = (self.simd, self.lanes, keys.len() * self.lanes);
        self.copy(k, keys.clone());
        multiply::<S, PITCH, 1>(simd, self.copy, self.queries, &mut self.scores[..size], lanes, None);
        self.weigh(keys.clone());
        self.copy(v, keys);
        multiply::<S, 1, PITCH>(simd, self.copy, &self.scores[..size], self.mix, lanes, Some(&self.factors));
    }

    /// Brings some rows of keys or values together.
    fn copy(&mut self, x: Heads<'_>, keys: Range<usize>) {
        let (simd, first) = (self.simd, self.sequence.starts[1]);
        let rows = keys.map(|key| x.row(first + key, self.kv_head));
        simd.vectorize(
            #[inline(always)]
            || {
                for (place, row) in self.copy.chunks_exact_mut(PITCH).zip(rows) {
                    copy_row(simd, &mut place[..x.width], row);
                }
            },
        );
    }

    /// From scores to weights.
    fn weigh(&mut self, keys: Range<usize>) {
        let (simd, lanes) = (self.simd, self.lanes);
        let cut = self.seen[..self.rows.len()].iter().any(|seen| seen.0 > keys.start || seen.1 < keys.end);
        let (softcap, biased) = (self.sequence.settings.softcap, self.sequence.mask.bias.is_some());
        let scores = &mut self.scores[..keys.len() * lanes];
        simd.vectorize(
            #[inline(always)]
            || {
                if softcap > 0.0 {
                    cap(simd, scores, softcap);
                }
                if biased {
                    add_bias(simd, scores, self.bias);
                }
                for lane in (0..lanes).step_by(S::LANES) {
                    let part = lane..lane + S::LANES;
                    if cut {
                        hide(simd, scores, lanes, lane, &self.seen[part.clone()], keys.start);
                    }
                    let mut sums = Sums { largest: &mut self.largest[part.clone()], totals: &mut self.totals[part.clone()] };
                    let factor = exponentiate(simd, scores, lanes, lane, &mut sums);
                    simd.store(&mut self.factors[part], factor);
                }
            },
        );
    }

    /// Writes what the lanes got.
    fn finish(self, output: &Output<'_>) {
        let found = Found { mix: self.mix, lanes: self.lanes, largest: &self.largest, totals: &self.totals };
        self.sequence.write(self.simd, self.kv_head, self.rows, &found, self.copy, output);
    }
}

/// Copies a row without the call that a copy of unknown length is.
#[inline(always)]
fn copy_row<S: Simd>(simd: S, place: &mut [f32], row: &[f32]) {
    let (mut places, mut parts) = (place.chunks_exact_mut(S::LANES), row.chunks_exact(S::LANES));
    for (place, part) in (&mut places).zip(&mut parts) {
        simd.store(place, simd.load(part));
    }
    for (place, x) in places.into_remainder().iter_mut().zip(parts.remainder()) {
        *place = *x;
    }
}

/// Adds biases, in units of ln 2.
#[inline(always)]
pub(super) fn add_bias<S: Simd>(simd: S, scores: &mut [f32], bias: &[f32]) {
    let unit = simd.splat(LOG2_E);
    for (score, bias) in scores.chunks_exact_mut(S::LANES).zip(bias.chunks_exact(S::LANES)) {
        simd.store(score, simd.mul_add(simd.load(bias), unit, simd.load(score)));
    }
}

/// Minus infinity for keys that the lanes of a vector do not see; `first` is the key of the first row.
#[inline(always)]
pub(super) fn hide<S: Simd>(simd: S, scores: &mut [f32], lanes: usize, lane: usize, seen: &[(usize, usize)], first: usize) {
    let (mut low, mut high) = ([0.0; LANES], [0.0; LANES]);
    let keys = scores.len() / lanes;
    for (i, seen) in seen.iter().enumerate() {
        // At most the keys of a block, which a float holds exactly.
        [low[i], high[i]] = [seen.0, seen.1].map(|key| key.saturating_sub(first).min(keys) as f32);
    }
    let (low, high) = (simd.load(&low), simd.load(&high));
    for (key, row) in scores.chunks_exact_mut(lanes).enumerate() {
        let place = &mut row[lane..];
        simd.store(place, simd.within(simd.load(place), simd.splat(key as f32), low, high));
    }
}

/// Parts of a scratch of at least their sizes, which begin at cache lines.
pub(super) fn split<const N: usize>(scratch: &mut Vec<f32>, sizes: [usize; N]) -> [&mut [f32]; N] {
    const LINE: usize = 16;
    let needed = sizes.iter().sum::<usize>() + LINE;
    if scratch.len() < needed {
        scratch.resize(needed, 0.0);
    }
    let skip = scratch.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
    let mut rest = &mut scratch[skip..];
    sizes.map(|size| rest.split_off_mut(..size).expect("the scratch was made large enough"))
}
