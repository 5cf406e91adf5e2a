use rayon::prelude::*;

use crate::error::{Error, Result, check_matrix};

/// What the inputs of a layer were like on real text: their second moments and magnitudes.
///
/// Everything that the algorithms here need of activations, in `columns^2` numbers however much text there was.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    columns: usize,
    rows: usize,
    /// Sums of `x_i x_j`, `[columns, columns]`.
    moments: Vec<f64>,
    /// Sums of `|x_i|`.
    magnitude: Vec<f64>,
    largest: Vec<f32>,
}

impl Calibration {
    /// Of a layer with `columns` inputs, nothing seen yet.
    pub fn new(columns: usize) -> Self {
        Self { columns, rows: 0, moments: vec![0.0; columns * columns], magnitude: vec![0.0; columns], largest: vec![0.0; columns] }
    }

    /// Adds inputs `x [tokens, columns]`.
    ///
    /// # Errors
    /// Where `x` makes no whole rows, or is not finite.
    pub fn observe(&mut self, x: &[f32]) -> Result<()> {
        check_matrix(x, self.columns)?;
        self.rows += x.len() / self.columns;
        for row in x.chunks_exact(self.columns) {
            for ((sum, largest), x) in self.magnitude.iter_mut().zip(&mut self.largest).zip(row) {
                *sum += f64::from(x.abs());
                *largest = largest.max(x.abs());
            }
        }
        self.moments.par_chunks_exact_mut(self.columns).enumerate().for_each(|(i, moments)| {
            for row in x.chunks_exact(self.columns) {
                let factor = f64::from(row[i]);
                for (sum, x) in moments.iter_mut().zip(row) {
                    *sum += factor * f64::from(*x);
                }
            }
        });
        Ok(())
    }

    /// Inputs of the layer.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Tokens seen.
    pub fn tokens(&self) -> usize {
        self.rows
    }

    /// The mean magnitude of each input.
    pub fn mean_magnitude(&self) -> Vec<f32> {
        self.magnitude.iter().map(|sum| (sum / self.rows.max(1) as f64) as f32).collect()
    }

    /// The mean square of each input.
    pub fn mean_square(&self) -> Vec<f32> {
        let scale = (self.rows.max(1) as f64).recip();
        (0..self.columns).map(|i| (self.moments[i * self.columns + i] * scale) as f32).collect()
    }

    /// The largest magnitude of each input.
    pub fn largest_magnitude(&self) -> &[f32] {
        &self.largest
    }

    /// The mean of `x_i x_j`, `[columns, columns]`.
    pub(crate) fn second_moments(&self) -> Vec<f64> {
        let scale = (self.rows.max(1) as f64).recip();
        self.moments.iter().map(|sum| sum * scale).collect()
    }

    /// The mean over tokens of `|(W - V) x|^2`, summed over outputs, for `weights` and `other`, both `[rows, columns]`: what a change of
    /// weights does to the layer's output.
    ///
    /// # Errors
    /// Where the matrices are not of one shape with rows of the calibration's length.
    pub fn layer_error(&self, weights: &[f32], other: &[f32]) -> Result<f64> {
        self.fits(weights)?;
        self.fits(other)?;
        if weights.len() != other.len() {
            return Err(Error::Shape { found: other.len(), rows: weights.len() / self.columns, columns: self.columns });
        }
        let rows = weights.par_chunks_exact(self.columns).zip(other.par_chunks_exact(self.columns));
        let error = rows.map(|(weights, other)| {
            let change: Vec<f64> = weights.iter().zip(other).map(|(a, b)| f64::from(a - b)).collect();
            self.quadratic(&change)
        });
        Ok(error.collect::<Vec<f64>>().into_iter().sum::<f64>() / self.rows.max(1) as f64)
    }

    /// `v^T M v` with the sums of second moments.
    fn quadratic(&self, v: &[f64]) -> f64 {
        let rows = self.moments.chunks_exact(self.columns).zip(v);
        rows.map(|(row, x)| x * row.iter().zip(v).map(|(m, y)| m * y).sum::<f64>()).sum()
    }

    /// Refuses weights of another layer.
    pub(crate) fn fits(&self, weights: &[f32]) -> Result<()> {
        if self.columns == 0 || !weights.len().is_multiple_of(self.columns) {
            return Err(Error::Shape { found: weights.len(), rows: 0, columns: self.columns });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_that_of_the_outputs() {
        let x: Vec<f32> = (0..5 * 3).map(|i| (i as f32 * 1.3).sin()).collect();
        let (w, v): (Vec<f32>, Vec<f32>) = (0..2 * 3).map(|i| ((i as f32).cos(), (i as f32 * 0.9).cos())).unzip();
        let mut calibration = Calibration::new(3);
        calibration.observe(&x[..6]).unwrap();
        calibration.observe(&x[6..]).unwrap();
        let mut expected = 0.0;
        for x in x.chunks_exact(3) {
            for (w, v) in w.chunks_exact(3).zip(v.chunks_exact(3)) {
                let change: f32 = w.iter().zip(v).zip(x).map(|((w, v), x)| (w - v) * x).sum();
                expected += f64::from(change).powi(2) / 5.0;
            }
        }
        let found = calibration.layer_error(&w, &v).unwrap();
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        assert_eq!(calibration.tokens(), 5);
    }

    #[test]
    fn inputs_of_another_width_are_refused() {
        assert!(Calibration::new(3).observe(&[0.0; 4]).is_err());
        assert!(Calibration::new(3).layer_error(&[0.0; 3], &[0.0; 6]).is_err());
    }
}
