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
mod buffers;
mod layout;
mod pack;
mod tile;
mod weights;
mod words;

use std::ops::Range;

use rayon::prelude::*;

use self::buffers::{Buffers, with_buffers};
use self::layout::Layout;
use self::pack::pack;
use self::tile::{COLUMNS, Factors, Isa, Target, multiply_panels};
pub use self::weights::Bf16Weights;
use self::words::Words;
use crate::matrix::{self, Matrix};
use crate::packed::Epilogue;

/// Columns of the right matrix that are packed at a time, 16 MiB at most.
const COLUMN_BLOCK: usize = 2048;

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
        Bf16Weights::pack(isa, b.transposed()).multiply(a, &mut out, &Epilogue::default());
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

/// Threads take rows of one block of columns after another.
fn blocked_product(isa: Isa, a: Matrix<'_>, b: Matrix<'_>, out: &mut [f32]) {
    let ([m, k], [_, n]) = (a.shape(), b.shape());
    let rows = task_rows(isa, m);
    with_buffers(|buffers| {
        for columns in blocks(n, COLUMN_BLOCK) {
            for ks in blocks(k, isa.k_block()) {
                pack_side(isa, b.part(ks.clone(), columns.clone()).transposed(), Layout::Columns, &mut buffers.packed);
                let right = Right { packed: &buffers.packed, k: ks.len() };
                out.par_chunks_mut(rows * n).enumerate().for_each(|(task, values)| {
                    let a = a.part(task * rows..m.min((task + 1) * rows), ks.clone());
                    let place = Target { values, stride: n, first: columns.start, columns: columns.len() };
                    multiply_rows(isa, a, right, place, ks.start > 0);
                });
            }
        }
    });
}

/// A packed right matrix.
#[derive(Clone, Copy, Debug)]
struct Right<'a> {
    /// As [`Layout::Columns`].
    packed: &'a [u32],
    k: usize,
}

/// The product of some rows on this thread, into `place` or added to what is there.
fn multiply_rows(isa: Isa, rows: Matrix<'_>, right: Right<'_>, mut place: Target<'_>, add: bool) {
    let ([count, k], layout) = (rows.shape(), isa.left());
    let panels = right.packed.chunks_exact(COLUMNS * Layout::Columns.depth(right.k.div_ceil(2)));
    with_buffers(|Buffers { packed, .. }| {
        for ks in blocks(k, isa.k_block()) {
            packed.resize(layout.words(count, ks.len()));
            pack(isa, rows.part(0..count, ks.clone()), layout, packed.as_mut());
            let pairs = ks.len().div_ceil(2);
            let part = ks.start / 2 * COLUMNS..(ks.start / 2 + Layout::Columns.depth(pairs)) * COLUMNS;
            let next = panels.clone().cycle().skip(1);
            for (index, (b, next)) in panels.clone().zip(next).enumerate() {
                let factors = Factors { a: packed, b: &b[part.clone()], next: &next[part.clone()], pairs };
                multiply_panels(isa, factors, &mut place.panel(index), add || ks.start > 0);
            }
        }
    });
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

/// Rows that make a task, whole panels of them: more of them read the right matrix less often, fewer keep all threads busy longer.
fn task_rows(isa: Isa, rows: usize) -> usize {
    let panel = isa.left().width();
    rows.div_ceil(2 * rayon::current_num_threads()).next_multiple_of(panel).clamp(panel, isa.task_panels() * panel)
}

/// So few rows are split over threads by columns.
fn few_rows(isa: Isa) -> usize {
    isa.few_panels() * isa.left().width()
}

#[cfg(test)]
mod tests;
