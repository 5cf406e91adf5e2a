use burn::module::Module;
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::config::DecoderConfig;
use super::projection::{Projection, ProjectionConfig};
use crate::error::{Error, Result};

/// The nonlinearity of a feed-forward network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Activation {
    /// Gaussian error linear unit with the error function ([Hendrycks and Gimpel 2016](https://arxiv.org/abs/1606.08415)).
    Gelu,
    /// Its form with the hyperbolic tangent: GPT-2, Gemma.
    GeluTanh,
    /// `x sigmoid(x)`: Llama and most others.
    Silu,
    /// `max(x, 0)`.
    Relu,
}

impl Activation {
    /// The function that Hugging Face calls `name`.
    pub(crate) fn named(name: &str) -> Result<Self> {
        match name {
            "gelu" => Ok(Self::Gelu),
            "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Ok(Self::GeluTanh),
            "silu" | "swish" => Ok(Self::Silu),
            "relu" => Ok(Self::Relu),
            other => {
                let supported = "gelu, gelu_new, gelu_pytorch_tanh, silu, relu";
                Err(Error::Unsupported { what: "activation", found: other.to_owned(), supported })
            }
        }
    }

    /// The function, on every value.
    pub fn forward<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        jarre_kernels::activate(x, self.into())
    }
}

impl From<Activation> for jarre_kernels::Activation {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Gelu => Self::Gelu,
            Activation::GeluTanh => Self::GeluTanh,
            Activation::Silu => Self::Silu,
            Activation::Relu => Self::Relu,
        }
    }
}

/// The network between attentions: `down(act(up(x)))`, or with a gate `down(act(gate(x)) up(x))`
/// ([Shazeer 2020](https://arxiv.org/abs/2002.05202): SwiGLU with SiLU, GeGLU with GELU).
#[derive(Module, Debug)]
pub struct FeedForward {
    pub(crate) gate: Option<Projection>,
    pub(crate) up: Projection,
    pub(crate) down: Projection,
    #[module(skip)]
    activation: Activation,
}

impl FeedForward {
    /// Weights of `output_std` in the layer that writes into the residual stream.
    pub(crate) fn init(config: &DecoderConfig, output_std: f64, device: &Device) -> Self {
        let (d, hidden) = (config.d_model, config.d_ff);
        let inner = ProjectionConfig { d_input: d, d_output: hidden, bias: config.mlp_bias, initializer: config.initializer() };
        let outer = ProjectionConfig { d_input: hidden, d_output: d, ..inner.clone() };
        Self {
            gate: config.gated.then(|| inner.init(device)),
            up: inner.init(device),
            down: ProjectionConfig { initializer: Initializer::Normal { mean: 0.0, std: output_std }, ..outer }.init(device),
            activation: config.activation,
        }
    }

    /// The nonlinearity.
    pub(crate) fn activation(&self) -> Activation {
        self.activation
    }

    /// # Shapes
    /// - input: `[batch, seq, d_model]`
    /// - output: `[batch, seq, d_model]`
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let hidden = match &self.gate {
            Some(gate) => jarre_kernels::gated(gate.forward(x.clone()), self.up.forward(x), self.activation.into()),
            None => self.activation.forward(self.up.forward(x)),
        };
        self.down.forward(hidden)
    }
}
