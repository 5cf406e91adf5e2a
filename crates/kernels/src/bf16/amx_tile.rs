//! Tiles of up to 32 rows and 32 columns, by AMX.

#![expect(unsafe_code, reason = "instructions that read and write through pointers")]

use super::layout::LINE_PAIRS;
use super::tile::{COLUMNS, Factors};
use crate::amx::{self, Amx, ROWS, Sums};

/// What sums start from where nothing is there yet.
static ZEROS: [f32; COLUMNS] = [0.0; COLUMNS];

/// The product of `factors` into `columns` of the rows of `out`, or added to what is there.
///
/// # Panics
/// Where rows are none or more than 32, columns are more than [`COLUMNS`], or `out` or a factor is too short.
pub(super) fn multiply(amx: Amx, factors: Factors<'_>, out: &mut [f32], stride: usize, columns: usize, add: bool) {
    let rows = factors.rows;
    assert!((1..=ROWS).contains(&rows) && columns <= COLUMNS && (rows - 1) * stride + columns <= out.len(), "a tile fits its place");
    if columns == COLUMNS {
        return multiply_whole(amx, factors, out, stride, add);
    }
    let mut whole = [[0.0; COLUMNS]; ROWS];
    if add {
        whole.iter_mut().zip(out.chunks(stride)).take(rows).for_each(|(whole, out)| whole[..columns].copy_from_slice(&out[..columns]));
    }
    multiply_whole(amx, factors, whole.as_flattened_mut(), COLUMNS, add);
    out.chunks_mut(stride).zip(&whole).take(rows).for_each(|(out, whole)| out[..columns].copy_from_slice(&whole[..columns]));
}

fn multiply_whole(amx: Amx, Factors { a, b, rows }: Factors<'_>, out: &mut [f32], stride: usize, add: bool) {
    let steps = b.len() / COLUMNS;
    assert!(
        (rows - 1) * stride + COLUMNS <= out.len() && a.len() == steps.next_multiple_of(LINE_PAIRS) * rows && b.len() == steps * COLUMNS,
        "factors fit each other and their place"
    );
    let factors = amx::Factors { inputs: a.as_ptr().cast(), rows, weights: b.as_ptr().cast(), steps };
    let (end, end_stride) = (out.as_mut_ptr().cast::<u8>(), size_of::<f32>() * stride);
    let (start, start_stride) = if add { (end.cast_const(), end_stride) } else { (ZEROS.as_ptr().cast(), 0) };
    // SAFETY: there is a line of inputs for each row and 16 steps, a step of weights for each, and 32 sums at each row's place, as checked;
    // where nothing is added, every row starts from the one array of zeros.
    unsafe { amx.multiply_bf16(&factors, &Sums { start, start_stride, end, end_stride }) };
}
