//! Keys and values, packed.

#![expect(unsafe_code, reason = "functions of instructions that were found to exist")]

use std::ops::Range;

use super::pack::{pack_keys, pack_values, prefetch};
use super::parts::terms;
use super::softmax::Weights;
use super::{GROUP, KEY_GROUPS, KEYS, TileUnit};
use crate::amx::blocks::{Blocks, Tiles};
use crate::flash::block::Sequence;

/// Blocks of keys that are packed together, to stay in the second-level cache while all queries of a task read them.
const BLOCKS: usize = 4;

/// Keys of a span.
pub(super) const SPAN: usize = BLOCKS * KEYS;

/// Some keys of a key head and their values.
pub(super) struct Span<'a, const PARTS: usize> {
    unit: TileUnit,
    sequence: &'a Sequence<'a>,
    kv_head: usize,
    /// `[groups, parts, steps]`
    keys: &'a mut [Tiles],
    /// `[blocks, width / 32, parts, groups of a block]`
    values: &'a mut [Tiles],
    /// For each block whether it holds numbers that tiles cannot serve.
    large: [bool; BLOCKS],
}

impl<'a, const PARTS: usize> Span<'a, PARTS> {
    /// Tiles of keys and of values.
    pub(super) fn sizes(sequence: &Sequence<'_>) -> [usize; 2] {
        let [_, steps, rows] = sequence.inputs.map(|x| x.width.div_ceil(GROUP));
        [steps, rows].map(|width| BLOCKS * KEY_GROUPS * PARTS * width)
    }

    pub(super) fn new(unit: TileUnit, sequence: &'a Sequence<'a>, kv_head: usize, [keys, values]: [&'a mut [Tiles]; 2]) -> Self {
        Self { unit, sequence, kv_head, keys, values, large: [false; BLOCKS] }
    }

    /// Packs some keys of one span.
    pub(super) fn fill(&mut self, keys: Range<usize>) {
        let [key_tiles, value_tiles] = Self::sizes(self.sequence).map(|tiles| tiles / BLOCKS);
        self.large = [false; BLOCKS];
        for group in keys.start / GROUP..keys.end.div_ceil(GROUP) {
            let (block, step) = (group / KEY_GROUPS % BLOCKS, group % KEY_GROUPS);
            let [_, k, v] = self.sequence.inputs;
            let tokens = self.tokens(group, keys.end);
            let next = self.tokens(group + 1, keys.end);
            for x in [k, v] {
                // SAFETY: a `TileUnit` exists, so the processor has the instructions.
                unsafe { prefetch(x, self.kv_head, next.clone()) };
            }
            let place = &mut self.keys[block * key_tiles + step * (key_tiles / KEY_GROUPS)..];
            // SAFETY: as above.
            let large = unsafe { pack_keys::<PARTS>(k, self.kv_head, tokens.clone(), place) };
            let place = &mut self.values[block * value_tiles..];
            // SAFETY: as above.
            let large = large | unsafe { pack_values::<PARTS>(v, self.kv_head, tokens, step, place) };
            self.large[block] |= large;
        }
    }

    /// The tokens of a group of keys that ends at `end` or before.
    fn tokens(&self, group: usize, end: usize) -> Range<usize> {
        let [first, end] = [group, group + 1].map(|group| self.sequence.starts[1] + end.min(group * GROUP));
        first..end
    }

    /// Whether a block of keys holds numbers that tiles cannot serve.
    pub(super) fn is_large(&self, block: usize) -> bool {
        self.large[block % BLOCKS]
    }

    /// Scores `[keys of groups, 32]` of some groups of a block.
    pub(super) fn score(&self, block: usize, groups: &Range<usize>, queries: &[Tiles], scores: &mut [f32]) {
        let steps = self.sequence.inputs[0].width.div_ceil(GROUP);
        let group = block % BLOCKS * KEY_GROUPS + groups.start;
        let factors = Blocks {
            left: &self.keys[group * PARTS * steps..],
            left_stride: PARTS * steps,
            left_count: groups.len(),
            right: queries,
            part_strides: [steps; 2],
            terms: terms::<PARTS>(),
            steps,
        };
        self.unit.amx.multiply_blocks(&factors, scores);
    }

    /// Values `[width of values, rounded up, 32]` mixed by the weights of some groups of a block.
    pub(super) fn mix(&self, block: usize, groups: &Range<usize>, weights: &Weights<PARTS>, mix: &mut [f32]) {
        let rows = self.sequence.inputs[2].width.div_ceil(GROUP);
        let factors = Blocks {
            left: &self.values[block % BLOCKS * rows * PARTS * KEY_GROUPS + groups.start..],
            left_stride: PARTS * KEY_GROUPS,
            left_count: rows,
            right: &weights.as_flattened()[groups.start..],
            part_strides: [KEY_GROUPS; 2],
            terms: terms::<PARTS>(),
            steps: groups.len(),
        };
        self.unit.amx.multiply_blocks(&factors, mix);
    }
}
