//! Linear layers with packed weights, as burn sees them.

mod input;
mod module;
mod part;
#[cfg(test)]
mod tests;
mod weights;

use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::tensor::{Tensor, TensorData};

pub use self::input::LinearInput;
use self::module::Ids;
pub use self::weights::PackedWeights;
use crate::activation::{Activation, activate};
use crate::host::{self, HostOp, in_order, run, tensor, values};

/// In which numbers the inputs of a packed layer are multiplied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inputs {
    /// Each row is rounded to eight bits on the way, with a scale of its own: the integer units multiply (W8A8, W4A8).
    #[default]
    Int8,
    /// As they come: weights are widened (W8A16, W4A16). Slower for many rows, and as exact as the weights are.
    Float,
}

/// A linear layer `x W^T + b` whose weights stay packed: a burn module for inference.
///
/// Its record holds the weights' integers and scales as tensors (`codes`, `scales`, and `zeros` and `bias` where it has them), which are
/// made when they are asked for; in memory there are the packed weights alone. They lie in host memory: on another device, and where a
/// gradient of the input is wanted, they are multiplied out for the call and the inputs are not rounded.
#[derive(Clone, Debug)]
pub struct PackedLinear {
    weights: Arc<PackedWeights>,
    bias: Option<Arc<[f32]>>,
    inputs: Inputs,
    ids: Ids,
}

impl PackedLinear {
    /// A layer without a bias.
    pub fn new(weights: impl Into<PackedWeights>, inputs: Inputs) -> Self {
        Self { weights: Arc::new(weights.into()), bias: None, inputs, ids: module::ids() }
    }

    /// Adds a bias `[outputs]`.
    ///
    /// # Panics
    /// Where it has not one value for each output.
    pub fn with_bias(mut self, bias: Option<Vec<f32>>) -> Self {
        if let Some(bias) = &bias {
            assert_eq!(bias.len(), self.weights.shape()[0], "values of the bias and outputs");
        }
        self.bias = bias.map(Into::into);
        self
    }

    /// The weights.
    pub fn weights(&self) -> &PackedWeights {
        &self.weights
    }

    /// The bias, `[outputs]`.
    pub fn bias(&self) -> Option<&[f32]> {
        self.bias.as_deref()
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        self.weights.bytes() + self.bias().map_or(0, size_of_val)
    }

    /// `[inputs, outputs]`.
    pub fn dims(&self) -> [usize; 2] {
        let [outputs, inputs] = self.weights.shape();
        [inputs, outputs]
    }

    /// `x W^T + b`.
    ///
    /// # Shapes
    /// - x: `[..., inputs]`
    /// - output: `[..., outputs]`
    ///
    /// # Panics
    /// Where the last dimension of `x` is not that of the weights.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        self.run(x, None)
    }

    /// `act(x W^T + b)`, as [`forward`](Self::forward) and [`activate`](crate::activate) in one pass.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn forward_activated<const D: usize>(&self, x: Tensor<D>, activation: Activation) -> Tensor<D> {
        self.run(x, Some(activation))
    }

    fn run<const D: usize>(&self, x: Tensor<D>, activation: Option<Activation>) -> Tensor<D> {
        let [outputs, inputs] = self.weights.shape();
        let mut shape = x.dims();
        assert_eq!(shape[D - 1], inputs, "values of a row and inputs of the weights");
        let rows = shape.iter().product::<usize>().checked_div(inputs).unwrap_or_else(|| shape[..D - 1].iter().product());
        shape[D - 1] = outputs;
        let x: Tensor<2> = x.reshape([rows, inputs]);
        if host::takes(&x) && !x.device().is_autodiff() {
            let product: Tensor<2> = run::unary(x, Product { layer: self.clone(), activation });
            return product.reshape(shape);
        }
        let product = self.multiplied_out(x).reshape(shape);
        activation.map_or(product.clone(), |activation| activate(product, activation))
    }

    /// The product in the arithmetic of the input's device.
    fn multiplied_out(&self, x: Tensor<2>) -> Tensor<2> {
        let device = x.device();
        let product =
            x.matmul(Tensor::<2>::from_data(TensorData::new(self.weights.dequantize(), self.weights.shape()), &device).transpose());
        match &self.bias {
            Some(bias) => product + Tensor::<1>::from_data(&**bias, &device).unsqueeze(),
            None => product,
        }
    }
}

#[derive(Clone, Debug)]
struct Product {
    layer: PackedLinear,
    activation: Option<Activation>,
}

impl HostOp<1> for Product {
    fn forward(&self, [x]: [FlexTensor; 1]) -> FlexTensor {
        let x = in_order(x);
        let shape = [x.shape()[0], self.layer.weights.shape()[0]];
        let mut out = vec![0.0; shape[0] * shape[1]];
        let mut epilogue = self.layer.epilogue();
        if let Some(activation) = self.activation {
            epilogue = epilogue.with_activation(activation);
        }
        self.layer.weights.matmul(self.layer.inputs, values(&x), &mut out, &epilogue);
        tensor(out, shape.into())
    }

    fn forward_keeping(&self, inputs: [FlexTensor; 1]) -> (FlexTensor, Vec<FlexTensor>) {
        (self.forward(inputs), Vec::new())
    }

    fn backward(&self, _kept: Vec<FlexTensor>, _gradient: FlexTensor, _wanted: [bool; 1]) -> [Option<FlexTensor>; 1] {
        unreachable!("inputs with a gradient take the other way")
    }
}
