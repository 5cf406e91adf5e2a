//! Products of few rows: a team of units for an output, which reads the output's weights once for all rows.

use cubecl::prelude::*;

use super::codes::{CodeFormat, code_at, scale_index, zero_at};

/// What the kernel is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct GemvPlan {
    pub(super) format: CodeFormat,
    /// Rows of the input.
    pub(super) m: usize,
    /// Inputs.
    pub(super) k: usize,
    /// Outputs.
    pub(super) n: usize,
    /// Units of a team: a power of two, and those of a plane where `planes`.
    pub(super) lanes: usize,
    /// Teams of a cube.
    pub(super) teams: usize,
    /// Sum up with the instructions of planes, rather than in shared memory.
    pub(super) planes: bool,
}

#[cube(launch_unchecked, address_type = "dynamic")]
pub(super) fn gemv<F: Float>(
    x: &[Vector<F, Const<4>>],
    words: &[u32],
    scales: &[f32],
    zeros: &[f32],
    output: &mut [F],
    #[comptime] plan: GemvPlan,
    #[define(F)] _elem: ElemType,
) {
    let (m, n) = comptime!((plan.m, plan.n));
    let lane = UNIT_POS_X as usize;
    let column = CUBE_POS * comptime!(plan.teams) + UNIT_POS_Y as usize;
    // Units past the last output repeat it, because all units of a cube must meet where sums are made.
    let column_read = column.min(n - 1);

    let mut sums = Array::<f32>::new(m);
    add_words::<F>(x, words, scales, zeros, column_read, lane, &mut sums, plan);
    if comptime!(plan.planes) {
        #[unroll]
        for row in 0..m {
            sums[row] = plane_sum(sums[row]);
        }
    } else {
        sum_shared(&mut sums, lane, plan);
    }
    if lane == 0 && column < n {
        #[unroll]
        for row in 0..m {
            output[row * n + column] = F::cast_from(sums[row]);
        }
    }
}

/// Adds the products of every `lanes`-th word of a row of weights.
#[cube]
fn add_words<F: Float>(
    x: &[Vector<F, Const<4>>],
    words: &[u32],
    scales: &[f32],
    zeros: &[f32],
    column: usize,
    lane: usize,
    sums: &mut Array<f32>,
    #[comptime] plan: GemvPlan,
) {
    let (k, format, lanes) = comptime!((plan.k, plan.format, plan.lanes));
    let count = comptime!(k / format.per_word());
    let quads = comptime!(format.per_word() / 4);
    for word_index in range_stepped(lane, count, lanes) {
        let word = words[column * count + word_index];
        let scale_at = scale_index(column, word_index, k, format);
        let zero = zero_at(zeros, scale_at, format);
        let scale = scales[scale_at];
        #[unroll]
        for row in 0..comptime!(plan.m) {
            let mut sum = f32::new(0.0);
            #[unroll]
            for quad in 0..quads {
                let values = x[row * comptime!(k / 4) + word_index * quads + quad];
                #[unroll]
                for index in 0..4usize {
                    let weight = code_at(word, comptime!(quad * 4 + index), format) - zero;
                    sum += f32::cast_from(values.extract(index)) * weight;
                }
            }
            sums[row] += sum * scale;
        }
    }
}

/// Makes the sums of the first unit of every team those of the team.
#[cube]
fn sum_shared(sums: &mut Array<f32>, lane: usize, #[comptime] plan: GemvPlan) {
    let (m, lanes) = comptime!((plan.m, plan.lanes));
    let mut shared = Shared::<[f32]>::new_slice(comptime!(plan.m * plan.lanes * plan.teams));
    let start = UNIT_POS_Y as usize * m * lanes + lane;
    #[unroll]
    for row in 0..m {
        shared[start + row * lanes] = sums[row];
    }
    sync_cube();
    let steps = comptime!(lanes.trailing_zeros() as usize);
    #[unroll]
    for step in 0..steps {
        let half = comptime!(lanes >> (step + 1));
        if lane < half {
            #[unroll]
            for row in 0..m {
                let other = shared[start + row * lanes + half];
                shared[start + row * lanes] += other;
            }
        }
        sync_cube();
    }
    #[unroll]
    for row in 0..m {
        sums[row] = shared[start + row * lanes];
    }
}
