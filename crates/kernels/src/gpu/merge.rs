//! One attention from those over spans of positions.

use cubecl::prelude::*;

use super::paged::LOWEST;

/// `out = sum_s w_s part_s / sum_s w_s` and `lse = high + ln sum_s w_s`, with `w_s = exp(lse_s - high)`: a unit for each number of `out`.
///
/// Shapes: `parts [spans, rows, d]`, `part_lse [spans, rows]`, `out [rows, d]`, `lse [rows]`.
#[cube(launch_unchecked, address_type = "dynamic")]
pub(super) fn merge_spans<O: Float>(
    parts: &[f32],
    part_lse: &[f32],
    out: &mut [O],
    lse: &mut [f32],
    spans: u32,
    rows: u32,
    #[comptime] d: usize,
    #[define(O)] _elem: ElemType,
) {
    let rows = rows as usize;
    let (row, dim) = (ABSOLUTE_POS / d, ABSOLUTE_POS % d);
    if row >= rows {
        terminate!();
    }
    let mut high = f32::new(LOWEST);
    for span in 0..spans as usize {
        high = high.max(part_lse[span * rows + row]);
    }
    let mut total = f32::new(0.0);
    let mut sum = f32::new(0.0);
    for span in 0..spans as usize {
        let weight = (part_lse[span * rows + row] - high).exp();
        total += weight;
        sum += weight * parts[(span * rows + row) * d + dim];
    }
    out[row * d + dim] = O::cast_from(sum / total);
    if dim == 0 {
        // Where no span has a position this is the lowest number still, to which the logarithm of a few adds nothing.
        lse[row] = high + total.ln();
    }
}
