//! Panels of 32 rows times 32 columns, by AMX.

#![expect(unsafe_code, reason = "instructions that read and write through pointers")]

use super::layout::{LINE_PAIRS, Layout};
use super::tile::{COLUMNS, Factors, Target};
use crate::amx::{Amx, Panels, ROWS, Sums};

/// What sums start from where nothing is there yet.
static ZEROS: [f32; COLUMNS] = [0.0; COLUMNS];

/// The product of `factors` into the columns of `place`, or added to what is there.
///
/// # Panics
/// Where the product is empty or a factor or the place is too short.
pub(super) fn multiply(amx: Amx, factors: Factors<'_>, place: &mut Target<'_>, add: bool) {
    let (stride, columns) = (place.stride, place.columns);
    if columns == COLUMNS {
        multiply_whole(amx, factors, place.row(0), stride, add);
    } else {
        for (index, a) in factors.a.chunks(ROWS * depth(factors)).enumerate() {
            multiply_part(amx, Factors { a, ..factors }, place.row(index * ROWS), stride, columns, add);
        }
    }
}

/// Pairs of each row and column, with the zeros that fill them up.
fn depth(factors: Factors<'_>) -> usize {
    Layout::Lines.depth(factors.pairs)
}

/// One panel of rows, of which fewer columns are wanted than are computed.
fn multiply_part(amx: Amx, factors: Factors<'_>, out: &mut [f32], stride: usize, columns: usize, add: bool) {
    let mut whole = [[0.0; COLUMNS]; ROWS];
    let rows = factors.a.len() / depth(factors);
    if add {
        whole.iter_mut().zip(out.chunks(stride)).take(rows).for_each(|(whole, out)| whole[..columns].copy_from_slice(&out[..columns]));
    }
    multiply_whole(amx, factors, whole.as_flattened_mut(), COLUMNS, add);
    out.chunks_mut(stride).zip(&whole).take(rows).for_each(|(out, whole)| out[..columns].copy_from_slice(&whole[..columns]));
}

/// All whole panels of rows at once, then the last one where it is narrow.
fn multiply_whole(amx: Amx, factors: Factors<'_>, out: &mut [f32], stride: usize, add: bool) {
    let rows = factors.a.len() / depth(factors);
    let whole = rows / ROWS * ROWS;
    let (a, rest) = factors.a.split_at(whole * depth(factors));
    if whole > 0 {
        multiply_panels(amx, Factors { a, ..factors }, ROWS, out, stride, add);
    }
    if whole < rows {
        multiply_panels(amx, Factors { a: rest, ..factors }, rows - whole, &mut out[whole * stride..], stride, add);
    }
}

/// Panels of `height` rows.
fn multiply_panels(amx: Amx, factors: Factors<'_>, height: usize, out: &mut [f32], stride: usize, add: bool) {
    let Factors { a, b, next, .. } = factors;
    let (lines, rows) = (depth(factors) / LINE_PAIRS, a.len() / depth(factors));
    let count = rows / height;
    assert!((1..=ROWS).contains(&height) && (height == ROWS || count == 1) && count * height == rows, "panels are whole, or one");
    assert!(lines > 0 && a.len() == lines * LINE_PAIRS * rows && b.len() == lines * LINE_PAIRS * COLUMNS, "factors fit each other");
    assert!((rows - 1) * stride + COLUMNS <= out.len(), "the product fits its place");
    let panels = Panels { inputs: a.as_ptr().cast(), count, rows: height, weights: b.as_ptr().cast(), lines, next: next.as_ptr().cast() };
    let (end, end_stride) = (out.as_mut_ptr().cast::<u8>(), size_of::<f32>() * stride);
    let (start, start_stride) = if add { (end.cast_const(), end_stride) } else { (ZEROS.as_ptr().cast(), 0) };
    // SAFETY: there is a line of inputs for each row and 16 pairs, 16 steps of weights for each line, and 32 sums at each row's place, as
    // checked; where nothing is added, every row starts from the one array of zeros.
    unsafe { amx.multiply_bf16(&panels, &Sums { start, start_stride, end, end_stride }) };
}
