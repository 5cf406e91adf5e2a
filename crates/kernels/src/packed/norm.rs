//! Rows normalised and quantised in one pass, so that normalised rows never leave the cache.

use super::matmul::Context;
use super::quantized_rows::QuantizedRows;
use crate::row_norm::{layer_norm_row, rms_norm_row};

/// `x / sqrt(mean(x^2) + epsilon) * weight` of rows `x [m, k]`, quantised, `weight` being `[k]` ([Zhang and Sennrich
/// 2019](https://arxiv.org/abs/1910.07467)). What [`rms_norm`](crate::rms_norm) and [`QuantizedRows::quantize`] make one after the other, to rounding.
///
/// # Panics
/// Where `x` is not whole rows of `k` values.
pub fn rms_norm_quantize(context: Context<'_>, x: &[f32], weight: &[f32], epsilon: f32) -> QuantizedRows {
    quantize(context, x, weight.len(), |row| rms_norm_row(row, weight, epsilon))
}

/// `(x - mean) / sqrt(variance + epsilon) * weight + bias` of rows `x [m, k]`, quantised, `weight` and `bias` being `[k]` ([Ba et al.
/// 2016](https://arxiv.org/abs/1607.06450)). What [`layer_norm`](crate::layer_norm) and
/// [`QuantizedRows::quantize`] make one after the other, to rounding.
///
/// # Panics
/// Where `x` is not whole rows of `k` values, or `bias` not of the size of `weight`.
pub fn layer_norm_quantize(context: Context<'_>, x: &[f32], weight: &[f32], bias: &[f32], epsilon: f32) -> QuantizedRows {
    assert_eq!(bias.len(), weight.len(), "biases of {} weights", weight.len());
    quantize(context, x, weight.len(), |row| layer_norm_row(row, weight, bias, epsilon))
}

#[inline(always)]
fn quantize(context: Context<'_>, x: &[f32], k: usize, normalize: impl Fn(&mut [f32]) + Sync) -> QuantizedRows {
    assert!(k > 0 && x.len().is_multiple_of(k), "{} values are no rows of {k}", x.len());
    QuantizedRows::from_rows(context, x.len() / k, k, |index, row| {
        row.copy_from_slice(&x[index * k..(index + 1) * k]);
        context.level.vectorize(
            #[inline(always)]
            || normalize(row),
        );
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Level, Pool};
    use super::*;

    /// The sum in sixteen lanes, as `crate::rows` defines it.
    fn lanes(row: &[f32], map: impl Fn(f32) -> f32) -> f32 {
        let mut lanes = [0.0_f32; 16];
        row.iter().enumerate().for_each(|(i, x)| lanes[i % 16] += map(*x));
        lanes.into_iter().fold(0.0, |a, b| a + b)
    }

    fn normalized(x: &[f32], weight: &[f32], bias: Option<&[f32]>, epsilon: f32) -> Vec<f32> {
        let row = |row: &[f32]| {
            let count = row.len() as f32;
            let mean = if bias.is_some() { lanes(row, |x| x) / count } else { 0.0 };
            let scale = 1.0 / (lanes(row, |x| (x - mean) * (x - mean)) / count + epsilon).sqrt();
            let value = |(i, x): (usize, &f32)| match bias {
                Some(bias) => (x - mean) * scale * weight[i] + bias[i],
                None => x * scale * weight[i],
            };
            row.iter().enumerate().map(value).collect::<Vec<_>>()
        };
        x.chunks_exact(weight.len()).flat_map(row).collect()
    }

    proptest! {
        #[test]
        fn both_in_one_pass_give_the_same_bits(
            (k, m) in prop_oneof![(1_usize..80, 0_usize..40), (900_usize..1100, 30_usize..50)],
            offset in -3_f32..3.0,
            threads in prop_oneof![Just(1_usize), Just(2), Just(5)],
        ) {
            let noise = |count: usize, step: f32| (0..count).map(|i| (i as f32 * step).sin() + offset).collect::<Vec<_>>();
            let (x, weight, bias) = (noise(m * k, 0.71), noise(k, 0.37), noise(k, 0.13));
            let pool = Pool::new(threads);
            for level in Level::available() {
                let context = Context::new(level, &pool);
                let given = [rms_norm_quantize(context, &x, &weight, 1e-5), layer_norm_quantize(context, &x, &weight, &bias, 1e-5)];
                for (given, bias) in given.iter().zip([None, Some(&*bias)]) {
                    let expected = QuantizedRows::quantize(&normalized(&x, &weight, bias, 1e-5), m, k);
                    prop_assert_eq!([given.rows(), given.width()], [m, k]);
                    for row in 0..m {
                        prop_assert_eq!(given.scale(row).to_bits(), expected.scale(row).to_bits());
                        prop_assert_eq!(given.integers(row), expected.integers(row));
                    }
                }
            }
        }
    }
}
