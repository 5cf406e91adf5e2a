use burn::module::{Module, Param};
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use jarre_kernels::{PackedLinear, Precision, WeightLayout, linear};

use crate::lora::LoraPair;
use crate::quantize::Observer;

/// A linear layer with weights `[d_input, d_output]` that an adapter can be added to, and that can be packed.
#[derive(Module, Debug)]
pub struct Projection {
    /// Nothing once the layer is packed.
    pub(crate) linear: Option<Linear>,
    pub(crate) packed: Option<PackedLinear>,
    pub(crate) lora: Option<LoraPair>,
    #[module(skip)]
    pub(crate) precision: Precision,
    /// Sees every input, while a model is calibrated.
    #[module(skip)]
    pub(crate) observer: Option<Observer>,
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
        Projection { linear: Some(linear), packed: None, lora: None, precision: Precision::F32, observer: None }
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

    /// A layer that is nothing but packed weights.
    pub(crate) fn packed(packed: PackedLinear) -> Self {
        Self { linear: None, packed: Some(packed), lora: None, precision: Precision::F32, observer: None }
    }

    fn product<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        if let Some(observer) = &self.observer {
            observer.see(x.clone());
        }
        match (&self.linear, &self.packed) {
            (Some(float), _) => {
                let bias = float.bias.as_ref().map(Param::val);
                linear(x, float.weight.val(), bias, WeightLayout::InputFirst, self.precision)
            }
            (None, Some(packed)) => packed.forward(x),
            (None, None) => unreachable!("a layer has weights, packed or not"),
        }
    }

    /// A layer of other sizes that is like it, before it has weights.
    pub(crate) fn resized(&self, [d_input, d_output]: [usize; 2], device: &Device) -> Self {
        let bias = self.linear.as_ref().is_some_and(|linear| linear.bias.is_some());
        let config = ProjectionConfig { d_input, d_output, bias, initializer: Initializer::Zeros };
        Self { precision: self.precision, ..config.init(device) }
    }

    /// Values in and out.
    pub(crate) fn dims(&self) -> [usize; 2] {
        match (&self.linear, &self.packed) {
            (Some(linear), _) => linear.weight.lazy_shape().dims(),
            (None, Some(packed)) => packed.dims(),
            (None, None) => unreachable!("a layer has weights, packed or not"),
        }
    }
}
