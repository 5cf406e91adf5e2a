//! Weights of a linear layer in bf16, packed once.

use rayon::prelude::*;

use super::buffers::{Buffers, with_buffers};
use super::layout::Layout;
use super::pack::widened;
use super::tile::{COLUMNS, Factors, Isa, Target, multiply_panels};
use super::words::Words;
use super::{Right, few_rows, multiply_rows, pack_side, task_rows};
use crate::matrix::Matrix;
use crate::packed::Epilogue;

/// Panels that a thread takes at a time where rows are few.
const TASK_PANELS: usize = 4;

/// Values that a thread writes at a time where rows are few.
const TASK_VALUES: usize = 16 * 1024;

/// Weights `[n, k]` in bf16, two bytes each, for products `x Wᵀ`.
///
/// A row of the product has the same bits whatever rows are beside it and however many threads run: every sum is one chain over k.
#[derive(Clone, Debug)]
pub struct Bf16Weights {
    /// As [`Layout::Columns`].
    packed: Words,
    n: usize,
    k: usize,
    isa: Isa,
}

impl Bf16Weights {
    /// Rounds `weights`, `[n, k]`, to bf16 and packs them.
    ///
    /// # Panics
    /// Where `weights` does not hold `n * k` values.
    pub fn new(weights: &[f32], [n, k]: [usize; 2]) -> Self {
        assert_eq!(weights.len(), n * k, "weights of {n} outputs and {k} inputs");
        Self::pack(Isa::detect(), Matrix::strided(weights, n, k, k))
    }

    /// Packs `weights`, `[n, k]`, in any order of memory.
    pub(super) fn pack(isa: Isa, weights: Matrix<'_>) -> Self {
        let [n, k] = weights.shape();
        let mut packed = Words::default();
        if n * k > 0 {
            pack_side(isa, weights, Layout::Columns, &mut packed);
        }
        Self { packed, n, k, isa }
    }

    /// Outputs and inputs, `[n, k]`.
    pub fn shape(&self) -> [usize; 2] {
        [self.n, self.k]
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.packed)
    }

    /// The weights in f32, `[n, k]`.
    pub fn dequantize(&self) -> Vec<f32> {
        let panel = self.panel();
        let row = |output: usize| {
            let pairs = self.packed[output / COLUMNS * panel..].iter().skip(output % COLUMNS).step_by(COLUMNS);
            pairs.flat_map(|&pair| widened(pair)).take(self.k)
        };
        (0..self.n).flat_map(row).collect()
    }

    /// `x Wᵀ` into `out`, on all threads; up to twelve rows, or 128 on processors with AMX, read every weight from memory once.
    ///
    /// # Shapes
    /// - x: `[m, k]`
    /// - out: `[m, n]`
    ///
    /// # Panics
    /// Where the sizes do not fit each other.
    pub fn matmul(&self, x: &[f32], out: &mut [f32]) {
        self.matmul_through(x, out, &Epilogue::default());
    }

    /// [`Self::matmul`] through an epilogue.
    ///
    /// # Panics
    /// Where the sizes do not fit each other.
    pub(crate) fn matmul_through(&self, x: &[f32], out: &mut [f32], epilogue: &Epilogue<'_>) {
        let m = x.len().checked_div(self.k).unwrap_or(out.len() / self.n.max(1));
        assert_eq!(x.len(), m * self.k, "inputs are rows of {} values", self.k);
        assert_eq!(out.len(), m * self.n, "outputs are {m} rows of {} values", self.n);
        epilogue.check(m, self.n);
        self.multiply(Matrix::strided(x, m, self.k, self.k), out, epilogue);
    }

    /// `x Wᵀ` through the epilogue into `out`, rows one after another.
    pub(super) fn multiply(&self, x: Matrix<'_>, out: &mut [f32], epilogue: &Epilogue<'_>) {
        if out.is_empty() {
        } else if self.k == 0 {
            out.chunks_mut(self.n).enumerate().for_each(|(row, out)| epilogue.write_row(out, &vec![0.0; self.n], 0, row * self.n));
        } else if x.shape()[0] <= few_rows(self.isa) {
            self.multiply_few(x, out, epilogue);
        } else {
            self.multiply_many(x, out, epilogue);
        }
    }

    /// Threads take panels; the product of each lies apart until all are done.
    fn multiply_few(&self, x: Matrix<'_>, out: &mut [f32], epilogue: &Epilogue<'_>) {
        let m = x.shape()[0];
        with_buffers(|Buffers { packed, product }| {
            pack_side(self.isa, x, self.isa.left(), packed);
            product.resize(m * Layout::Columns.padded(self.n), 0.0);
            let task = TASK_PANELS * self.panel();
            let chunks = self.packed.par_chunks(task).zip(product.par_chunks_mut(m * TASK_PANELS * COLUMNS));
            chunks.enumerate().for_each(|(index, (panels, product))| {
                let next = self.packed.get((index + 1) * task..).unwrap_or_default();
                self.multiply_task(packed, [panels, next], product, m);
            });
            self.write_few(product, out, epilogue);
        });
    }

    /// Rows `left` times some panels, before those that are `next`, into `product`, which has no other columns.
    fn multiply_task(&self, left: &[u32], [panels, next]: [&[u32]; 2], product: &mut [f32], m: usize) {
        let columns = product.len() / m;
        let mut place = Target { values: product, stride: columns, first: 0, columns };
        let starts = panels.chunks_exact(self.panel());
        let followers = starts.clone().skip(1).chain([next]);
        for (index, (b, next)) in starts.zip(followers).enumerate() {
            let factors = Factors { a: left, b, next, pairs: self.k.div_ceil(2) };
            multiply_panels(self.isa, factors, &mut place.panel(index), false);
        }
    }

    /// Writes what [`Self::multiply_few`] has put apart.
    fn write_few(&self, product: &[f32], out: &mut [f32], epilogue: &Epilogue<'_>) {
        let (m, n, width) = (out.len() / self.n, self.n, TASK_PANELS * COLUMNS);
        out.par_chunks_mut(n).enumerate().with_min_len(TASK_VALUES.div_ceil(n)).for_each(|(row, out)| {
            for (index, (out, product)) in out.chunks_mut(width).zip(product.chunks(m * width)).enumerate() {
                let columns = product.len() / m;
                epilogue.write_row(out, &product[row * columns..], index * width, row * n + index * width);
            }
        });
    }

    /// Threads take rows.
    fn multiply_many(&self, x: Matrix<'_>, out: &mut [f32], epilogue: &Epilogue<'_>) {
        let ([m, k], n) = (x.shape(), self.n);
        let rows = task_rows(self.isa, m);
        out.par_chunks_mut(rows * n).enumerate().for_each(|(task, out)| {
            let first = task * rows;
            let x = x.part(first..m.min(first + rows), 0..k);
            let multiply = |values: &mut [f32]| {
                multiply_rows(self.isa, x, self.right(), Target { values, stride: n, first: 0, columns: n }, false);
            };
            if epilogue.is_none() {
                return multiply(out);
            }
            with_buffers(|Buffers { product, .. }| {
                product.resize(out.len(), 0.0);
                multiply(product);
                for (row, (out, product)) in out.chunks_mut(n).zip(product.chunks(n)).enumerate() {
                    epilogue.write_row(out, product, 0, (first + row) * n);
                }
            });
        });
    }

    fn right(&self) -> Right<'_> {
        Right { packed: &self.packed, k: self.k }
    }

    /// Words of a panel.
    fn panel(&self) -> usize {
        COLUMNS * Layout::Columns.depth(self.k.div_ceil(2))
    }
}
