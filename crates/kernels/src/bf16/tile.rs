//! Tiles of a product: some rows of the left matrix times a panel of columns of the right one.

use super::layout::Layout;
use super::pack::widened;
#[cfg(target_arch = "x86_64")]
use super::{amx_tile, avx512::Avx512};
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

    /// Products of so few panels of rows are split over threads by columns.
    pub(crate) fn few_panels(self) -> usize {
        if self.left() == Layout::Lines { 4 } else { 2 }
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
    pub(crate) fn row(&mut self, row: usize) -> &mut [f32] {
        &mut self.values[row * self.stride + self.first..]
    }
}

/// Factors in pairs of k.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Factors<'a> {
    /// Panels of rows, as [`Isa::left`] says.
    pub(crate) a: &'a [u32],
    /// A panel of [`Layout::Columns`].
    pub(crate) b: &'a [u32],
    /// The panel that is multiplied after it, to be fetched meanwhile.
    pub(crate) next: &'a [u32],
    /// Pairs of k, without the zeros that fill panels up.
    pub(crate) pairs: usize,
}

/// The product of `factors` into `place`, or added to what is there.
pub(crate) fn multiply_panels(isa: Isa, factors: Factors<'_>, place: &mut Target<'_>, add: bool) {
    let Factors { a, b, pairs, .. } = factors;
    let (stride, columns) = (place.stride, place.columns);
    let panels = || a.chunks(ROWS * pairs).enumerate().map(|(index, a)| (index * ROWS, a.len() / pairs, a));
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Amx(amx, _) => amx_tile::multiply(amx, factors, place, add),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512(avx512) => panels().for_each(|(first, rows, a)| avx512.tile([a, b], rows, place.row(first), stride, columns, add)),
        Isa::Portable => panels().for_each(|(first, rows, a)| portable_tile([a, b], rows, place.row(first), stride, columns, add)),
    }
}

fn portable_tile([a, b]: [&[u32]; 2], rows: usize, out: &mut [f32], stride: usize, columns: usize, add: bool) {
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
