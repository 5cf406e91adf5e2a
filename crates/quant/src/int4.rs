use crate::error::{Error, Result, check_matrix};

/// How groups of four bits are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Int4Scheme {
    /// Neighbours in a row that share a scale: 32, 64, 128 or another divisor of the row.
    pub group: usize,
    /// Whether a group has a zero point: a value is `(q - zero) scale` with `q` in 0..=15, instead of `(q - 8) scale`.
    pub zero_point: bool,
}

/// A matrix `[rows, columns]` in four bits, with a scale for each group of neighbours in a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Int4Groups {
    columns: usize,
    scheme: Int4Scheme,
    /// One of 0..=15 for each value, row-major.
    codes: Vec<u8>,
    grid: Vec<Grid>,
}

/// The sixteen values of a group: `(q - zero) scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// The step.
    pub scale: f32,
    /// The code that stands for 0.
    pub zero: u8,
}

impl Grid {
    /// The grid of a group.
    pub(crate) fn of(group: &[f32], zero_point: bool) -> Self {
        if zero_point {
            let low = group.iter().copied().fold(0.0_f32, f32::min);
            let high = group.iter().copied().fold(0.0_f32, f32::max);
            let scale = usable(high / 15.0 - low / 15.0);
            return Self { scale, zero: (-low / scale).round_ties_even().clamp(0.0, 15.0) as u8 };
        }
        // The value of largest magnitude becomes -8, so that all sixteen codes are used.
        let extreme = group.iter().copied().fold(0.0_f32, |a, b| if b.abs() > a.abs() { b } else { a });
        Self { scale: if extreme == 0.0 { 1.0 } else { extreme / -8.0 }, zero: 8 }
    }

    /// The nearest code.
    pub(crate) fn code(self, value: f32) -> u8 {
        (value / self.scale + f32::from(self.zero)).round_ties_even().clamp(0.0, 15.0) as u8
    }

    /// The value of a code.
    pub(crate) fn value(self, code: u8) -> f32 {
        (f32::from(code) - f32::from(self.zero)) * self.scale
    }
}

fn usable(scale: f32) -> f32 {
    if scale > 0.0 { scale } else { 1.0 }
}

impl Int4Scheme {
    /// Groups of `group` without a zero point.
    pub fn symmetric(group: usize) -> Self {
        Self { group, zero_point: false }
    }

    /// Groups of `group` with a zero point.
    pub fn asymmetric(group: usize) -> Self {
        Self { group, zero_point: true }
    }

    pub(crate) fn check(self, weights: &[f32], columns: usize) -> Result<()> {
        check_matrix(weights, columns)?;
        if self.group == 0 || !columns.is_multiple_of(self.group) {
            return Err(Error::Group { group: self.group, columns });
        }
        Ok(())
    }
}

impl Int4Groups {
    /// Rounds every value to the nearest on its group's grid.
    ///
    /// # Errors
    /// Where `weights` make no whole rows of `columns`, are not finite, or the group does not divide a row.
    pub fn round(weights: &[f32], columns: usize, scheme: Int4Scheme) -> Result<Self> {
        scheme.check(weights, columns)?;
        let grid: Vec<Grid> = weights.chunks_exact(scheme.group).map(|group| Grid::of(group, scheme.zero_point)).collect();
        let groups = weights.chunks_exact(scheme.group).zip(&grid);
        let codes = groups.flat_map(|(group, grid)| group.iter().map(|&weight| grid.code(weight))).collect();
        Ok(Self { columns, scheme, codes, grid })
    }

    /// Codes and grids that an algorithm chose.
    pub(crate) fn from_codes(codes: Vec<u8>, grid: Vec<Grid>, columns: usize, scheme: Int4Scheme) -> Self {
        Self { columns, scheme, codes, grid }
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.codes.len() / self.columns
    }

    /// Columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// How its groups are made.
    pub fn scheme(&self) -> Int4Scheme {
        self.scheme
    }

    /// One of 0..=15 for each value, row-major.
    pub fn codes(&self) -> &[u8] {
        &self.codes
    }

    /// The grids of the groups, row-major.
    pub fn grid(&self) -> &[Grid] {
        &self.grid
    }

    /// The matrix in f32, row-major.
    pub fn dequantize(&self) -> Vec<f32> {
        let groups = self.codes.chunks_exact(self.scheme.group).zip(&self.grid);
        groups.flat_map(|(group, grid)| group.iter().map(|&code| grid.value(code))).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_value_is_further_than_half_a_step_from_its_grid(
            weights in prop::collection::vec(-3.0_f32..3.0, 64),
            group in prop::sample::select(vec![8_usize, 16, 32]),
            zero_point: bool,
        ) {
            let scheme = Int4Scheme { group, zero_point };
            let rounded = Int4Groups::round(&weights, 32, scheme).unwrap();
            prop_assert_eq!(rounded.rows(), 2);
            for (index, (value, back)) in weights.iter().zip(rounded.dequantize()).enumerate() {
                let scale = rounded.grid[index / group].scale.abs();
                // A symmetric grid ends at 7 on the side that the extreme value is not on; the zero point itself is rounded.
                let reach = if zero_point { 1.01 } else { 1.0001 };
                prop_assert!((value - back).abs() <= reach * scale, "{value} became {back} in steps of {scale}");
            }
        }
    }

    #[test]
    fn zero_and_the_extreme_are_exact() {
        let rounded = Int4Groups::round(&[0.0, 1.0, -0.25, 0.5], 4, Int4Scheme::symmetric(4)).unwrap();
        let back = rounded.dequantize();
        assert!(back[0].abs() < f32::EPSILON && (back[1] - 1.0).abs() < 1e-6, "{back:?}");
        assert!(Int4Groups::round(&[0.0; 8], 8, Int4Scheme::asymmetric(4)).unwrap().dequantize().iter().all(|&x| x == 0.0));
    }

    #[test]
    fn the_largest_numbers_stay_finite() {
        for zero_point in [false, true] {
            let rounded = Int4Groups::round(&[f32::MAX, f32::MIN, 0.0, 1.0], 4, Int4Scheme { group: 4, zero_point }).unwrap();
            assert!(rounded.grid.iter().all(|grid| grid.scale.is_finite()) && rounded.codes.iter().all(|&code| code < 16), "{rounded:?}");
            assert!(rounded.dequantize()[2].abs() < f32::EPSILON, "{rounded:?}");
        }
    }

    #[test]
    fn groups_that_do_not_divide_a_row_are_refused() {
        let error = Int4Groups::round(&[0.0; 12], 12, Int4Scheme::symmetric(8)).unwrap_err();
        assert!(matches!(error, Error::Group { group: 8, columns: 12 }));
    }
}
