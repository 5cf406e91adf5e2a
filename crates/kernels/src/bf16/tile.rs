//! Tiles of a product: some rows of the left matrix times a panel of columns of the right one.

use super::amx_tile;
#[cfg(target_arch = "x86_64")]
use super::avx512::Avx512;
use super::layout::Layout;
use super::pack::widened;
use crate::amx::Amx;

/// Rows of a tile of vectors.
pub(crate) const ROWS: usize = 12;

/// Columns of a tile: with twelve rows, its sums fill 24 of the 32 vector registers.
pub(crate) const COLUMNS: usize = 32;

/// The instructions that pack and multiply.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Isa {
    /// Tiles that multiply, and vectors that pack.
    #[cfg(target_arch = "x86_64")]
    Amx(Amx, Avx512),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    Portable,
}

impl Isa {
    /// The best of this processor.
    pub(crate) fn detect() -> Self {
        Self::available()[0]
    }

    /// All that this processor has, the best first.
    pub(crate) fn available() -> Vec<Self> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        if let Some(avx512) = Avx512::new() {
            found.extend(Amx::new().map(|amx| Self::Amx(amx, avx512)));
            found.push(Self::Avx512(avx512));
        }
        found.push(Self::Portable);
        found
    }

    pub(crate) fn is_native(self) -> bool {
        !matches!(self, Self::Portable)
    }

    /// Columns of the left matrix that are multiplied at a time: for vectors, a panel of either matrix nearly fits the first-level cache then.
    /// Tiles lose more by reading and writing their sums again, in rows that stand far apart, than by panels from the second level.
    pub(crate) fn k_block(self) -> usize {
        if self.left() == Layout::Lines { 4096 } else { 512 }
    }

    /// Panels of a task at most: they stay in the second-level cache.
    pub(crate) fn task_panels(self) -> usize {
        if self.left() == Layout::Lines { 4 } else { 16 }
    }

    /// How the left matrix is packed.
    pub(crate) fn left(self) -> Layout {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Amx(..) => Layout::Lines,
            _ => Layout::Rows,
        }
    }
}

/// Where a product goes: `columns` of rows that stand `stride` values apart, from column `first` on.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) values: &'a mut [f32],
    pub(crate) stride: usize,
    pub(crate) first: usize,
    pub(crate) columns: usize,
}

impl Target<'_> {
    /// The columns of the panel with this index.
    pub(crate) fn panel(&mut self, index: usize) -> Target<'_> {
        let skipped = index * COLUMNS;
        Target { values: self.values, stride: self.stride, first: self.first + skipped, columns: (self.columns - skipped).min(COLUMNS) }
    }

    /// The slice from a row's first column on.
    fn row(&mut self, row: usize) -> &mut [f32] {
        &mut self.values[row * self.stride + self.first..]
    }
}

/// A tile's factors, in pairs of k: `a` is `[pairs, rows, 2]` or, for AMX, `[pairs / 16, rows, 16, 2]`, and `b` `[pairs, COLUMNS, 2]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Factors<'a> {
    pub(crate) a: &'a [u32],
    pub(crate) b: &'a [u32],
    pub(crate) rows: usize,
}

/// All panels of `left` times one panel of the right matrix into `place`, or added to what is there.
pub(crate) fn multiply_panels(isa: Isa, left: &[u32], panel: &[u32], pairs: usize, place: &mut Target<'_>, add: bool) {
    let (stride, columns) = (place.stride, place.columns);
    let (height, depth) = (isa.left().width(), isa.left().depth(pairs));
    for (index, a) in left.chunks(height * depth).enumerate() {
        let factors = Factors { a, b: panel, rows: a.len() / depth };
        let out = place.row(index * height);
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Amx(amx, _) => amx_tile::multiply(amx, factors, out, stride, columns, add),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(avx512) => avx512.tile(factors, out, stride, columns, add),
            Isa::Portable => portable_tile(factors, out, stride, columns, add),
        }
    }
}

fn portable_tile(factors: Factors<'_>, out: &mut [f32], stride: usize, columns: usize, add: bool) {
    let Factors { a, b, rows } = factors;
    for (row, out) in out.chunks_mut(stride).take(rows).enumerate() {
        let out = &mut out[..columns];
        let mut sums = [0.0; COLUMNS];
        if add {
            sums[..columns].copy_from_slice(out);
        }
        for (a, b) in a.chunks_exact(rows).zip(b.as_chunks::<COLUMNS>().0) {
            let [x, y] = widened(a[row]);
            for (sum, &b) in sums.iter_mut().zip(b) {
                let [v, w] = widened(b);
                *sum = (*sum + x * v) + y * w;
            }
        }
        out.copy_from_slice(&sums[..columns]);
    }
}
