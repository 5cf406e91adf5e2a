use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::whole::whole;

/// Scales of a row that are tried below the largest, and how far apart they are relative to it.
const CANDIDATES: u32 = 30;
const CANDIDATE_STEP: f32 = 0.01;

/// Sums that are kept beside each other.
const LANES: usize = 16;

/// A matrix `[rows, columns]` in eight bits, symmetric, one scale for each row (an output channel where rows are outputs).
///
/// A value is `values[row][column] * scales[row]`; integers are in -127..=127.
#[derive(Clone, Debug, PartialEq)]
pub struct Int8Rows {
    columns: usize,
    values: Vec<i8>,
    scales: Vec<f32>,
}

impl Int8Rows {
    /// Rounds each row to the nearest, with the scale that loses least in the sense of squared error among a few.
    ///
    /// A scale below `largest magnitude / 127` clips the row's outliers and is finer for all the others.
    ///
    /// # Errors
    /// Where `weights` make no whole rows of `columns`, or are not finite.
    pub fn round(weights: &[f32], columns: usize) -> Result<Self> {
        crate::error::check_matrix(weights, columns)?;
        let mut values = vec![0; weights.len()];
        let rows = weights.par_chunks_exact(columns).zip(values.par_chunks_exact_mut(columns));
        let round = |(row, values): (&[f32], &mut [i8])| {
            let scale = best_scale(row);
            values.iter_mut().zip(row).for_each(|(value, &weight)| *value = nearest(weight / scale) as i8);
            scale
        };
        let scales = rows.map(round).collect();
        Ok(Self { columns, values, scales })
    }

    /// Values and scales that were made elsewhere.
    ///
    /// # Errors
    /// Where `values` do not make as many rows of `columns`, at least one wide, as there are scales.
    pub fn from_parts(values: Vec<i8>, scales: Vec<f32>, columns: usize) -> Result<Self> {
        if columns == 0 || Some(values.len()) != scales.len().checked_mul(columns) {
            return Err(Error::Shape { found: values.len(), rows: scales.len(), columns });
        }
        Ok(Self { columns, values, scales })
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.scales.len()
    }

    /// Columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Integers, row-major.
    pub fn values(&self) -> &[i8] {
        &self.values
    }

    /// One for each row.
    pub fn scales(&self) -> &[f32] {
        &self.scales
    }

    /// The matrix in f32, row-major.
    pub fn dequantize(&self) -> Vec<f32> {
        let rows = self.values.chunks_exact(self.columns).zip(&self.scales);
        rows.flat_map(|(row, scale)| row.iter().map(move |&value| f32::from(value) * scale)).collect()
    }
}

fn best_scale(row: &[f32]) -> f32 {
    let largest = row.iter().fold(0.0_f32, |max, value| max.max(value.abs()));
    if largest == 0.0 {
        return 1.0;
    }
    let candidates = (0..=CANDIDATES).map(|i| largest / 127.0 * (1.0 - i as f32 * CANDIDATE_STEP));
    let losses = candidates.map(|scale| (squared_error(row, scale), scale));
    losses.min_by(|a, b| a.0.total_cmp(&b.0)).expect("there is at least one candidate").1
}

/// The sum of squared errors, in lanes that the compiler makes vectors of.
fn squared_error(row: &[f32], scale: f32) -> f32 {
    let inverse = 1.0 / scale;
    let error = |value: f32| (value - nearest(value * inverse) * scale).powi(2);
    let mut lanes = [0.0; LANES];
    let (whole, rest) = row.as_chunks::<LANES>();
    for values in whole {
        lanes.iter_mut().zip(values).for_each(|(lane, &value)| *lane += error(value));
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|&value| error(value)).sum::<f32>()
}

/// The integer next to a weight in units of its scale.
fn nearest(weight: f32) -> f32 {
    whole(weight.clamp(-127.0, 127.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_has_its_own_scale_and_only_clipped_values_lose_more_than_half_a_step() {
        let values: Vec<f32> = (0..64).map(|i| ((i * 37 % 64) as f32 - 31.0) * 0.013 * if i < 32 { 1.0 } else { 50.0 }).collect();
        let rounded = Int8Rows::round(&values, 32).unwrap();
        assert!(rounded.scales[1] > 40.0 * rounded.scales[0], "{:?}", rounded.scales);
        for (i, (value, back)) in values.iter().zip(rounded.dequantize()).enumerate() {
            let clipped = rounded.values[i].unsigned_abs() == 127;
            assert!(clipped || (value - back).abs() <= rounded.scales[i / 32] * 0.501, "{value} became {back}");
        }
    }

    #[test]
    fn an_outlier_is_clipped_where_that_loses_less() {
        let mut row: Vec<f32> = (0..4096).map(|i| ((i * 131 % 4096) as f32 / 2048.0 - 1.0) * 0.9).collect();
        row.push(1.0);
        let scale = Int8Rows::round(&row, row.len()).unwrap().scales[0];
        assert!(scale < 1.0 / 127.0 && squared_error(&row, scale) <= squared_error(&row, 1.0 / 127.0));
        let flat = Int8Rows::round(&[0.5, -1.0, 1.0, 0.25], 4).unwrap();
        assert!(flat.scales[0] <= 1.0 / 127.0, "{flat:?}");
    }

    #[test]
    fn a_row_of_zeros_stays_zero_and_what_is_no_matrix_is_refused() {
        let zeros = Int8Rows::round(&[0.0; 4], 4).unwrap();
        assert_eq!((zeros.values, zeros.scales), (vec![0; 4], vec![1.0]));
        assert!(matches!(Int8Rows::round(&[0.0; 5], 4), Err(Error::Shape { .. })));
        assert!(matches!(Int8Rows::round(&[0.0, f32::NAN], 2), Err(Error::NotFinite { index: 1 })));
        for (values, columns) in [(5, 3), (0, 0), (0, usize::MAX)] {
            assert!(matches!(Int8Rows::from_parts(vec![0; values], vec![1.0; 2], columns), Err(Error::Shape { .. })));
        }
    }
}
