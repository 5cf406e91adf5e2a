use burn::config::Config;
use burn::nn::Initializer;
use serde::{Deserialize, Serialize};

use super::feed_forward::Activation;
use super::norm::NormKind;
use crate::position::{Positions, RopeConfig};

/// Describes a decoder: one description for GPT-2, Llama, Mistral, Qwen, SmolLM, Phi-3, Gemma 2 and whatever is put together from the
/// same parts. [`DecoderConfig::init`](Self::init) makes a model with random weights; [`CausalModel`](crate::CausalModel) loads one.
///
/// ```
/// use jarre_transformer::{DecoderConfig, Device, Sequences};
///
/// let device = Device::default();
/// let model = DecoderConfig::new(100, 32, 4, 2, 64).with_n_kv_heads(Some(2)).init(&device);
/// let tokens = Sequences::right_padded(&[&[2, 7, 9, 3], &[2, 3]], 0);
/// assert_eq!(model.forward(&tokens).dims(), [2, 4, 100]);
/// ```
#[derive(Config, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a part that a family has or has not")]
pub struct DecoderConfig {
    /// Number of tokens in the vocabulary.
    pub vocab_size: usize,
    /// Width of the hidden state.
    pub d_model: usize,
    /// Query heads of a layer.
    pub n_heads: usize,
    /// Number of layers.
    pub n_layers: usize,
    /// Width of the feed-forward network.
    pub d_ff: usize,
    /// Key and value heads: as many as query heads where it is not given, fewer in grouped-query attention
    /// ([Ainslie et al. 2023](https://arxiv.org/abs/2305.13245)), one in multi-query attention ([Shazeer 2019](https://arxiv.org/abs/1911.02150)).
    pub n_kv_heads: Option<usize>,
    /// Width of a head: `d_model / n_heads` where it is not given.
    pub head_dim: Option<usize>,
    /// Tokens that the model was made for; the rows of a learned position table.
    #[config(default = 2048)]
    pub max_positions: usize,
    /// How the model knows the order of tokens.
    #[config(default = "Positions::Rope(RopeConfig::new(10_000.0))")]
    pub positions: Positions,
    /// Which normalisation.
    #[config(default = "NormKind::RmsNorm")]
    pub norm: NormKind,
    /// Added to the variance or mean square.
    #[config(default = 1e-5)]
    pub norm_eps: f64,
    /// Where normalisation stands in a layer.
    #[config(default = "NormPlacement::Pre")]
    pub norm_placement: NormPlacement,
    /// The nonlinearity of the feed-forward network.
    #[config(default = "Activation::Silu")]
    pub activation: Activation,
    /// Whether the feed-forward network has a gate.
    #[config(default = true)]
    pub gated: bool,
    /// Whether query, key and value have a bias.
    #[config(default = false)]
    pub qkv_bias: bool,
    /// Whether the projection after attention has a bias.
    #[config(default = false)]
    pub output_bias: bool,
    /// Whether the feed-forward network has biases.
    #[config(default = false)]
    pub mlp_bias: bool,
    /// Whether queries and keys are normalised in each head, before they are rotated.
    #[config(default = false)]
    pub qk_norm: bool,
    /// Scores become `c tanh(score / c)`.
    pub attention_softcap: Option<f64>,
    /// Logits become `c tanh(logit / c)`.
    pub logit_softcap: Option<f64>,
    /// What scores are multiplied by: `1 / sqrt(head_dim)` where it is not given.
    pub attention_scale: Option<f64>,
    /// Keys that a query sees in sliding layers, itself counted.
    pub sliding_window: Option<usize>,
    /// Which layers slide.
    #[config(default = "SlidingLayers::All")]
    pub sliding_layers: SlidingLayers,
    /// What token embeddings are multiplied by.
    pub embedding_scale: Option<f64>,
    /// Whether the head is the embedding table.
    #[config(default = true)]
    pub tied: bool,
    /// Share of values that are dropped after embedding, attention and feed-forward network while gradients are computed.
    #[config(default = 0.0)]
    pub dropout: f64,
    /// Standard deviation of random weights; those that write into the residual stream get `1 / sqrt(2 n_layers)` of it, as in GPT-2.
    #[config(default = 0.02)]
    pub init_std: f64,
}

/// Where normalisation stands in a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormPlacement {
    /// Before attention and feed-forward network, and once at the end of the model.
    Pre,
    /// After the residual sum, as in the original transformer; none at the end.
    Post,
    /// Before and after attention and feed-forward network, inside the residual, and once at the end: Gemma 2.
    Sandwich,
}

/// Which layers see only a window of keys, where there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlidingLayers {
    /// Every layer.
    All,
    /// These layers.
    Listed(Vec<bool>),
}

impl DecoderConfig {
    /// Key and value heads.
    pub fn kv_heads(&self) -> usize {
        self.n_kv_heads.unwrap_or(self.n_heads)
    }

    /// Width of a head.
    pub fn head_width(&self) -> usize {
        self.head_dim.unwrap_or(self.d_model / self.n_heads.max(1))
    }

    /// The window of a layer, where it has one.
    pub fn window(&self, layer: usize) -> Option<usize> {
        let slides = match &self.sliding_layers {
            SlidingLayers::All => true,
            SlidingLayers::Listed(layers) => layers.get(layer).copied().unwrap_or(false),
        };
        self.sliding_window.filter(|_| slides)
    }

    /// Parameters of the model, embeddings included.
    pub fn num_params(&self) -> usize {
        let (d, head, ff) = (self.d_model, self.head_width(), self.d_ff);
        let (queries, keys) = (self.n_heads * head, self.kv_heads() * head);
        let biased = |on: bool, count: usize| if on { count } else { 0 };
        let attention = 2 * d * queries + 2 * d * keys + biased(self.qkv_bias, queries + 2 * keys) + biased(self.output_bias, d);
        let wide = if self.gated { 2 } else { 1 };
        let mlp = (wide + 1) * d * ff + biased(self.mlp_bias, wide * ff + d);
        let norm = if self.norm == NormKind::LayerNorm { 2 * d } else { d };
        let (norms, last) = match self.norm_placement {
            NormPlacement::Pre => (2, norm),
            NormPlacement::Post => (2, 0),
            NormPlacement::Sandwich => (4, norm),
        };
        let layer = attention + mlp + norms * norm + biased(self.qk_norm, 2 * head);
        let table = if self.positions == Positions::Learned { self.max_positions * d } else { 0 };
        self.vocab_size * d * if self.tied { 1 } else { 2 } + table + self.n_layers * layer + last
    }

    /// Why no model can be made of this description, if so.
    pub(crate) fn complaint(&self) -> Option<String> {
        let (heads, kv_heads, width) = (self.n_heads, self.kv_heads(), self.head_width());
        let sizes = [self.vocab_size, self.d_model, heads, self.d_ff, kv_heads, width, self.max_positions];
        if sizes.contains(&0) || sizes.iter().any(|&size| size > MAX_SIZE) || self.n_layers > MAX_LAYERS {
            return Some(format!("its sizes make no decoder: {sizes:?}, {} layers", self.n_layers));
        }
        if !heads.is_multiple_of(kv_heads) {
            return Some(format!("{kv_heads} key heads do not divide {heads} query heads"));
        }
        if let Positions::Rope(rope) = &self.positions {
            let dim = rope.dim.unwrap_or(width);
            if dim % 2 == 1 || dim > width || dim == 0 {
                return Some(format!("{dim} of {width} dimensions of a head cannot be rotated"));
            }
        }
        (self.sliding_window == Some(0)).then(|| "its sliding window has no room for a token".to_owned())
    }

    pub(crate) fn initializer(&self) -> Initializer {
        Initializer::Normal { mean: 0.0, std: self.init_std }
    }

    /// The standard deviation of weights that write into the residual stream.
    pub(crate) fn residual_std(&self) -> f64 {
        self.init_std / (2.0 * self.n_layers.max(1) as f64).sqrt()
    }
}

/// Sizes beyond it are taken for a broken file.
const MAX_SIZE: usize = 1 << 28;

/// Layers that a configuration may ask for; beyond it the file is taken for broken.
const MAX_LAYERS: usize = 1024;
