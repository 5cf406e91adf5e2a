//! Products of matrices whose values are rounded to bf16 (nearest, ties to even) while they are packed, with sums in f32.
//!
//! Every sum is one chain over pairs of k from the first to the last, kept in f32 between blocks of k: results depend neither on the number
//! of threads nor on how rows and columns are cut into blocks (the scheme is that of Goto and van de Geijn, "Anatomy of High-Performance
//! Matrix Multiplication", 2008). On processors with AVX-512 BF16, subnormal inputs and sums count as zero.

#![expect(clippy::many_single_char_names, reason = "m, k and n are the sizes of a product, a and b its factors")]

#[cfg(target_arch = "x86_64")]
mod amx_tile;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod layout;
mod pack;
mod tile;
mod weights;
mod words;

use std::ops::Range;

use rayon::prelude::*;

use self::layout::Layout;
use self::pack::pack;
use self::tile::{COLUMNS, Isa, Target, multiply_panels};
pub use self::weights::Bf16Weights;
use self::words::Words;
use crate::matrix::{self, Matrix};

/// Rows of the left matrix and columns of the right one that are packed at a time, 4 MiB each.
const SIDE_BLOCK: usize = 4080;

/// Products of so few panels of rows are split over threads by columns.
const FEW_PANELS: usize = 2;

/// Whether this processor multiplies bf16 itself (AVX-512 BF16, or AMX beside it); elsewhere products are right but slow.
pub fn supported() -> bool {
    Isa::detect().is_native()
}

/// `a b` as rows one after another, on all threads.
///
/// # Shapes
/// - a: `[m, k]`, b: `[k, n]`, either in any order of memory
/// - output: `[m, n]`
///
/// # Panics
/// Where the columns of `a` are not as many as the rows of `b`.
pub(crate) fn product_bf16(a: Matrix<'_>, b: Matrix<'_>) -> Vec<f32> {
    let ([m, k], [rows, n]) = (a.shape(), b.shape());
    assert_eq!(k, rows, "columns of the left matrix and rows of the right one");
    let isa = Isa::detect();
    if !isa.is_native() {
        return portable_product(a, b);
    }
    let mut out = vec![0.0; m * n];
    if m <= few_rows(isa) {
        Bf16Weights::pack(isa, b.transposed()).multiply(a, &mut out);
    } else if n > 0 {
        blocked_product(isa, a, b, &mut out);
    }
    out
}

/// The same on processors without bf16.
fn portable_product(a: Matrix<'_>, b: Matrix<'_>) -> Vec<f32> {
    let [left, right] = [a, b].map(|matrix| matrix.values().par_iter().map(|&x| pack::rounded(x)).collect::<Vec<f32>>());
    matrix::product(a.with_values(&left), b.with_values(&right))
}

fn blocked_product(isa: Isa, a: Matrix<'_>, b: Matrix<'_>, out: &mut [f32]) {
    let ([m, k], [_, n]) = (a.shape(), b.shape());
    let (mut left, mut right) = (Words::default(), Words::default());
    for rows in blocks(m, SIDE_BLOCK) {
        for ks in blocks(k, isa.k_block()) {
            pack_side(isa, a.part(rows.clone(), ks.clone()), isa.left(), &mut left);
            for columns in blocks(n, SIDE_BLOCK) {
                pack_side(isa, b.part(ks.clone(), columns.clone()).transposed(), Layout::Columns, &mut right);
                let place =
                    Target { values: &mut out[rows.start * n..rows.end * n], stride: n, first: columns.start, columns: columns.len() };
                multiply_blocks(isa, &left, &right, ks.len().div_ceil(2), place, ks.start > 0);
            }
        }
    }
}

/// `0..count` in blocks of `size`.
fn blocks(count: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..count).step_by(size).map(move |start| start..count.min(start + size))
}

/// Packs `side`, `[lanes, k]`, into `packed` on all threads.
fn pack_side(isa: Isa, side: Matrix<'_>, layout: Layout, packed: &mut Words) {
    /// Panels of a task: so many read whole cache lines one after another where lanes are contiguous.
    const PANELS: usize = 4;
    let [lanes, k] = side.shape();
    let per_task = PANELS * layout.width();
    packed.resize(layout.words(lanes, k));
    packed.as_mut().par_chunks_mut(per_task * layout.depth(k.div_ceil(2))).enumerate().for_each(|(task, packed)| {
        let lanes = task * per_task..lanes.min((task + 1) * per_task);
        pack(isa, side.part(lanes, 0..k), layout, packed);
    });
}

/// Multiplies packed blocks, and adds the product to what is there or puts it there; threads take rows of `place`.
fn multiply_blocks(isa: Isa, left: &[u32], right: &[u32], pairs: usize, place: Target<'_>, add: bool) {
    let Target { values, stride, first, columns } = place;
    let rows = task_rows(isa, values.len() / stride);
    values.par_chunks_mut(rows * stride).zip(left.par_chunks(rows * isa.left().depth(pairs))).for_each(|(values, left)| {
        let mut place = Target { values, stride, first, columns };
        for (index, panel) in right.chunks_exact(COLUMNS * pairs).enumerate() {
            multiply_panels(isa, left, panel, pairs, &mut place.panel(index), add);
        }
    });
}

/// Rows that make a task, whole panels of them: more of them read the right matrix less often, fewer keep all threads busy longer.
fn task_rows(isa: Isa, rows: usize) -> usize {
    let panel = isa.left().width();
    rows.div_ceil(2 * rayon::current_num_threads()).next_multiple_of(panel).clamp(panel, isa.task_panels() * panel)
}

/// So few rows are split over threads by columns.
fn few_rows(isa: Isa) -> usize {
    FEW_PANELS * isa.left().width()
}

#[cfg(test)]
mod tests;
