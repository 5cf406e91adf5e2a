use rayon::prelude::*;

use crate::error::{Error, Result, check_matrix};
use crate::whole::whole;

/// Ranges of a group that are tried where extremes may be clipped, and how far apart they are relative to the whole one.
const CLIPS: u32 = 16;
const CLIP_STEP: f32 = 0.025;

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

    /// The grid of the group's values times 1, 0.975, ... that loses least.
    fn clipped(group: &[f32], zero_point: bool, importance: &[f32]) -> Self {
        let candidates = (0..CLIPS).map(|step| {
            let share = 1.0 - step as f32 * CLIP_STEP;
            Self::of(&group.iter().map(|weight| weight * share).collect::<Vec<f32>>(), zero_point)
        });
        let loss = |grid: &Self| {
            let losses =
                group.iter().zip(importance).map(|(&weight, importance)| importance * (weight - grid.value(grid.code(weight))).powi(2));
            losses.sum::<f32>()
        };
        let losses = candidates.map(|grid| (loss(&grid), grid));
        losses.min_by(|a, b| a.0.total_cmp(&b.0)).expect("there is at least one candidate").1
    }

    /// The nearest code.
    pub(crate) fn code(self, value: f32) -> u8 {
        whole((value / self.scale + f32::from(self.zero)).clamp(0.0, 15.0)) as u8
    }

    /// The value of a code.
    pub(crate) fn value(self, code: u8) -> f32 {
        (f32::from(code) - f32::from(self.zero)) * self.scale
    }
}

/// The nearest codes of all weights.
fn codes(weights: &[f32], group: usize, grid: &[Grid]) -> Vec<u8> {
    let mut codes = vec![0; weights.len()];
    let groups = codes.par_chunks_exact_mut(group).zip(weights.par_chunks_exact(group)).zip(grid);
    groups.for_each(|((codes, weights), grid)| codes.iter_mut().zip(weights).for_each(|(code, &weight)| *code = grid.code(weight)));
    codes
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
        let grid: Vec<Grid> = weights.par_chunks_exact(scheme.group).map(|group| Grid::of(group, scheme.zero_point)).collect();
        Ok(Self { columns, scheme, codes: codes(weights, scheme.group, &grid), grid })
    }

    /// Rounds to the nearest on grids that may clip a group's extremes: of a few ranges the one that loses least in the sense of
    /// `sum of importance (weight - value)^2`, with an importance for each column (the mean square of its input, as
    /// [`Calibration::mean_square`](crate::Calibration::mean_square) gives it).
    ///
    /// # Errors
    /// As [`round`](Self::round), and where there is not one importance for each column.
    pub fn round_clipped(weights: &[f32], columns: usize, scheme: Int4Scheme, importance: &[f32]) -> Result<Self> {
        scheme.check(weights, columns)?;
        if importance.len() != columns {
            return Err(Error::Calibration { found: importance.len(), expected: columns });
        }
        let clipped = |(index, group): (usize, &[f32])| {
            let first = index * scheme.group % columns;
            Grid::clipped(group, scheme.zero_point, &importance[first..first + scheme.group])
        };
        let grid: Vec<Grid> = weights.par_chunks_exact(scheme.group).enumerate().map(clipped).collect();
        Ok(Self { columns, scheme, codes: codes(weights, scheme.group, &grid), grid })
    }

    /// Codes and grids that were made elsewhere, both row-major.
    ///
    /// # Errors
    /// Where groups of `scheme` do not divide `columns`, the numbers of codes and grids do not make rows of one matrix, a code is above 15, or
    /// a zero point is not 8 although the scheme has none.
    pub fn from_parts(codes: Vec<u8>, grid: Vec<Grid>, columns: usize, scheme: Int4Scheme) -> Result<Self> {
        if scheme.group == 0 || columns == 0 || !columns.is_multiple_of(scheme.group) {
            return Err(Error::Group { group: scheme.group, columns });
        }
        let rows = grid.len() / (columns / scheme.group);
        if Some(codes.len()) != grid.len().checked_mul(scheme.group) || Some(codes.len()) != rows.checked_mul(columns) {
            return Err(Error::Shape { found: codes.len(), rows, columns });
        }
        if let Some(&found) = codes.iter().find(|&&code| code > 15) {
            return Err(Error::Code { what: "code", found });
        }
        match grid.iter().find(|grid| !scheme.zero_point && grid.zero != 8) {
            Some(grid) => Err(Error::Code { what: "zero point", found: grid.zero }),
            None => Ok(Self { columns, scheme, codes, grid }),
        }
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

    proptest! {
        #[test]
        fn clipping_never_loses_more_than_rounding(
            weights in prop::collection::vec(-3.0_f32..3.0, 64),
            importance in prop::collection::vec(0.0_f32..4.0, 32),
            zero_point: bool,
        ) {
            let scheme = Int4Scheme { group: 16, zero_point };
            let loss = |rounded: Int4Groups| -> f32 {
                let values = weights.iter().zip(rounded.dequantize()).zip(importance.iter().cycle());
                values.map(|((weight, value), importance)| importance * (weight - value).powi(2)).sum()
            };
            let clipped = loss(Int4Groups::round_clipped(&weights, 32, scheme, &importance).unwrap());
            prop_assert!(clipped <= loss(Int4Groups::round(&weights, 32, scheme).unwrap()) * 1.0001);
        }
    }

    #[test]
    fn an_outlier_that_no_input_reads_is_clipped() {
        let weights: Vec<f32> = (0..16).map(|i| if i == 3 { 8.0 } else { (i as f32 * 1.7).sin() }).collect();
        let importance: Vec<f32> = (0..16).map(|i| if i == 3 { 0.0 } else { 1.0 }).collect();
        let rounded = Int4Groups::round_clipped(&weights, 16, Int4Scheme::symmetric(16), &importance).unwrap();
        assert!(rounded.grid[0].scale.abs() < 0.65, "{:?}", rounded.grid);
        let error = Int4Groups::round_clipped(&weights, 16, Int4Scheme::symmetric(16), &importance[1..]).unwrap_err();
        assert!(matches!(error, Error::Calibration { found: 15, expected: 16 }));
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
    fn parts_make_the_same_matrix_again_or_none() {
        let scheme = Int4Scheme::asymmetric(4);
        let whole = Int4Groups::round(&[0.5, -1.0, 2.0, 0.25, 3.0, 1.0, -2.0, 0.0], 8, scheme).unwrap();
        let parts = |codes: usize, grid: usize, columns, group| {
            let scheme = Int4Scheme { group, ..scheme };
            Int4Groups::from_parts(whole.codes()[..codes].to_vec(), whole.grid()[..grid].to_vec(), columns, scheme)
        };
        assert_eq!(parts(8, 2, 8, 4).unwrap(), whole);
        for (codes, grid, columns, group) in [(7, 2, 8, 4), (8, 1, 8, 4), (4, 1, 8, 4), (8, 2, 8, 8)] {
            assert!(matches!(parts(codes, grid, columns, group), Err(Error::Shape { .. })), "{codes} {grid} {columns} {group}");
        }
        for (columns, group) in [(0, 4), (8, 0), (8, 3)] {
            assert!(matches!(parts(8, 2, columns, group), Err(Error::Group { .. })), "{columns} {group}");
        }
        let one = |code, zero, scheme| Int4Groups::from_parts(vec![code; 8], vec![Grid { scale: 1.0, zero }], 8, scheme);
        assert!(matches!(one(16, 8, Int4Scheme::symmetric(8)), Err(Error::Code { what: "code", found: 16 })));
        assert!(matches!(one(15, 7, Int4Scheme::symmetric(8)), Err(Error::Code { what: "zero point", found: 7 })));
        assert!(one(15, 7, Int4Scheme::asymmetric(8)).is_ok());
    }

    #[test]
    fn groups_that_do_not_divide_a_row_are_refused() {
        let error = Int4Groups::round(&[0.0; 12], 12, Int4Scheme::symmetric(8)).unwrap_err();
        assert!(matches!(error, Error::Group { group: 8, columns: 12 }));
    }
}
