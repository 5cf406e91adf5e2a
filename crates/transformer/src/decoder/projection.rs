use burn::module::{Module, Param};
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use jarre_kernels::{Precision, WeightLayout, linear};

use crate::lora::LoraPair;

/// A linear layer with weights `[d_input, d_output]` that an adapter can be added to.
#[derive(Module, Debug)]
pub struct Projection {
    pub(crate) linear: Linear,
    pub(crate) lora: Option<LoraPair>,
    #[module(skip)]
    pub(crate) precision: Precision,
}

/// How a [`Projection`] starts.
#[derive(Clone, Debug)]
pub(crate) struct ProjectionConfig {
    pub(crate) d_input: usize,
    pub(crate) d_output: usize,
    pub(crate) bias: bool,
    pub(crate) initializer: Initializer,
}

impl ProjectionConfig {
    pub(crate) fn init(&self, device: &Device) -> Projection {
        let mut linear =
            LinearConfig::new(self.d_input, self.d_output).with_bias(self.bias).with_initializer(self.initializer.clone()).init(device);
        linear.bias = linear.bias.map(|_| Initializer::Zeros.init([self.d_output], device));
        Projection { linear, lora: None, precision: Precision::F32 }
    }
}

impl Projection {
    /// `W x + b`, and `s B A x` beside it where an adapter is attached.
    ///
    /// # Shapes
    /// - input: `[..., d_input]`
    /// - output: `[..., d_output]`
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        match &self.lora {
            Some(lora) if !lora.merged => self.product(x.clone()) + lora.forward(x),
            _ => self.product(x),
        }
    }

    fn product<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let bias = self.linear.bias.as_ref().map(Param::val);
        linear(x, self.linear.weight.val(), bias, WeightLayout::InputFirst, self.precision)
    }

    /// Values in and out.
    pub(crate) fn dims(&self) -> [usize; 2] {
        self.linear.weight.lazy_shape().dims()
    }
}
