use burn::config::Config;
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use jarre_kernels::self_attention;

use super::packed::{PackedLayer, product};

/// Configuration of [`SelfAttention`].
#[derive(Config, Debug)]
pub struct SelfAttentionConfig {
    /// Width of the hidden state.
    pub d_model: usize,
    /// Number of heads; divides `d_model`.
    pub n_heads: usize,
}

impl SelfAttentionConfig {
    /// A layer with random weights.
    ///
    /// # Panics
    /// Where `n_heads` does not divide `d_model`.
    pub fn init(&self, device: &Device) -> SelfAttention {
        assert!(self.n_heads > 0 && self.d_model.is_multiple_of(self.n_heads), "n_heads must divide d_model");
        SelfAttention {
            qkv: LinearConfig::new(self.d_model, 3 * self.d_model).init(device),
            output: LinearConfig::new(self.d_model, self.d_model).init(device),
            n_heads: self.n_heads,
        }
    }
}

/// Bidirectional multi-head self-attention ([Vaswani et al. 2017](https://arxiv.org/abs/1706.03762)): `softmax(Q K^T / sqrt(d_head)) V`.
///
/// Query, key and value come from one product. The division by `sqrt(d_head)` is part of the query weights already, see
/// `query_scale`.
#[derive(Module, Debug)]
pub struct SelfAttention {
    /// `[d_model, 3 * d_model]`: query (scaled), key and value side by side.
    pub(crate) qkv: Linear,
    /// `[d_model, d_model]`; its bias is added by the caller, who adds the residual in the same pass.
    pub(crate) output: Linear,
    n_heads: usize,
}

impl SelfAttention {
    /// Heads and their width.
    pub(crate) fn heads(&self) -> [usize; 2] {
        [self.n_heads, self.output.weight.dims()[0] / self.n_heads]
    }

    /// What query weights and bias are multiplied by when they are loaded: `1 / sqrt(d_head)`.
    pub(crate) fn query_scale(d_model: usize, n_heads: usize) -> f32 {
        ((d_model / n_heads) as f32).sqrt().recip()
    }

    /// Attends within each sequence: of sequence `i` the first `lengths[i]` tokens; keys in the padding get no weight. The bias of the output
    /// projection is not added.
    ///
    /// # Shapes
    /// - input: `[batch * seq, d_model]`
    /// - output: `[batch * seq, d_model]`
    pub(crate) fn forward(&self, x: Tensor<2>, lengths: &[usize], packed: Option<&PackedLayer>) -> Tensor<2> {
        let qkv = match packed {
            Some(packed) => packed.qkv.forward(x),
            None => self.qkv.forward(x),
        };
        let context = self_attention(qkv, self.n_heads, lengths);
        product(context, &self.output, packed.map(|packed| &packed.output))
    }
}
