//! Linear layers as one product over all rows, whatever shape the rows stand in.

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;

use crate::bf16;
use crate::host::{self, HostOp, in_order, into_values, run, tensor, values};
use crate::matrix::{self, Matrix};
use crate::rows::{edit_rows, sum_rows};

/// How the weights of a linear layer lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightLayout {
    /// `[d_input, d_output]`.
    InputFirst,
    /// `[d_output, d_input]`, as an embedding table that also makes the logits.
    OutputFirst,
}

/// In which numbers a product is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Factors and sums of 32 bits.
    #[default]
    F32,
    /// Factors rounded to bfloat16, sums of 32 bits; so are the products of the way back
    /// ([Micikevicius et al. 2017](https://arxiv.org/abs/1710.03740)). Less than half the time on processors with AMX or AMD's AVX-512 BF16.
    Bf16,
}

impl Precision {
    fn product(self, a: Matrix<'_>, b: Matrix<'_>) -> Vec<f32> {
        match self {
            Self::F32 => matrix::product(a, b),
            Self::Bf16 => bf16::product_bf16(a, b),
        }
    }
}

/// `x W + b`. On devices other than the host it is computed in their own precision.
///
/// # Shapes
/// - x: `[..., d_input]`, weight: as `layout` says, bias: `[d_output]`
/// - output: `[..., d_output]`
///
/// # Panics
/// Where the sizes do not fit each other.
pub fn linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    layout: WeightLayout,
    precision: Precision,
) -> Tensor<D> {
    let mut shape = x.dims();
    let [d_input, d_output] = match (layout, weight.dims()) {
        (WeightLayout::InputFirst, dims) => dims,
        (WeightLayout::OutputFirst, [d_output, d_input]) => [d_input, d_output],
    };
    assert_eq!(shape[D - 1], d_input, "the last dimension of the input is that of the weights");
    let rows = shape.iter().product::<usize>() / d_input.max(1);
    shape[D - 1] = d_output;
    let x = x.reshape([rows, d_input]);
    if host::takes(&x) && host::takes(&weight) {
        let result: Tensor<2> = match bias {
            Some(bias) => run::ternary((x, weight, bias), Linear { layout, precision }),
            None => run::binary(x, weight, Linear { layout, precision }),
        };
        return result.reshape(shape);
    }
    let product = x.matmul(if layout == WeightLayout::InputFirst { weight } else { weight.transpose() });
    match bias {
        Some(bias) => (product + bias.unsqueeze()).reshape(shape),
        None => product.reshape(shape),
    }
}

#[derive(Clone, Debug)]
struct Linear {
    layout: WeightLayout,
    precision: Precision,
}

impl Linear {
    fn product(&self, x: FlexTensor, weight: FlexTensor) -> (Vec<f32>, [usize; 2]) {
        let [x, weight] = [x, weight].map(in_order);
        let right = self.weights(&weight);
        let d_output = weight.shape()[usize::from(self.layout == WeightLayout::InputFirst)];
        let shape = [x.shape()[0], d_output];
        (self.precision.product(Matrix::dense(values(&x), x.shape()[1]), right), shape)
    }

    /// `[d_input, d_output]`.
    fn weights<'a>(&self, weight: &'a FlexTensor) -> Matrix<'a> {
        let matrix = Matrix::dense(values(weight), weight.shape()[1]);
        if self.layout == WeightLayout::InputFirst { matrix } else { matrix.transposed() }
    }

    fn gradients(&self, [x, weight]: [&FlexTensor; 2], gradient: &FlexTensor, wanted: [bool; 2]) -> [Option<FlexTensor>; 2] {
        let (left, right) = (Matrix::dense(values(x), x.shape()[1]), Matrix::dense(values(gradient), gradient.shape()[1]));
        let of_x = || tensor(self.precision.product(right, self.weights(weight).transposed()), x.shape());
        let of_weight = || {
            let values = match self.layout {
                WeightLayout::InputFirst => self.precision.product(left.transposed(), right),
                WeightLayout::OutputFirst => self.precision.product(right.transposed(), left),
            };
            tensor(values, weight.shape())
        };
        [wanted[0].then(of_x), wanted[1].then(of_weight)]
    }
}

impl HostOp<2> for Linear {
    fn forward(&self, [x, weight]: [FlexTensor; 2]) -> FlexTensor {
        let (values, shape) = self.product(x, weight);
        tensor(values, shape.into())
    }

    fn forward_keeping(&self, inputs: [FlexTensor; 2]) -> (FlexTensor, Vec<FlexTensor>) {
        (self.forward(inputs.clone()), inputs.to_vec())
    }

    fn backward(&self, kept: Vec<FlexTensor>, gradient: FlexTensor, wanted: [bool; 2]) -> [Option<FlexTensor>; 2] {
        self.gradients([&kept[0], &kept[1]], &gradient, wanted)
    }
}

impl HostOp<3> for Linear {
    fn forward(&self, [x, weight, bias]: [FlexTensor; 3]) -> FlexTensor {
        let (mut product, shape) = self.product(x, weight);
        let bias = in_order(bias);
        let bias = values(&bias);
        edit_rows(&mut product, bias.len(), |_, row| {
            for (x, b) in row.iter_mut().zip(bias) {
                *x += b;
            }
        });
        tensor(product, shape.into())
    }

    fn forward_keeping(&self, inputs: [FlexTensor; 3]) -> (FlexTensor, Vec<FlexTensor>) {
        (self.forward(inputs.clone()), inputs[..2].to_vec())
    }

    fn backward(&self, kept: Vec<FlexTensor>, gradient: FlexTensor, [x, weight, bias]: [bool; 3]) -> [Option<FlexTensor>; 3] {
        let [of_x, of_weight] = self.gradients([&kept[0], &kept[1]], &gradient, [x, weight]);
        let of_bias = bias.then(|| {
            let width = gradient.shape()[1];
            let mut rows = into_values(gradient);
            let sums = sum_rows(&mut rows, width, width, |_, row, sums| {
                for (sum, g) in sums.iter_mut().zip(row) {
                    *sum += *g;
                }
            });
            tensor(sums, [width].into())
        });
        [of_x, of_weight, of_bias]
    }
}
