//! A task: many queries that read one key head, block by block, while its keys are packed for all of them.

#![expect(unsafe_code, reason = "functions of instructions that were found to exist")]

use std::cell::RefCell;
use std::ops::Range;

use super::lanes::Lanes;
use super::pack::pack_queries;
use super::softmax::{Weights, exponentiate};
use super::span::{SPAN, Span};
use super::{GROUP, KEY_GROUPS, KEYS, TileUnit, VECTOR};
use crate::amx::blocks::Tiles;
use crate::flash::block::{PITCH, Sequence, add_bias, hide, split};
use crate::flash::found::Found;
use crate::flash::output::Output;
use crate::flash::softmax::{Sums, cap};
use crate::flash::vector::Simd;

thread_local! {
    /// Reused from task to task.
    static SCRATCH: RefCell<Scratch> = const { RefCell::new(Scratch { floats: Vec::new(), tiles: Vec::new(), lanes: Vec::new() }) };
}

struct Scratch {
    floats: Vec<f32>,
    tiles: Vec<Tiles>,
    lanes: Vec<Lanes>,
}

/// Attention of `rows` out of the queries of a key head's group, query by query and of each its heads.
pub(super) fn attend<const PARTS: usize>(unit: TileUnit, sequence: &Sequence<'_>, kv_head: usize, rows: Range<usize>, output: &Output<'_>) {
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.lanes.clear();
        let blocks = rows.clone().step_by(GROUP).map(|first| first..rows.end.min(first + GROUP));
        scratch.lanes.extend(blocks.map(|rows| Lanes::new(sequence, kv_head, rows)));
        Strip::<PARTS>::new(unit, sequence, kv_head, scratch).run(output);
    });
}

/// The state of a task.
struct Strip<'a, const PARTS: usize> {
    unit: TileUnit,
    sequence: &'a Sequence<'a>,
    kv_head: usize,
    span: Span<'a, PARTS>,
    /// Blocks of queries.
    lanes: &'a mut [Lanes],
    /// `[blocks of queries, parts, steps]`
    queries: &'a mut [Tiles],
    /// `[blocks of queries, width of values, 32]`
    mixes: &'a mut [f32],
    work: Work<'a, PARTS>,
}

/// What is made of a block of queries and a block of keys.
struct Work<'a, const PARTS: usize> {
    /// `[keys, 32]`
    scores: &'a mut [f32],
    /// `[keys, 32]`
    bias: &'a mut [f32],
    /// `[width of values, rounded up, 32]`
    mix: &'a mut [f32],
    /// `[32, PITCH]`
    turned: &'a mut [f32],
    factors: [f32; GROUP],
    weights: &'a mut Weights<PARTS>,
}

impl<'a, const PARTS: usize> Strip<'a, PARTS> {
    fn new(unit: TileUnit, sequence: &'a Sequence<'a>, kv_head: usize, scratch: &'a mut Scratch) -> Self {
        let Scratch { floats, tiles, lanes } = scratch;
        let [width, _, value_width] = sequence.inputs.map(|x| x.width);
        let steps = width.div_ceil(GROUP);
        let mix = value_width.next_multiple_of(GROUP) * GROUP;
        let sizes = [KEYS * GROUP, KEYS * GROUP, mix.max(width * GROUP), GROUP * PITCH, lanes.len() * value_width * GROUP];
        let [scores, bias, mix, turned, mixes] = split(floats, sizes);
        mixes.fill(0.0);
        let [key_tiles, value_tiles] = Span::<PARTS>::sizes(sequence);
        let [keys, values, weights, queries] = parts(tiles, [key_tiles, value_tiles, PARTS * KEY_GROUPS, lanes.len() * PARTS * steps]);
        let (weights, _) = weights.as_chunks_mut::<KEY_GROUPS>().0.as_chunks_mut::<PARTS>();
        let weights = weights.first_mut().expect("there is room for weights");
        let work = Work { scores, bias, mix, turned, factors: [0.0; GROUP], weights };
        let span = Span::new(unit, sequence, kv_head, [keys, values]);
        let mut strip = Self { unit, sequence, kv_head, span, lanes, queries, mixes, work };
        strip.load_queries();
        strip
    }

    /// Queries as columns, scaled, then packed.
    fn load_queries(&mut self) {
        let Sequence { inputs: [queries, ..], starts, .. } = *self.sequence;
        let scale = self.sequence.query_scale();
        let columns = &mut self.work.mix[..queries.width * GROUP];
        let tiles = queries.width.div_ceil(GROUP) * PARTS;
        for (lanes, packed) in self.lanes.iter_mut().zip(self.queries.chunks_exact_mut(tiles.max(1))) {
            let mut rows = [&[][..]; GROUP];
            for (place, row) in rows.iter_mut().zip(lanes.rows.clone()) {
                let (query, head) = self.sequence.place(self.kv_head, row);
                *place = queries.row(starts[0] + query, head);
            }
            columns.fill(0.0);
            for (vector, rows) in rows[..lanes.rows.len()].chunks(VECTOR).enumerate() {
                self.unit.vectors.transpose(rows, &mut columns[vector * VECTOR..], GROUP);
            }
            for x in &mut *columns {
                *x *= scale;
            }
            // SAFETY: a `TileUnit` exists, so the processor has the instructions.
            lanes.left_out = unsafe { pack_queries::<PARTS>(columns, packed) };
        }
    }

    fn run(mut self, output: &Output<'_>) {
        let some = self.lanes.iter().map(|lanes| &lanes.some).filter(|some| !some.is_empty());
        let (first, end) = some.fold((usize::MAX, 0), |all, some| (all.0.min(some.start), all.1.max(some.end)));
        for span in first / SPAN..end.div_ceil(SPAN) {
            let keys = first.max(span * SPAN)..end.min((span + 1) * SPAN);
            self.span.fill(keys.clone());
            for index in 0..self.lanes.len() {
                let some = &self.lanes[index].some;
                let keys = keys.start.max(some.start)..keys.end.min(some.end);
                if keys.is_empty() {
                    continue;
                }
                for block in keys.start / KEYS..keys.end.div_ceil(KEYS) {
                    self.take(index, block, keys.start.max(block * KEYS)..keys.end.min((block + 1) * KEYS));
                }
            }
        }
        self.finish(output);
    }

    /// Takes some keys of a block in for some queries.
    fn take(&mut self, index: usize, block: usize, keys: Range<usize>) {
        let lanes = &mut self.lanes[index];
        if self.span.is_large(block) {
            lanes.leave_out(&keys);
            return;
        }
        let groups = (keys.start - block * KEYS) / GROUP..(keys.end - block * KEYS).div_ceil(GROUP);
        let first = block * KEYS + groups.start * GROUP;
        let work = &mut self.work;
        if let Some(bias) = self.sequence.mask.bias {
            let place = &mut work.bias[(keys.start - first) * GROUP..];
            if !self.sequence.load_bias(bias, self.kv_head, &lanes.rows, &keys, GROUP, place) {
                return;
            }
        }
        let [_, _, values] = self.sequence.inputs;
        let (queries, mix) = (self.queries.len() / self.lanes.len(), self.mixes.len() / self.lanes.len());
        self.span.score(block, &groups, &self.queries[index * queries..], work.scores);
        // SAFETY: a `TileUnit` exists, so the processor has the instructions.
        unsafe { weigh(self.unit, self.sequence, &mut self.lanes[index], work, first, &groups) };
        self.span.mix(block, &groups, work.weights, work.mix);
        debug_assert_eq!(mix, values.width * GROUP, "a row of the mix is a dimension");
        // SAFETY: as above.
        unsafe { add(self.unit, &mut self.mixes[index * mix..][..mix], work.mix, &work.factors) };
    }

    /// Writes what the lanes got. Vectors take those left out.
    fn finish(self, output: &Output<'_>) {
        let (vectors, kv_head) = (self.unit.vectors, self.kv_head);
        let size = self.mixes.len() / self.lanes.len().max(1);
        for (index, lanes) in self.lanes.iter().enumerate() {
            let mix = &self.mixes[index * size..][..size];
            let found = Found { mix, lanes: GROUP, largest: &lanes.largest, totals: &lanes.totals };
            self.sequence.write(vectors, kv_head, lanes.rows.clone(), &found, self.work.turned, output);
            lanes.left_out().for_each(|rows| self.sequence.attend(vectors, kv_head, rows, output));
        }
    }
}

/// From scores to weights; `first` is the key of the first score.
#[target_feature(enable = "avx512f,avx512bw")]
fn weigh<const PARTS: usize>(
    unit: TileUnit,
    sequence: &Sequence<'_>,
    lanes: &mut Lanes,
    work: &mut Work<'_, PARTS>,
    first: usize,
    groups: &Range<usize>,
) {
    let simd = unit.vectors;
    let keys = groups.len() * GROUP;
    let scores = &mut work.scores[..keys * GROUP];
    let softcap = sequence.settings.softcap;
    if softcap > 0.0 {
        cap(simd, scores, softcap);
    }
    if sequence.mask.bias.is_some() {
        add_bias(simd, scores, work.bias);
    }
    let cut = lanes.all.start > first || lanes.all.end < first + keys;
    for vector in 0..2 {
        let part = vector * VECTOR..(vector + 1) * VECTOR;
        if cut {
            hide(simd, scores, GROUP, part.start, &lanes.seen[part.clone()], first);
        }
        let mut sums = Sums { largest: &mut lanes.largest[part.clone()], totals: &mut lanes.totals[part.clone()] };
        let factor = exponentiate::<PARTS>(simd, scores, vector, &mut sums, work.weights, groups.start);
        simd.store(&mut work.factors[part], factor);
    }
}

/// Adds a block's mix to what came before it, which is multiplied by `factors`.
#[target_feature(enable = "avx512f")]
fn add(unit: TileUnit, mix: &mut [f32], block: &[f32], factors: &[f32; GROUP]) {
    let simd = unit.vectors;
    let factors = [simd.load(factors), simd.load(&factors[VECTOR..])];
    for (row, block) in mix.as_chunks_mut::<GROUP>().0.iter_mut().zip(block.as_chunks::<GROUP>().0) {
        for (vector, factor) in factors.into_iter().enumerate() {
            let part = vector * VECTOR..(vector + 1) * VECTOR;
            let sum = simd.mul_add(simd.load(&row[part.clone()]), factor, simd.load(&block[part.clone()]));
            simd.store(&mut row[part], sum);
        }
    }
}

/// Parts of a scratch of at least their sizes.
fn parts<const N: usize>(scratch: &mut Vec<Tiles>, sizes: [usize; N]) -> [&mut [Tiles]; N] {
    let needed = sizes.iter().sum();
    if scratch.len() < needed {
        scratch.resize(needed, Tiles::ZERO);
    }
    let mut rest = &mut scratch[..];
    sizes.map(|size| rest.split_off_mut(..size).expect("the scratch was made large enough"))
}
