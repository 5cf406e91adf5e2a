//! Weights of a linear layer in bf16, packed once.

use rayon::prelude::*;

use super::layout::Layout;
use super::pack::{pack, widened};
use super::tile::{COLUMNS, Isa, Target, multiply_panels};
use super::words::Words;
use super::{blocks, few_rows, pack_side, task_rows};
use crate::matrix::Matrix;

/// Panels that a thread takes at a time where rows are few.
const TASK_PANELS: usize = 4;

/// Weights `[n, k]` in bf16, two bytes each, for products `x Wᵀ`.
///
/// A row of the product has the same bits whatever rows are beside it and however many threads run: every sum is one chain over k.
#[derive(Clone, Debug)]
pub struct Bf16Weights {
    /// `[panels, pairs, COLUMNS, 2]`.
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
        let panel = COLUMNS * self.pairs();
        let row = |output: usize| {
            let pairs = self.packed[output / COLUMNS * panel..].iter().skip(output % COLUMNS).step_by(COLUMNS);
            pairs.flat_map(|&pair| widened(pair)).take(self.k)
        };
        (0..self.n).flat_map(row).collect()
    }

    /// `x Wᵀ` into `out`, on all threads; up to twelve rows, or 32 on processors with AMX, read every weight once.
    ///
    /// # Shapes
    /// - x: `[m, k]`
    /// - out: `[m, n]`
    ///
    /// # Panics
    /// Where the sizes do not fit each other.
    pub fn matmul(&self, x: &[f32], out: &mut [f32]) {
        let m = x.len().checked_div(self.k).unwrap_or(out.len() / self.n.max(1));
        assert_eq!(x.len(), m * self.k, "inputs are rows of {} values", self.k);
        assert_eq!(out.len(), m * self.n, "outputs are {m} rows of {} values", self.n);
        self.multiply(Matrix::strided(x, m, self.k, self.k), out);
    }

    /// `x Wᵀ` into `out`, rows one after another.
    pub(super) fn multiply(&self, x: Matrix<'_>, out: &mut [f32]) {
        if out.is_empty() || self.k == 0 {
            out.fill(0.0);
        } else if x.shape()[0] <= few_rows(self.isa) {
            self.multiply_few(x, out);
        } else {
            self.multiply_many(x, out);
        }
    }

    /// Threads take panels; the product of each lies apart until all are done.
    fn multiply_few(&self, x: Matrix<'_>, out: &mut [f32]) {
        let (m, pairs) = (x.shape()[0], self.pairs());
        let mut left = Words::default();
        pack_side(self.isa, x, self.isa.left(), &mut left);
        let mut apart = vec![0.0; m * Layout::Columns.padded(self.n)];
        let task = |(panels, apart): (&[u32], &mut [f32])| {
            let columns = apart.len() / m;
            let mut place = Target { values: apart, stride: columns, first: 0, columns };
            for (index, panel) in panels.chunks_exact(COLUMNS * pairs).enumerate() {
                multiply_panels(self.isa, &left, panel, pairs, &mut place.panel(index), false);
            }
        };
        self.packed.par_chunks(TASK_PANELS * COLUMNS * pairs).zip(apart.par_chunks_mut(TASK_PANELS * COLUMNS * m)).for_each(task);
        for (index, apart) in apart.chunks(TASK_PANELS * COLUMNS * m).enumerate() {
            let first = index * TASK_PANELS * COLUMNS;
            for (row, apart) in apart.chunks_exact(apart.len() / m).enumerate() {
                let columns = apart.len().min(self.n - first);
                out[row * self.n + first..][..columns].copy_from_slice(&apart[..columns]);
            }
        }
    }

    /// Threads take rows.
    fn multiply_many(&self, x: Matrix<'_>, out: &mut [f32]) {
        let [m, k] = x.shape();
        let rows = task_rows(self.isa, m);
        out.par_chunks_mut(rows * self.n).enumerate().for_each_init(Words::default, |left, (task, values)| {
            let first = task * rows;
            let mut place = Target { stride: self.n, first: 0, columns: self.n, values };
            for ks in blocks(k, self.isa.k_block()) {
                let x = x.part(first..m.min(first + rows), ks.clone());
                left.resize(self.isa.left().words(x.shape()[0], ks.len()));
                pack(self.isa, x, self.isa.left(), left.as_mut());
                let (start, pairs) = (ks.start / 2, ks.len().div_ceil(2));
                for (index, panel) in self.packed.chunks_exact(COLUMNS * self.pairs()).enumerate() {
                    let panel = &panel[start * COLUMNS..][..pairs * COLUMNS];
                    multiply_panels(self.isa, left, panel, pairs, &mut place.panel(index), ks.start > 0);
                }
            }
        });
    }

    /// Pairs of k.
    fn pairs(&self) -> usize {
        self.k.div_ceil(2)
    }
}
