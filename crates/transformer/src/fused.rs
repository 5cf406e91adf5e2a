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

/// Whether tensors on `device` can be worked on in place: a pass over host memory leaves no trace for a gradient.
pub(crate) fn runs_on(device: &Device) -> bool {
    !device.is_autodiff() && *device == Device::flex()
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

/// How scores are changed before softmax.
pub(crate) struct Scores {
    /// Multiplies them.
    pub(crate) scale: f32,
    /// Then `c tanh(score / c)`, unless it is 0.
    pub(crate) softcap: f32,
}

/// Softmax over the last dimension of `scores [batch, heads, queries, keys]`, scaled, capped and with `bias [batch or 1, heads or 1,
/// queries, keys]` added; keys whose bias is minus infinity get weight zero.
pub(crate) fn biased_softmax(scores: Tensor<4>, bias: Option<Tensor<4>>, settings: &Scores) -> Tensor<4> {
    let [_, heads, queries, keys] = scores.dims();
    let bias = bias.map(|bias| (bias.dims(), host_values(bias)));
    map_rows(scores, keys, |index, row| {
        for score in row.iter_mut() {
            *score *= settings.scale;
        }
        if settings.softcap > 0.0 {
            for score in row.iter_mut() {
                *score = settings.softcap * (*score / settings.softcap).tanh();
            }
        }
        if let Some(([batches, bias_heads, ..], bias)) = &bias {
            let (batch, head, query) = (index / (heads * queries), index / queries % heads, index % queries);
            let place = ((batch % batches) * bias_heads + head % bias_heads) * queries + query;
            for (score, bias) in row.iter_mut().zip(&bias[place * keys..(place + 1) * keys]) {
                *score += bias;
            }
        }
        softmax_row(row);
    })
}

/// `x / sqrt(mean(x^2) + epsilon) * weight` over the last dimension ([Zhang and Sennrich 2019](https://arxiv.org/abs/1910.07467)).
pub(crate) fn rms_norm<const D: usize>(x: Tensor<D>, weight: Tensor<1>, epsilon: f32) -> Tensor<D> {
    let weight = host_values(weight);
    map_rows(x, weight.len(), |_, row| {
        let mean = fold_lanes(row, 0.0, |a, b| a + b, |x| x * x) / row.len() as f32;
        let scale = 1.0 / (mean + epsilon).sqrt();
        for (x, w) in row.iter_mut().zip(&weight) {
            *x = *x * scale * w;
        }
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

/// What a pass of cross-entropy is made with.
#[cfg(feature = "train")]
pub(crate) struct Targets {
    /// The target of rows that do not count.
    pub(crate) ignored: u32,
    /// Share of a target that is spread over all.
    pub(crate) smoothing: f32,
    /// Multiplies the gradient.
    pub(crate) scale: f32,
}

/// The cross-entropy of each row of `logits [rows, vocab]` to its target; the logits become the gradient of their sum times `scale`.
#[cfg(feature = "train")]
pub(crate) fn cross_entropy(logits: &mut [f32], vocab: usize, targets: &[u32], settings: &Targets) -> Vec<f32> {
    let mut losses = vec![0.0_f32; targets.len()];
    let arch = pulp::Arch::new();
    logits.par_chunks_mut(vocab).zip(targets).zip(&mut losses).with_min_len((VALUES_PER_TASK / vocab).max(1)).for_each(
        |((row, &target), loss)| {
            arch.dispatch(
                #[inline(always)]
                || *loss = cross_entropy_row(row, target, settings),
            );
        },
    );
    losses
}

#[cfg(feature = "train")]
#[inline(always)]
fn cross_entropy_row(row: &mut [f32], target: u32, settings: &Targets) -> f32 {
    if target == settings.ignored {
        row.fill(0.0);
        return 0.0;
    }
    let share = settings.smoothing / row.len() as f32;
    let at_target = row[target as usize];
    let spread = share * fold_lanes(row, 0.0, |a, b| a + b, |x| x);
    let max = fold_lanes(row, f32::NEG_INFINITY, f32::max, |x| x);
    for x in row.iter_mut() {
        *x = exp(*x - max);
    }
    let sum = fold_lanes(row, 0.0, |a, b| a + b, |x| x);
    let (scale, shared) = (settings.scale / sum, share * settings.scale);
    for x in row.iter_mut() {
        *x = *x * scale - shared;
    }
    row[target as usize] -= (1.0 - settings.smoothing) * settings.scale;
    max + sum.ln() - (1.0 - settings.smoothing) * at_target - spread
}

/// The sum of squares, in f64 over blocks that one thread adds.
#[cfg(feature = "train")]
pub(crate) fn squared_sum(values: &[f32]) -> f64 {
    let arch = pulp::Arch::new();
    let block = |block: &[f32]| {
        arch.dispatch(
            #[inline(always)]
            || f64::from(fold_lanes(block, 0.0, |a, b| a + b, |x| x * x)),
        )
    };
    values.chunks(1024).map(block).sum()
}

/// One step of Adam with decoupled decay.
#[cfg(feature = "train")]
pub(crate) struct AdamWStep {
    /// Multiplies the gradient.
    pub(crate) clip: f32,
    pub(crate) betas: [f32; 2],
    /// Learning rate over the correction of the first moment.
    pub(crate) step_size: f32,
    /// Multiplies the root of the second moment.
    pub(crate) root_correction: f32,
    pub(crate) epsilon: f32,
    /// What of a parameter stays after decay.
    pub(crate) keep: f32,
}

/// Moves `values` along `gradient` and updates its two moments, all of one length.
#[cfg(feature = "train")]
pub(crate) fn adamw(values: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32], step: &AdamWStep) {
    let arch = pulp::Arch::new();
    let chunks = values.par_chunks_mut(VALUES_PER_TASK).zip(gradient.par_chunks(VALUES_PER_TASK));
    let moments = first.par_chunks_mut(VALUES_PER_TASK).zip(second.par_chunks_mut(VALUES_PER_TASK));
    chunks.zip(moments).for_each(|((values, gradient), (first, second))| {
        arch.dispatch(
            #[inline(always)]
            || {
                for (((x, g), m), v) in values.iter_mut().zip(gradient).zip(first).zip(second) {
                    let g = g * step.clip;
                    *m = step.betas[0] * *m + (1.0 - step.betas[0]) * g;
                    *v = step.betas[1] * *v + (1.0 - step.betas[1]) * g * g;
                    *x = *x * step.keep - step.step_size * *m / (v.sqrt() * step.root_correction + step.epsilon);
                }
            },
        );
    });
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

pub(crate) fn host_values<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    let data: TensorData = x.into_data();
    data.convert::<f32>().try_into_vec::<f32>().expect("it was converted to f32")
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
        *x = if *x == f32::NEG_INFINITY { 0.0 } else { exp(*x - max) };
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
    fn biased_softmax_agrees_with_burn() {
        let settings = Scores { scale: 0.3, softcap: 5.0 };
        for (batches, heads) in [(1, 1), (3, 1), (1, 4), (3, 4)] {
            let (scores, noise) = (random([3, 4, 7, 21], 20.0), random([batches, heads, 7, 21], 1.0));
            let bias = noise.clone().mask_fill(noise.greater_elem(0.9), f32::NEG_INFINITY);
            let capped = (scores.clone() * 0.3 / 5.0).tanh() * 5.0;
            let expected = softmax(capped + bias.clone(), 3);
            assert!(difference(biased_softmax(scores, Some(bias), &settings), expected) < 1e-6);
        }
    }

    #[test]
    fn hidden_keys_have_weight_zero_exactly() {
        let bias = Tensor::<4>::from_data([[[[0.0_f32, f32::NEG_INFINITY, 0.0]]]], &Device::flex());
        let weights = biased_softmax(random([1, 2, 1, 3], 1.0), Some(bias), &Scores { scale: 1.0, softcap: 0.0 });
        let weights: Vec<f32> = weights.into_data().try_into_vec().unwrap();
        assert!(weights.iter().enumerate().all(|(i, &weight)| (weight == 0.0) == (i % 3 == 1)), "{weights:?}");
    }

    #[test]
    fn rms_norm_divides_by_the_root_mean_square() {
        let (x, weight) = (random([5, 3, 19], 2.0), random([19], 1.0));
        let expected = x.clone() / (x.clone().square().mean_dim(2) + 1e-5).sqrt() * weight.clone().unsqueeze();
        assert!(difference(rms_norm(x, weight, 1e-5), expected) < 1e-5);
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
