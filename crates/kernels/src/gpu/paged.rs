//! Attention of one query a sequence over keys and values in blocks: a cube for a few heads of a sequence and a span of its positions.
//!
//! Scores of 64 positions are made at a time, a position for each unit, then values are added, a dimension for each unit, with the online
//! softmax of [Milakov and Gimelshein 2018](https://arxiv.org/abs/1805.02867) in between.

use cubecl::prelude::*;

/// Units of a cube, and positions of a round.
pub(super) const ROUND: usize = 64;
/// Lower than any score, and finite, because not every device keeps infinities.
pub(super) const LOWEST: f32 = f32::MIN;

/// What the kernel is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PagedPlan {
    /// Heads of queries of a cube, which read the same keys and values.
    pub(super) group: usize,
    /// Cubes that share a head of keys and values.
    pub(super) parts: usize,
    pub(super) kv_heads: usize,
    /// Width of a head: a multiple of 4.
    pub(super) d: usize,
    /// Positions of a block.
    pub(super) block_size: usize,
    pub(super) softcap: bool,
}

impl PagedPlan {
    const fn heads(self) -> usize {
        self.kv_heads * self.parts * self.group
    }

    /// Dimensions of a unit.
    const fn slots(self) -> usize {
        self.d.div_ceil(ROUND)
    }
}

/// Numbers that may change from launch to launch.
#[derive(CubeLaunch, CubeType)]
pub(super) struct PagedScalars {
    pub(super) scale: f32,
    pub(super) softcap: f32,
    /// Last positions that a query sees.
    pub(super) window: u32,
    /// Blocks of a row of the table.
    pub(super) max_blocks: u32,
    /// Positions of a span.
    pub(super) span: u32,
}

/// Writes `out [spans, sequences, heads, d]` and `lse [spans, sequences, heads]`: zeros and [`LOWEST`] for a span without positions.
#[cube(launch_unchecked, address_type = "dynamic")]
#[expect(clippy::too_many_lines, reason = "a kernel's shared memory and barriers do not go into functions of their own")]
pub(super) fn paged_decode<Q: Float, C: Float, O: Float>(
    q: &[Vector<Q, Const<4>>],
    keys: &[Vector<C, Const<4>>],
    values: &[C],
    tables: &[u32],
    lengths: &[u32],
    out: &mut [O],
    lse: &mut [f32],
    scalars: PagedScalars,
    #[comptime] plan: PagedPlan,
    #[define(Q, C, O)] _elems: [ElemType; 3],
) {
    let (group, slots, d) = comptime!((plan.group, plan.slots(), plan.d));
    let unit = UNIT_POS as usize;
    let kv_head = CUBE_POS_X as usize / comptime!(plan.parts);
    let first_head = CUBE_POS_X as usize * group;
    let sequence = CUBE_POS_Y as usize;
    let first_row = sequence * comptime!(plan.heads()) + first_head;

    let mut queries = Shared::<[Vector<f32, Const<4>>]>::new_slice(comptime!(plan.group * plan.d / 4));
    let mut weights = Shared::<[f32]>::new_slice(comptime!(plan.group * ROUND));
    let mut rows = Shared::<[u32]>::new_slice(ROUND);
    for index in range_stepped(unit, comptime!(plan.group * plan.d / 4), ROUND) {
        queries[index] = Vector::cast_from(q[first_row * comptime!(plan.d / 4) + index]);
    }

    let length = lengths[sequence];
    let seen = length - length.min(scalars.window);
    let start = seen.max(CUBE_POS_Z * scalars.span);
    let end = length.min((CUBE_POS_Z + 1) * scalars.span);
    let mut highest = Array::<f32>::new(group);
    let mut totals = Array::<f32>::new(group);
    let mut sums = Array::<f32>::new(comptime!(plan.group * plan.slots()));
    #[unroll]
    for head in 0..group {
        highest[head] = f32::new(LOWEST);
    }
    for first in range_stepped(start, end, ROUND as u32) {
        let count = (end - first).min(ROUND as u32) as usize;
        // Keys of the last round may still be read as weights, and queries must have been written.
        sync_cube();
        if unit < count {
            let position = first as usize + unit;
            let block = tables[sequence * scalars.max_blocks as usize + position / comptime!(plan.block_size)] as usize;
            let row = (block * comptime!(plan.block_size) + position % comptime!(plan.block_size)) * comptime!(plan.kv_heads) + kv_head;
            rows[unit] = row as u32;
            score::<C>(keys, &queries, &mut weights, row, unit, &scalars, plan);
        }
        sync_cube();
        let mut highs = Array::<f32>::new(group);
        #[unroll]
        for head in 0..group {
            highs[head] = highest[head];
            for at in 0..count {
                highs[head] = highs[head].max(weights[head * ROUND + at]);
            }
        }
        sync_cube();
        if unit < count {
            #[unroll]
            for head in 0..group {
                let at = head * ROUND + unit;
                weights[at] = (weights[at] - highs[head]).exp();
            }
        }
        sync_cube();
        #[unroll]
        for head in 0..group {
            let shrink = (highest[head] - highs[head]).exp();
            highest[head] = highs[head];
            totals[head] *= shrink;
            #[unroll]
            for slot in 0..slots {
                sums[head * slots + slot] *= shrink;
            }
        }
        for at in 0..count {
            let row = rows[at] as usize;
            #[unroll]
            for head in 0..group {
                totals[head] += weights[head * ROUND + at];
            }
            #[unroll]
            for slot in 0..slots {
                let dim = slot * ROUND + unit;
                if dim < d {
                    let value = f32::cast_from(values[row * d + dim]);
                    #[unroll]
                    for head in 0..group {
                        sums[head * slots + slot] += weights[head * ROUND + at] * value;
                    }
                }
            }
        }
    }

    let offset = CUBE_POS_Z as usize * CUBE_COUNT_Y as usize * comptime!(plan.heads()) + first_row;
    #[unroll]
    for head in 0..group {
        let row = offset + head;
        let empty = totals[head] == 0.0;
        let divisor = select(empty, 1.0, totals[head]);
        #[unroll]
        for slot in 0..slots {
            let dim = slot * ROUND + unit;
            if dim < d {
                out[row * d + dim] = O::cast_from(sums[head * slots + slot] / divisor);
            }
        }
        if unit == 0 {
            lse[row] = select(empty, f32::new(LOWEST), highest[head] + divisor.ln());
        }
    }
}

/// Writes the scores of all heads with the key at `row`.
#[cube]
fn score<C: Float>(
    keys: &[Vector<C, Const<4>>],
    queries: &Shared<[Vector<f32, Const<4>>]>,
    weights: &mut Shared<[f32]>,
    row: usize,
    unit: usize,
    scalars: &PagedScalars,
    #[comptime] plan: PagedPlan,
) {
    let quads = comptime!(plan.d / 4);
    let mut dots = Array::<Vector<f32, Const<4>>>::new(comptime!(plan.group));
    for quad in 0..quads {
        let key = Vector::<f32, Const<4>>::cast_from(keys[row * quads + quad]);
        #[unroll]
        for head in 0..comptime!(plan.group) {
            dots[head] += queries[head * quads + quad] * key;
        }
    }
    #[unroll]
    for head in 0..comptime!(plan.group) {
        let dot = dots[head];
        let mut score = (dot.extract(0usize) + dot.extract(1usize) + dot.extract(2usize) + dot.extract(3usize)) * scalars.scale;
        if comptime!(plan.softcap) {
            score = (score / scalars.softcap).tanh() * scalars.softcap;
        }
        weights[head * ROUND + unit] = score;
    }
}
