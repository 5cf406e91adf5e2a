//! Normalisation over the last dimension.

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;
use burn::tensor::module;

use crate::host::{self, HostOp, edited, in_order, run, tensor, values};
use crate::row_norm::{layer_norm_row, rms_norm_row};
use crate::rows::{dot, fold_lanes, sum, sum_rows};

/// `(x - mean) / sqrt(variance + epsilon) * weight + bias` over the last dimension ([Ba et al. 2016](https://arxiv.org/abs/1607.06450)).
///
/// # Shapes
/// - x: `[..., d]`, weight and bias: `[d]`
/// - output: `[..., d]`
pub fn layer_norm<const D: usize>(x: Tensor<D>, weight: Tensor<1>, bias: Tensor<1>, epsilon: f64) -> Tensor<D> {
    if host::takes(&x) {
        return run::ternary((x, weight, bias), LayerNorm { epsilon: epsilon as f32 });
    }
    module::layer_norm(x, weight, Some(bias), epsilon)
}

/// `x / sqrt(mean(x^2) + epsilon) * weight` over the last dimension ([Zhang and Sennrich 2019](https://arxiv.org/abs/1910.07467)).
///
/// # Shapes
/// - x: `[..., d]`, weight: `[d]`
/// - output: `[..., d]`
pub fn rms_norm<const D: usize>(x: Tensor<D>, weight: Tensor<1>, epsilon: f64) -> Tensor<D> {
    if host::takes(&x) {
        return run::binary(x, weight, RmsNorm { epsilon: epsilon as f32 });
    }
    let scale = (x.clone().square().mean_dim(D - 1) + epsilon).sqrt().recip();
    x * scale * weight.unsqueeze()
}

/// `layer_norm(x + bias + residual)`, as post-norm encoders end each half of a layer.
///
/// # Shapes
/// - x and residual: `[rows, d]`
/// - output: `[rows, d]`
pub fn add_norm(x: Tensor<2>, residual: Tensor<2>, params: AddNorm) -> Tensor<2> {
    if !host::takes(&x) || x.device().is_autodiff() {
        return layer_norm(x + params.bias.unsqueeze() + residual, params.weight, params.shift, params.epsilon);
    }
    let [bias, weight, shift] = [params.bias, params.weight, params.shift].map(host::host_values);
    let residual = host::host_values(residual);
    let epsilon = params.epsilon as f32;
    let width = bias.len();
    host::edit_tensor(x, width, |index, row| {
        let residual = &residual[index * width..(index + 1) * width];
        for ((x, r), b) in row.iter_mut().zip(residual).zip(&bias) {
            *x += r + b;
        }
        layer_norm_row(row, &weight, &shift, epsilon);
    })
}

/// What [`add_norm`] adds and scales by.
#[derive(Clone, Debug)]
pub struct AddNorm {
    /// Added to `x`: `[d]`.
    pub bias: Tensor<1>,
    /// Scale of the normalisation: `[d]`.
    pub weight: Tensor<1>,
    /// Shift of the normalisation: `[d]`.
    pub shift: Tensor<1>,
    /// Added to the variance.
    pub epsilon: f64,
}

#[derive(Clone, Debug)]
struct LayerNorm {
    epsilon: f32,
}

impl HostOp<3> for LayerNorm {
    fn forward(&self, [x, weight, bias]: [FlexTensor; 3]) -> FlexTensor {
        let [weight, bias] = [weight, bias].map(in_order);
        let (weight, bias) = (values(&weight), values(&bias));
        edited(x, weight.len(), |_, row| layer_norm_row(row, weight, bias, self.epsilon))
    }

    fn forward_keeping(&self, inputs: [FlexTensor; 3]) -> (FlexTensor, Vec<FlexTensor>) {
        (self.forward(inputs.clone()), inputs[..2].to_vec())
    }

    fn backward(&self, kept: Vec<FlexTensor>, gradient: FlexTensor, _wanted: [bool; 3]) -> [Option<FlexTensor>; 3] {
        let width = values(&kept[1]).len();
        let (x, sums) = gradient_of(&kept, gradient, &Statistics { epsilon: self.epsilon, centred: true });
        let (weight, bias) = sums.split_at(width);
        let shape = kept[1].shape();
        [Some(x), Some(tensor(weight.to_vec(), shape.clone())), Some(tensor(bias.to_vec(), shape))]
    }
}

#[derive(Clone, Debug)]
struct RmsNorm {
    epsilon: f32,
}

impl HostOp<2> for RmsNorm {
    fn forward(&self, [x, weight]: [FlexTensor; 2]) -> FlexTensor {
        let weight = in_order(weight);
        let weight = values(&weight);
        edited(x, weight.len(), |_, row| rms_norm_row(row, weight, self.epsilon))
    }

    fn forward_keeping(&self, inputs: [FlexTensor; 2]) -> (FlexTensor, Vec<FlexTensor>) {
        (self.forward(inputs.clone()), inputs.to_vec())
    }

    fn backward(&self, kept: Vec<FlexTensor>, gradient: FlexTensor, _wanted: [bool; 2]) -> [Option<FlexTensor>; 2] {
        let (x, weight) = gradient_of(&kept, gradient, &Statistics { epsilon: self.epsilon, centred: false });
        [Some(x), Some(tensor(weight, kept[1].shape()))]
    }
}

/// How a row is normalised: `(x - mean) scale`, the mean taken as 0 unless it is centred.
struct Statistics {
    epsilon: f32,
    centred: bool,
}

impl Statistics {
    /// Mean and scale.
    #[inline(always)]
    fn of(&self, row: &[f32]) -> (f32, f32) {
        let count = row.len() as f32;
        let mean = if self.centred { sum(row) / count } else { 0.0 };
        let variance = fold_lanes(row, 0.0, |a, b| a + b, |x| (x - mean) * (x - mean)) / count;
        (mean, 1.0 / (variance + self.epsilon).sqrt())
    }
}

/// The gradient of the input, and the sums over rows of `gradient * normalised` followed by those of `gradient`.
///
/// With `n` the normalised row and `a = gradient * weight` the input's gradient is `scale (a - mean(a) - n mean(a n))`, without the
/// middle term where the row is not centred.
fn gradient_of(kept: &[FlexTensor], gradient: FlexTensor, statistics: &Statistics) -> (FlexTensor, Vec<f32>) {
    let (x, weight) = (values(&kept[0]), values(&kept[1]));
    let width = weight.len();
    let shape = gradient.shape();
    let mut rows = host::into_values(gradient);
    let sums = sum_rows(&mut rows, width, if statistics.centred { 2 * width } else { width }, |index, gradient, sums| {
        let x = &x[index * width..(index + 1) * width];
        let (mean, scale) = statistics.of(x);
        let (of_weight, of_bias) = sums.split_at_mut(width);
        for ((sum, g), x) in of_weight.iter_mut().zip(&*gradient).zip(x) {
            *sum += g * (x - mean) * scale;
        }
        for (sum, g) in of_bias.iter_mut().zip(&*gradient) {
            *sum += g;
        }
        for (g, w) in gradient.iter_mut().zip(weight) {
            *g *= w;
        }
        let count = width as f32;
        let middle = if statistics.centred { sum(gradient) / count } else { 0.0 };
        let along = (dot(gradient, x) - mean * sum(gradient)) * scale / count;
        for (g, x) in gradient.iter_mut().zip(x) {
            *g = scale * (*g - middle - (x - mean) * scale * along);
        }
    });
    (tensor(rows, shape), sums)
}
