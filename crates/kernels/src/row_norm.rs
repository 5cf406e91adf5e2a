//! Normalisation of rows that lie in host memory, by itself or on the way into packed layers.

use crate::packed::{Context, Pool, QuantizedRows, layer_norm_quantize, rms_norm_quantize};
use crate::rows::{edit_rows, fold_lanes, rows_per_task, sum};

/// Layer normalisation ([Ba et al. 2016](https://arxiv.org/abs/1607.06450)) of rows, or with no bias root-mean-square normalisation
/// ([Zhang and Sennrich 2019](https://arxiv.org/abs/1910.07467)). A row's bits depend on that row alone.
///
/// ```
/// let norm = jarre_kernels::RowNorm::new(vec![1.0, 2.0], None, 0.0);
/// let mut rows = [3.0, 3.0, 0.5, -0.5];
/// norm.apply(&mut rows);
/// assert_eq!(rows, [1.0, 2.0, 1.0, -2.0]);
/// ```
#[derive(Clone, Debug)]
pub struct RowNorm {
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
    epsilon: f32,
}

impl RowNorm {
    /// Scales by `weight` `[d]` and, in layer normalisation, adds `bias` `[d]`; `epsilon` is added to the variance or mean square.
    ///
    /// # Panics
    /// Where there is no weight, or weight and bias have different sizes.
    pub fn new(weight: Vec<f32>, bias: Option<Vec<f32>>, epsilon: f32) -> Self {
        assert!(!weight.is_empty(), "a normalisation of no values");
        assert!(bias.as_ref().is_none_or(|bias| bias.len() == weight.len()), "values of weight and bias");
        Self { weight, bias, epsilon }
    }

    /// Values of a row, `d`.
    pub fn width(&self) -> usize {
        self.weight.len()
    }

    /// Normalises rows `[m, d]` in place.
    ///
    /// # Panics
    /// Where `x` is not whole rows.
    pub fn apply(&self, x: &mut [f32]) {
        self.check(x);
        match &self.bias {
            Some(bias) => edit_rows(x, self.width(), |_, row| layer_norm_row(row, &self.weight, bias, self.epsilon)),
            None => edit_rows(x, self.width(), |_, row| rms_norm_row(row, &self.weight, self.epsilon)),
        }
    }

    /// Rows `[m, d]` normalised and quantised in one pass: what [`apply`](Self::apply) and [`QuantizedRows::quantize`] give.
    ///
    /// # Panics
    /// Where `x` is not whole rows.
    pub fn quantize(&self, x: &[f32]) -> QuantizedRows {
        self.check(x);
        match &self.bias {
            Some(bias) => layer_norm_quantize(Context::default(), x, &self.weight, bias, self.epsilon),
            None => rms_norm_quantize(Context::default(), x, &self.weight, self.epsilon),
        }
    }

    /// Rows `[m, d]` normalised in place, and the same rows quantised: for what reads them in both forms.
    ///
    /// # Panics
    /// Where `x` is not whole rows.
    pub fn apply_quantize(&self, x: &mut [f32]) -> QuantizedRows {
        self.check(x);
        // A task's rows are few enough for `apply` to leave them on one thread.
        Pool::global().edit_chunks(x, rows_per_task(self.width()) * self.width(), |_, rows| self.apply(rows));
        QuantizedRows::quantize(x, x.len() / self.width(), self.width())
    }

    fn check(&self, x: &[f32]) {
        assert!(x.len().is_multiple_of(self.width()), "{} values are no rows of {}", x.len(), self.width());
    }
}

/// One row of layer normalisation.
#[inline(always)]
pub(crate) fn layer_norm_row(row: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32) {
    let mean = sum(row) / row.len() as f32;
    let variance = fold_lanes(row, 0.0, |a, b| a + b, |x| (x - mean) * (x - mean)) / row.len() as f32;
    let scale = 1.0 / (variance + epsilon).sqrt();
    for ((x, w), b) in row.iter_mut().zip(weight).zip(bias) {
        *x = (*x - mean) * scale * w + b;
    }
}

/// One row of root-mean-square normalisation.
#[inline(always)]
pub(crate) fn rms_norm_row(row: &mut [f32], weight: &[f32], epsilon: f32) {
    let square = fold_lanes(row, 0.0, |a, b| a + b, |x| x * x) / row.len() as f32;
    let scale = 1.0 / (square + epsilon).sqrt();
    for (x, w) in row.iter_mut().zip(weight) {
        *x = *x * scale * w;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_in_both_forms_are_those_of_two_passes(
            (width, count) in prop_oneof![(1_usize..80, 0_usize..20), (300_usize..500, 90_usize..110)], centred in any::<bool>(), wild in any::<bool>(),
        ) {
            let noise = |count: usize, step: f32| (0..count).map(|i| (i as f32 * step).sin()).collect::<Vec<_>>();
            let norm = RowNorm::new(noise(width, 0.3), centred.then(|| noise(width, 0.7)), 1e-6);
            let mut x = noise(count * width, 0.9);
            if let (true, Some(last)) = (wild, x.last_mut()) {
                *last = f32::INFINITY;
            }
            let mut expected = x.clone();
            norm.apply(&mut expected);
            let rows = QuantizedRows::quantize(&expected, count, width);
            let given = norm.apply_quantize(&mut x);
            let bits = |x: &[f32]| x.iter().map(|x| if x.is_nan() { 1 } else { x.to_bits() }).collect::<Vec<_>>();
            prop_assert_eq!(bits(&x), bits(&expected));
            for row in 0..count {
                prop_assert_eq!(bits(&[given.scale(row)]), bits(&[rows.scale(row)]));
                prop_assert_eq!(given.integers(row), rows.integers(row));
            }
        }
    }
}
