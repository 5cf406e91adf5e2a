//! Products of matrices in slices, by the crate `gemm` that burn's Flex backend multiplies with too.

#![expect(unsafe_code, reason = "gemm takes pointers")]

use std::ops::Range;

use gemm::{Parallelism, gemm};

/// A matrix in a slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) row_stride: usize,
    pub(crate) column_stride: usize,
}

/// Where a product goes: rows of `row_stride` values, of which the first ones are written.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pub(crate) values: &'a mut [f32],
    pub(crate) row_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Rows that stand `stride` values apart.
    ///
    /// # Panics
    /// Where the slice ends before the last of them.
    pub(crate) fn strided(values: &'a [f32], rows: usize, columns: usize, stride: usize) -> Self {
        assert!(span(rows, columns, stride) <= values.len(), "{rows} rows of {columns} values do not fit {}", values.len());
        Self { values, rows, columns, row_stride: stride, column_stride: 1 }
    }

    /// Rows one after another.
    pub(crate) fn dense(values: &'a [f32], columns: usize) -> Self {
        Self::strided(values, values.len() / columns.max(1), columns, columns)
    }

    /// Rows as columns.
    pub(crate) fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, row_stride: self.column_stride, column_stride: self.row_stride, ..self }
    }

    /// Rows and columns.
    pub(crate) fn shape(&self) -> [usize; 2] {
        [self.rows, self.columns]
    }

    /// Values from one row to the next, and from one column to the next.
    pub(crate) fn strides(&self) -> [usize; 2] {
        [self.row_stride, self.column_stride]
    }

    /// The slice, from the first value of the matrix on.
    pub(crate) fn values(&self) -> &'a [f32] {
        self.values
    }

    /// The same places of another slice.
    ///
    /// # Panics
    /// Where the slices differ in length.
    pub(crate) fn with_values(self, values: &[f32]) -> Matrix<'_> {
        assert_eq!(values.len(), self.values.len(), "a matrix keeps the length of its slice");
        Matrix { values, ..self }
    }

    /// Some of the rows and columns.
    ///
    /// # Panics
    /// Where the matrix has not as many.
    pub(crate) fn part(self, rows: Range<usize>, columns: Range<usize>) -> Self {
        assert!(rows.end <= self.rows && columns.end <= self.columns, "a part lies within its matrix");
        let first = rows.start * self.row_stride + columns.start * self.column_stride;
        Self { values: self.values.get(first..).unwrap_or_default(), rows: rows.len(), columns: columns.len(), ..self }
    }
}

/// Values from the first of a matrix to its last.
fn span(rows: usize, columns: usize, stride: usize) -> usize {
    if rows == 0 || columns == 0 { 0 } else { (rows - 1) * stride + columns }
}

/// `a b` as rows one after another, on all threads.
///
/// # Panics
/// Where the columns of `a` are not as many as the rows of `b`.
pub(crate) fn product(a: Matrix<'_>, b: Matrix<'_>) -> Vec<f32> {
    let mut out = vec![0.0; a.rows * b.columns];
    let row_stride = b.columns;
    multiply(&mut Place { values: &mut out, row_stride }, a, b, 1.0, false, Parallelism::Rayon(0));
    out
}

/// `factor a b` into `place`, or added to what is there, on this thread.
///
/// # Panics
/// Where the columns of `a` are not as many as the rows of `b`, or the place is too small.
pub(crate) fn product_into(place: &mut Place<'_>, a: Matrix<'_>, b: Matrix<'_>, factor: f32, add: bool) {
    multiply(place, a, b, factor, add, Parallelism::None);
}

fn multiply(place: &mut Place<'_>, a: Matrix<'_>, b: Matrix<'_>, factor: f32, add: bool, parallelism: Parallelism) {
    assert_eq!(a.columns, b.rows, "columns of the left matrix and rows of the right one");
    assert!(b.columns <= place.row_stride || a.rows <= 1, "rows of the product overlap");
    assert!(span(a.rows, b.columns, place.row_stride) <= place.values.len(), "the product does not fit its place");
    // SAFETY: `Matrix` holds only what lies within its slice, the place was checked to hold every row of the product, rows of the place do
    // not overlap, and it is borrowed exclusively.
    unsafe {
        gemm(
            a.rows,
            b.columns,
            a.columns,
            place.values.as_mut_ptr(),
            1,
            place.row_stride as isize,
            add,
            a.values.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.values.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            1.0,
            factor,
            false,
            false,
            false,
            parallelism,
        );
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn noise(count: usize, seed: f32) -> Vec<f32> {
        (0..count).map(|i| (i as f32 * 0.7 + seed).sin()).collect()
    }

    proptest! {
        #[test]
        fn products_agree_with_three_loops(
            [m, n, k] in prop::array::uniform3(1_usize..20),
            gaps in prop::array::uniform3(0_usize..4),
            add: bool,
            transposed: bool,
        ) {
            let (a, b) = (noise(m * (k + gaps[0]), 1.0), noise(if transposed { n * (k + gaps[1]) } else { k * (n + gaps[1]) }, 2.0));
            let left = Matrix::strided(&a, m, k, k + gaps[0]);
            let right = if transposed { Matrix::strided(&b, n, k, k + gaps[1]).transposed() } else { Matrix::strided(&b, k, n, n + gaps[1]) };
            let stride = n + gaps[2];
            let before = noise(m * stride, 3.0);
            let mut out = before.clone();
            product_into(&mut Place { values: &mut out, row_stride: stride }, left, right, 0.5, add);
            for row in 0..m {
                for column in 0..stride {
                    let index = row * stride + column;
                    let expected = if column < n {
                        let at = |i: usize| if transposed { b[column * (k + gaps[1]) + i] } else { b[i * (n + gaps[1]) + column] };
                        let sum: f32 = (0..k).map(|i| a[row * (k + gaps[0]) + i] * at(i)).sum();
                        0.5 * sum + if add { before[index] } else { 0.0 }
                    } else {
                        before[index]
                    };
                    prop_assert!((out[index] - expected).abs() < 1e-5, "{} instead of {expected}", out[index]);
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "do not fit")]
    fn a_matrix_beyond_its_slice_is_refused() {
        Matrix::strided(&[0.0; 11], 3, 4, 4);
    }

    #[test]
    #[should_panic(expected = "does not fit its place")]
    fn a_product_beyond_its_place_is_refused() {
        let values = [0.0; 12];
        product_into(&mut Place { values: &mut [0.0; 8], row_stride: 3 }, Matrix::dense(&values, 4), Matrix::dense(&values, 3), 1.0, false);
    }
}
