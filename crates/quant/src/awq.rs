use crate::calibration::Calibration;
use crate::error::Result;
use crate::int4::{Int4Groups, Int4Scheme};

/// Exponents that are tried: 0, 1/20, ..., 19/20.
const STEPS: u32 = 20;

/// Rounding to the nearest after columns of large inputs were scaled up, so that they lose less
/// ([Lin et al. 2023](https://arxiv.org/abs/2306.00978)).
///
/// Scales are `s_j = mean|x_j|^a`, normalised by `sqrt(max s min s)`, with the `a` that leaves the smallest error of the layer's output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Awq {
    /// How groups are made.
    pub scheme: Int4Scheme,
}

/// Weights to be multiplied with inputs that were divided by `input_scales`.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaledInt4 {
    /// Of the weights with column `j` multiplied by `input_scales[j]`.
    pub weights: Int4Groups,
    /// What input `j` is divided by; where a norm or a linear layer stands before, its output weights can take it over.
    pub input_scales: Vec<f32>,
}

impl ScaledInt4 {
    /// The matrix in f32 as it acts on inputs that are not scaled.
    pub fn dequantize(&self) -> Vec<f32> {
        let mut weights = self.weights.dequantize();
        for row in weights.chunks_exact_mut(self.input_scales.len()) {
            for (weight, scale) in row.iter_mut().zip(&self.input_scales) {
                *weight /= scale;
            }
        }
        weights
    }
}

impl Awq {
    /// With groups of `scheme`.
    pub fn new(scheme: Int4Scheme) -> Self {
        Self { scheme }
    }

    /// Quantises `weights [rows, columns]` of the layer that was calibrated. Never worse on the calibration than rounding to the nearest,
    /// which is the exponent 0.
    ///
    /// # Errors
    /// Where the weights are no matrix of finite numbers of the calibration's width, or the group does not divide a row.
    pub fn quantize(&self, weights: &[f32], calibration: &Calibration) -> Result<ScaledInt4> {
        let columns = calibration.columns();
        self.scheme.check(weights, columns)?;
        let magnitude = calibration.mean_magnitude();
        let mut best = self.scaled(weights, scales(&magnitude, 0.0))?;
        let mut least = calibration.layer_error(weights, &best.dequantize())?;
        for step in 1..STEPS {
            let candidate = self.scaled(weights, scales(&magnitude, step as f32 / STEPS as f32))?;
            let error = calibration.layer_error(weights, &candidate.dequantize())?;
            if error < least {
                (least, best) = (error, candidate);
            }
        }
        Ok(best)
    }

    fn scaled(&self, weights: &[f32], input_scales: Vec<f32>) -> Result<ScaledInt4> {
        let columns = input_scales.len();
        let rows = weights.chunks_exact(columns);
        let scaled: Vec<f32> = rows.flat_map(|row| row.iter().zip(&input_scales).map(|(weight, scale)| weight * scale)).collect();
        Ok(ScaledInt4 { weights: Int4Groups::round(&scaled, columns, self.scheme)?, input_scales })
    }
}

/// Scales of an exponent.
fn scales(magnitude: &[f32], exponent: f32) -> Vec<f32> {
    let scales: Vec<f32> = magnitude.iter().map(|m| m.powf(exponent).max(1e-4)).collect();
    let largest = scales.iter().copied().fold(f32::MIN, f32::max);
    let smallest = scales.iter().copied().fold(f32::MAX, f32::min);
    let middle = (largest * smallest).sqrt();
    scales.into_iter().map(|scale| scale / middle).collect()
}
