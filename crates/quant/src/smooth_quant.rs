use crate::calibration::Calibration;
use crate::error::{Error, Result};

/// Moves the difficulty of rounding from inputs to weights, before both are rounded to eight bits
/// ([Xiao et al. 2022](https://arxiv.org/abs/2211.10438)): `s_j = max|x_j|^a / max|w_j|^(1 - a)`; inputs are divided by `s`, columns of the
/// weights multiplied by it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SmoothQuant {
    /// How much is moved: 0 leaves inputs as they are, 1 makes them all alike.
    pub alpha: f32,
}

impl Default for SmoothQuant {
    fn default() -> Self {
        Self { alpha: 0.5 }
    }
}

impl SmoothQuant {
    /// The scales of the inputs of `weights [rows, columns]`, which may be several layers below each other that read the same input.
    /// Where an input or a column was always zero its scale is 1.
    ///
    /// # Errors
    /// Where the weights are no matrix of the calibration's width.
    pub fn input_scales(&self, weights: &[f32], calibration: &Calibration) -> Result<Vec<f32>> {
        calibration.fits(weights)?;
        let mut largest = vec![0.0_f32; calibration.columns()];
        for row in weights.chunks_exact(calibration.columns()) {
            for (largest, weight) in largest.iter_mut().zip(row) {
                *largest = largest.max(weight.abs());
            }
        }
        let pairs = calibration.largest_magnitude().iter().zip(&largest);
        let scale = |(x, w): (&f32, &f32)| if *x > 0.0 && *w > 0.0 { x.powf(self.alpha) / w.powf(1.0 - self.alpha) } else { 1.0 };
        Ok(pairs.map(scale).collect())
    }

    /// `weights [rows, columns]` for inputs that were divided by `input_scales`.
    ///
    /// # Errors
    /// Where there is not one scale for each column.
    pub fn scale_weights(weights: &[f32], input_scales: &[f32]) -> Result<Vec<f32>> {
        if input_scales.is_empty() || !weights.len().is_multiple_of(input_scales.len()) {
            return Err(Error::Shape { found: weights.len(), rows: 0, columns: input_scales.len() });
        }
        let rows = weights.chunks_exact(input_scales.len());
        Ok(rows.flat_map(|row| row.iter().zip(input_scales).map(|(weight, scale)| weight * scale)).collect())
    }
}
