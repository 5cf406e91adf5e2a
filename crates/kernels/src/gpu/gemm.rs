//! Products of many rows: tiles of 64 by 64 outputs, which go through inputs sixteen at a time in shared memory.

use cubecl::prelude::*;

use super::codes::{CodeFormat, code_at, scale_index, zero_at};

/// Rows, and outputs, of a tile.
pub(super) const TILE: usize = 64;
/// Units along each side of a tile.
pub(super) const SIDE: usize = 16;
/// Rows, and outputs, of a unit.
const EACH: usize = TILE / SIDE;
/// Inputs of a step.
const STEP: usize = 16;
const UNITS: usize = SIDE * SIDE;

/// What the kernel is compiled for; the number of rows is an argument, so that it serves all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct GemmPlan {
    pub(super) format: CodeFormat,
    /// Inputs.
    pub(super) k: usize,
    /// Outputs.
    pub(super) n: usize,
}

#[cube(launch_unchecked, address_type = "dynamic")]
pub(super) fn gemm<F: Float>(
    x: &[Vector<F, Const<4>>],
    words: &[u32],
    scales: &[f32],
    zeros: &[f32],
    output: &mut [F],
    m: u32,
    #[comptime] plan: GemmPlan,
    #[define(F)] _elem: ElemType,
) {
    let m = m as usize;
    let (first_row, first_column) = (CUBE_POS_Y as usize * TILE, CUBE_POS_X as usize * TILE);
    let mut inputs = Shared::<[f32]>::new_slice(comptime!(TILE * STEP));
    let mut weights = Shared::<[f32]>::new_slice(comptime!(TILE * STEP));
    let mut sums = Array::<f32>::new(comptime!(EACH * EACH));
    for start in range_stepped(0usize, comptime!(plan.k), STEP) {
        load_inputs::<F>(x, &mut inputs, first_row, start, m, plan);
        load_weights(words, scales, zeros, &mut weights, first_column, start, plan);
        sync_cube();
        add_step(&inputs, &weights, &mut sums);
        sync_cube();
    }
    store::<F>(output, &sums, first_row, first_column, m, plan);
}

/// Fills `inputs [16, 64]` with a step of the rows of a tile.
#[cube]
fn load_inputs<F: Float>(
    x: &[Vector<F, Const<4>>],
    inputs: &mut Shared<[f32]>,
    first_row: usize,
    start: usize,
    m: usize,
    #[comptime] plan: GemmPlan,
) {
    let quads = comptime!(STEP / 4);
    let (row, quad) = (UNIT_POS as usize / quads, UNIT_POS as usize % quads);
    let input = start + quad * 4;
    let mut values = Vector::<f32, Const<4>>::new(0.0);
    if first_row + row < m && input < comptime!(plan.k) {
        values = Vector::cast_from(x[(first_row + row) * comptime!(plan.k / 4) + input / 4]);
    }
    #[unroll]
    for index in 0..4usize {
        inputs[(quad * 4 + index) * TILE + row] = values.extract(index);
    }
}

/// Fills `weights [16, 64]` with a step of the outputs of a tile.
#[cube]
fn load_weights(
    words: &[u32],
    scales: &[f32],
    zeros: &[f32],
    weights: &mut Shared<[f32]>,
    first_column: usize,
    start: usize,
    #[comptime] plan: GemmPlan,
) {
    let format = comptime!(plan.format);
    let per_word = comptime!(format.per_word());
    let steps = comptime!(STEP / per_word);
    let per_row = comptime!(plan.k / per_word);
    for item in range_stepped(UNIT_POS as usize, comptime!(TILE * STEP / per_word), UNITS) {
        let (column, step) = (item / steps, item % steps);
        let word_index = start / per_word + step;
        let mut word = 0u32;
        let mut scale = f32::new(0.0);
        let mut zero = f32::new(0.0);
        if first_column + column < comptime!(plan.n) && word_index < per_row {
            let scale_at = scale_index(first_column + column, word_index, comptime!(plan.k), format);
            word = words[(first_column + column) * per_row + word_index];
            scale = scales[scale_at];
            zero = zero_at(zeros, scale_at, format);
        }
        #[unroll]
        for index in 0..per_word {
            weights[(step * per_word + index) * TILE + column] = (code_at(word, index, format) - zero) * scale;
        }
    }
}

/// Adds the products of a step to the 4 by 4 outputs of a unit, which lie 16 apart, so that neighbours read neighbours.
#[cube]
fn add_step(inputs: &Shared<[f32]>, weights: &Shared<[f32]>, sums: &mut Array<f32>) {
    let (right, down) = (UNIT_POS_X as usize, UNIT_POS_Y as usize);
    for input in 0..STEP {
        let mut row_values = Array::<f32>::new(EACH);
        #[unroll]
        for i in 0..EACH {
            row_values[i] = inputs[input * TILE + i * SIDE + down];
        }
        #[unroll]
        for j in 0..EACH {
            let weight = weights[input * TILE + j * SIDE + right];
            #[unroll]
            for i in 0..EACH {
                sums[i * EACH + j] += row_values[i] * weight;
            }
        }
    }
}

#[cube]
fn store<F: Float>(output: &mut [F], sums: &Array<f32>, first_row: usize, first_column: usize, m: usize, #[comptime] plan: GemmPlan) {
    let (right, down) = (UNIT_POS_X as usize, UNIT_POS_Y as usize);
    let n = comptime!(plan.n);
    #[unroll]
    for i in 0..EACH {
        #[unroll]
        for j in 0..EACH {
            let (row, column) = (first_row + i * SIDE + down, first_column + j * SIDE + right);
            if row < m && column < n {
                output[row * n + column] = F::cast_from(sums[i * EACH + j]);
            }
        }
    }
}
