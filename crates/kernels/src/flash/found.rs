//! What queries got, on its way out.

#![expect(unsafe_code, reason = "tasks write to parts of one slice")]

use std::f32::consts::LN_2;
use std::ops::Range;

use super::block::{LANES, PITCH, Sequence};
use super::output::Output;
use super::vector::Simd;

/// What lanes got.
#[derive(Debug)]
pub(super) struct Found<'a> {
    /// `[width of values, lanes]`
    pub(super) mix: &'a [f32],
    pub(super) lanes: usize,
    pub(super) largest: &'a [f32],
    pub(super) totals: &'a [f32],
}

impl Sequence<'_> {
    /// Writes what the lanes of `rows` got; `turned [lanes, PITCH]` is a place to work in.
    pub(super) fn write<S: Simd>(
        &self,
        simd: S,
        kv_head: usize,
        rows: Range<usize>,
        found: &Found<'_>,
        turned: &mut [f32],
        output: &Output<'_>,
    ) {
        let Found { mix, lanes, largest, totals } = *found;
        for first in (0..lanes).step_by(S::LANES) {
            for (index, mix) in mix.chunks(S::LANES * lanes).enumerate() {
                let mut rows = [&[][..]; LANES];
                let count = mix.len() / lanes;
                rows.iter_mut().zip(mix.chunks_exact(lanes)).for_each(|(place, row)| *place = &row[first..first + S::LANES]);
                simd.transpose(&rows[..count], &mut turned[first * PITCH + index * S::LANES..], PITCH);
            }
        }
        let width = self.inputs[2].width;
        for (lane, row) in rows.enumerate() {
            let (query, head) = self.place(kv_head, row);
            let total = totals[lane];
            let inverse = if total == 0.0 { 0.0 } else { 1.0 / total };
            let mixed = turned[lane * PITCH..][..width].iter().map(|x| x * inverse);
            let sum = if total == 0.0 { f32::NEG_INFINITY } else { (largest[lane] + total.log2()) * LN_2 };
            // SAFETY: a query's head is a lane of one task, and each task runs once.
            unsafe { output.write(self.starts[0] + query, head, mixed, sum) };
        }
    }
}
