//! Tiles of a product: some rows of the left matrix times a panel of columns of the right one.

#[cfg(target_arch = "x86_64")]
use super::avx512::Avx512;
use super::pack::widened;

/// Rows of a tile.
pub(crate) const ROWS: usize = 12;

/// Columns of a tile: with twelve rows, its sums fill 24 of the 32 vector registers.
pub(crate) const COLUMNS: usize = 32;

/// The instructions that pack and multiply.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Isa {
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    Portable,
}

impl Isa {
    /// The best of this processor.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx512) = Avx512::new() {
            return Self::Avx512(avx512);
        }
        Self::Portable
    }

    pub(crate) fn is_native(self) -> bool {
        !matches!(self, Self::Portable)
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

/// A tile's factors, in pairs of k: `a` is `[pairs, rows, 2]` and `b` `[pairs, COLUMNS, 2]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Factors<'a> {
    pub(crate) a: &'a [u32],
    pub(crate) b: &'a [u32],
    pub(crate) rows: usize,
}

/// All panels of `left` times one panel of the right matrix into `place`, or added to what is there.
pub(crate) fn multiply_panels(isa: Isa, left: &[u32], panel: &[u32], pairs: usize, place: &mut Target<'_>, add: bool) {
    let (stride, columns) = (place.stride, place.columns);
    for (index, a) in left.chunks(ROWS * pairs).enumerate() {
        let factors = Factors { a, b: panel, rows: a.len() / pairs };
        let out = place.row(index * ROWS);
        match isa {
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
