use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use jarre_kernels::{RowNorm, host_values, layer_norm, rms_norm};
use serde::{Deserialize, Serialize};

/// Which normalisation a layer uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormKind {
    /// Mean and variance, with a shift ([Ba et al. 2016](https://arxiv.org/abs/1607.06450)).
    LayerNorm,
    /// Root mean square, without a shift ([Zhang and Sennrich 2019](https://arxiv.org/abs/1910.07467)).
    RmsNorm,
}

/// Layer normalisation or root-mean-square normalisation over the last dimension.
#[derive(Module, Debug)]
pub struct Norm {
    /// Scale, `[d]`.
    pub(crate) weight: Param<Tensor<1>>,
    /// Shift, `[d]`, in layer normalisation.
    pub(crate) bias: Option<Param<Tensor<1>>>,
    epsilon: f64,
}

impl NormKind {
    /// A normalisation of `d` values with scale 1.
    pub(crate) fn init(self, d: usize, epsilon: f64, device: &Device) -> Norm {
        let bias = (self == Self::LayerNorm).then(|| Param::from_tensor(Tensor::zeros([d], device)));
        Norm { weight: Param::from_tensor(Tensor::ones([d], device)), bias, epsilon }
    }
}

impl Norm {
    /// The same over rows in host memory.
    pub(crate) fn rows(&self) -> RowNorm {
        let bias = self.bias.as_ref().map(|bias| host_values(bias.val()));
        RowNorm::new(host_values(self.weight.val()), bias, self.epsilon as f32)
    }

    /// Normalises over the last dimension.
    ///
    /// # Shapes
    /// - input: `[..., d]`
    /// - output: `[..., d]`
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        match &self.bias {
            Some(bias) => layer_norm(x, self.weight.val(), bias.val(), self.epsilon),
            None => rms_norm(x, self.weight.val(), self.epsilon),
        }
    }
}
