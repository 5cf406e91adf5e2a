//! Passes over host memory for burn's Flex backend, whose elementwise operations run on one thread and whose `erf` and `exp` take one
//! value at a time.
//!
//! A Flex tensor gives its buffer away and takes it back without a copy, so safe code can work on plain slices. Loops are
//! compiled for the processor's widest vectors by `pulp`, and rows are split over threads. Every function has a twin made of burn
//! operations at its call site, which all other devices run and the tests compare against.

#![expect(clippy::inline_always, reason = "code takes on the vector width of the pass that it is inlined into")]

use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

/// Values that a thread takes at a time: small enough for the first-level cache, large enough to pay for a task.
const VALUES_PER_TASK: usize = 16 * 1024;

/// Whether tensors on `device` can be worked on in place.
pub(crate) fn runs_on(device: &Device) -> bool {
    *device == Device::flex()
}

/// `gelu(x + bias)` with the exact (erf) form of GELU ([Hendrycks and Gimpel 2016](https://arxiv.org/abs/1606.08415)):
/// `x [rows, d]`, `bias [d]`.
pub(crate) fn bias_gelu(x: Tensor<2>, bias: Tensor<1>) -> Tensor<2> {
    let bias = host_values(bias);
    map_rows(x, bias.len(), |_, row| {
        for (x, b) in row.iter_mut().zip(&bias) {
            *x = gelu(*x + b);
        }
    })
}

/// Softmax over the last dimension of `scores [batch, heads, seq, seq]`; of sequence `i` the first `lengths[i]` keys take part,
/// the others get weight zero.
pub(crate) fn masked_softmax(scores: Tensor<4>, lengths: &[usize]) -> Tensor<4> {
    let [_, heads, seq, keys] = scores.dims();
    map_rows(scores, keys, |index, row| {
        let (valid, padding) = row.split_at_mut(lengths[index / (heads * seq)]);
        softmax_row(valid);
        padding.fill(0.0);
    })
}

/// `layer_norm(x + bias + residual)` over rows ([Ba et al. 2016](https://arxiv.org/abs/1607.06450)): `x, residual [rows, d]`,
/// `bias, gamma, beta [d]`.
pub(crate) fn add_norm(x: Tensor<2>, residual: Tensor<2>, params: NormParams) -> Tensor<2> {
    let [bias, gamma, beta] = [params.bias, params.gamma, params.beta].map(host_values);
    let residual = host_values(residual);
    let width = bias.len();
    map_rows(x, width, |index, row| {
        let residual = &residual[index * width..(index + 1) * width];
        for ((x, r), b) in row.iter_mut().zip(residual).zip(&bias) {
            *x += r + b;
        }
        normalize_row(row, &gamma, &beta, params.epsilon);
    })
}

/// What [`add_norm`] adds and scales by.
pub(crate) struct NormParams {
    pub(crate) bias: Tensor<1>,
    pub(crate) gamma: Tensor<1>,
    pub(crate) beta: Tensor<1>,
    pub(crate) epsilon: f32,
}

/// Runs `edit` on every row of `width` values with the row's index, in parallel and vectorised.
fn map_rows<const D: usize>(x: Tensor<D>, width: usize, edit: impl Fn(usize, &mut [f32]) + Sync) -> Tensor<D> {
    let device = x.device();
    let mut data = x.into_data();
    let values = data.as_mut_slice::<f32>().expect("host tensors of an encoder hold f32");
    let rows = (VALUES_PER_TASK / width.max(1)).max(1);
    let arch = pulp::Arch::new();
    let edit_task = |(task, values): (usize, &mut [f32])| {
        arch.dispatch(
            #[inline(always)]
            || {
                for (row, values) in values.chunks_exact_mut(width).enumerate() {
                    edit(task * rows + row, values);
                }
            },
        );
    };
    if values.len() <= rows * width {
        edit_task((0, values));
    } else {
        values.par_chunks_mut(rows * width).enumerate().for_each(edit_task);
    }
    Tensor::from_data(data, &device)
}

fn host_values<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    let data: TensorData = x.into_data();
    data.try_into_vec::<f32>().expect("host tensors of an encoder hold f32")
}

/// `0.5 x (1 + erf(x / sqrt 2))`.
#[inline(always)]
fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// Abramowitz and Stegun, formula 7.1.26: absolute error below 1.5e-7.
#[inline(always)]
fn erf(x: f32) -> f32 {
    let z = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let poly = t * (0.254_829_6 + t * (-0.284_496_72 + t * (1.421_413_8 + t * (-1.453_152_1 + t * 1.061_405_4))));
    (1.0 - poly * exp(-z * z)).copysign(x)
}

/// `e^x` for x <= 0 within 2e-7 of the value: 2^n times a Taylor polynomial on [-ln 2 / 2, ln 2 / 2]. Below -87 the result is about
/// 1e-38 instead of smaller numbers. No branch and no call, so loops over it vectorise.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// 1.5 * 2^23: adding it rounds a small float to an integer, which then stands in its low bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.max(-87.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * std::f32::consts::LN_2;
    let poly = 1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0))))));
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    poly * power
}

#[inline(always)]
fn softmax_row(row: &mut [f32]) {
    let max = fold_lanes(row, f32::NEG_INFINITY, f32::max, |x| x);
    for x in row.iter_mut() {
        *x = exp(*x - max);
    }
    let scale = 1.0 / fold_lanes(row, 0.0, |a, b| a + b, |x| x);
    for x in row.iter_mut() {
        *x *= scale;
    }
}

#[inline(always)]
fn normalize_row(row: &mut [f32], gamma: &[f32], beta: &[f32], epsilon: f32) {
    let count = row.len() as f32;
    let mean = fold_lanes(row, 0.0, |a, b| a + b, |x| x) / count;
    let variance = fold_lanes(row, 0.0, |a, b| a + b, |x| (x - mean) * (x - mean)) / count;
    let scale = 1.0 / (variance + epsilon).sqrt();
    for ((x, g), b) in row.iter_mut().zip(gamma).zip(beta) {
        *x = (*x - mean) * scale * g + b;
    }
}

/// Folds `map` of every value in sixteen independent lanes, so that the order of additions is fixed and vectors can be used.
#[inline(always)]
fn fold_lanes(row: &[f32], start: f32, join: impl Fn(f32, f32) -> f32, map: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [start; 16];
    let blocks = row.chunks_exact(16);
    let tail = blocks.remainder();
    for block in blocks {
        for (lane, x) in lanes.iter_mut().zip(block) {
            *lane = join(*lane, map(*x));
        }
    }
    for (lane, x) in lanes.iter_mut().zip(tail) {
        *lane = join(*lane, map(*x));
    }
    lanes.into_iter().fold(start, join)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;
    use burn::tensor::activation::{gelu as burn_gelu, softmax};
    use burn::tensor::module::layer_norm;
    use proptest::prelude::*;

    use super::*;

    fn random<const D: usize>(shape: [usize; D], spread: f64) -> Tensor<D> {
        Tensor::random(shape, Distribution::Normal(0.0, spread), &Device::flex())
    }

    fn difference<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
        (a - b).abs().max().into_scalar()
    }

    #[test]
    fn gelu_agrees_with_burn() {
        let (x, bias) = (random([57, 83], 4.0), random([83], 1.0));
        let expected = burn_gelu(x.clone() + bias.clone().unsqueeze());
        assert!(difference(bias_gelu(x, bias), expected) < 2e-6);
    }

    #[test]
    fn normalisation_agrees_with_burn() {
        let (x, residual) = (random([301, 70], 1.0), random([301, 70], 3.0));
        let [bias, gamma, beta] = [random([70], 1.0), random([70], 1.0), random([70], 1.0)];
        let expected = layer_norm(x.clone() + bias.clone().unsqueeze() + residual.clone(), gamma.clone(), Some(beta.clone()), 1e-5);
        let params = NormParams { bias, gamma, beta, epsilon: 1e-5 };
        assert!(difference(add_norm(x, residual, params), expected) < 1e-5);
    }

    #[test]
    fn softmax_agrees_with_burn_where_nothing_is_padded() {
        let scores = random([3, 4, 37, 37], 8.0);
        assert!(difference(masked_softmax(scores.clone(), &[37; 3]), softmax(scores, 3)) < 1e-6);
    }

    #[test]
    fn padded_keys_get_no_weight_and_the_others_sum_to_one() {
        let lengths = [5, 1, 9];
        let weights: Vec<f32> = masked_softmax(random([3, 2, 9, 9], 30.0), &lengths).into_data().try_into_vec().unwrap();
        for (row, keys) in weights.chunks_exact(9).enumerate() {
            let (valid, padding) = keys.split_at(lengths[row / 18]);
            assert!((valid.iter().sum::<f32>() - 1.0).abs() < 1e-6 && padding.iter().all(|&weight| weight == 0.0));
        }
    }

    proptest! {
        #[test]
        fn exp_is_within_its_bound(x in -200.0_f32..=0.0) {
            let expected = f64::from(x).exp();
            prop_assert!((f64::from(exp(x)) - expected).abs() < 2e-7, "exp({x}) = {} instead of {expected}", exp(x));
        }

        #[test]
        fn exact_and_fast_gelu_agree(x in -30.0_f32..=30.0) {
            let exact: f32 = burn_gelu(Tensor::<1>::from_data([x], &Device::flex())).into_scalar();
            prop_assert!((gelu(x) - exact).abs() <= 3e-7 * x.abs().max(1.0), "gelu({x}) = {} instead of {exact}", gelu(x));
        }
    }
}
