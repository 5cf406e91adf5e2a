use burn::config::Config;
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Initializer};
use burn::tensor::{Device, Tensor};
use jarre_kernels::{AttentionMask, ScoreSettings, attention, attention_scores, attention_weights, mix_values};

use super::bias::AttentionBias;
use super::cache::LayerCache;
use crate::decoder::{Norm, NormKind, Projection, ProjectionConfig};
use crate::position::Rotation;

/// Configuration of [`MultiHeadAttention`].
#[derive(Config, Debug)]
pub struct MultiHeadAttentionConfig {
    /// Width of the hidden state.
    pub d_model: usize,
    /// Query heads.
    pub n_heads: usize,
    /// Key and value heads; divides `n_heads`. As many as query heads where it is not given.
    pub n_kv_heads: Option<usize>,
    /// Width of a head: `d_model / n_heads` where it is not given.
    pub head_dim: Option<usize>,
    /// Whether query, key and value have a bias.
    #[config(default = false)]
    pub qkv_bias: bool,
    /// Whether the output projection has one.
    #[config(default = false)]
    pub output_bias: bool,
    /// Epsilon of the normalisation of queries and keys in each head, where there is one.
    pub qk_norm_eps: Option<f64>,
    /// What scores are multiplied by: `1 / sqrt(head_dim)` where it is not given.
    pub scale: Option<f64>,
    /// Scores become `c tanh(score / c)`.
    pub softcap: Option<f64>,
    /// Share of attention weights that are dropped while gradients are computed.
    #[config(default = 0.0)]
    pub dropout: f64,
    /// Standard deviation of random weights of query, key and value.
    #[config(default = 0.02)]
    pub init_std: f64,
    /// The same of the output projection.
    #[config(default = 0.02)]
    pub output_std: f64,
}

impl MultiHeadAttentionConfig {
    /// A layer with random weights.
    ///
    /// # Panics
    /// Where `n_kv_heads` does not divide `n_heads`.
    pub fn init(&self, device: &Device) -> MultiHeadAttention {
        let n_kv_heads = self.n_kv_heads.unwrap_or(self.n_heads);
        assert!(n_kv_heads > 0 && self.n_heads.is_multiple_of(n_kv_heads), "n_kv_heads must divide n_heads");
        let width = self.head_dim.unwrap_or(self.d_model / self.n_heads);
        let project = |d_input, d_output, bias, std| {
            ProjectionConfig { d_input, d_output, bias, initializer: Initializer::Normal { mean: 0.0, std } }.init(device)
        };
        let norm = || self.qk_norm_eps.map(|epsilon| NormKind::RmsNorm.init(width, epsilon, device));
        MultiHeadAttention {
            query: project(self.d_model, self.n_heads * width, self.qkv_bias, self.init_std),
            key: project(self.d_model, n_kv_heads * width, self.qkv_bias, self.init_std),
            value: project(self.d_model, n_kv_heads * width, self.qkv_bias, self.init_std),
            output: project(self.n_heads * width, self.d_model, self.output_bias, self.output_std),
            query_norm: norm(),
            key_norm: norm(),
            dropout: DropoutConfig::new(self.dropout).init(),
            n_heads: self.n_heads,
            n_kv_heads,
            scale: self.scale.unwrap_or_else(|| (width as f64).sqrt().recip()),
            softcap: self.softcap.unwrap_or(0.0),
        }
    }
}

/// Attention of `n_heads` queries over `n_kv_heads` keys and values: multi-head ([Vaswani et al. 2017](https://arxiv.org/abs/1706.03762)),
/// grouped-query or multi-query; to the sequence itself or to another one.
#[derive(Module, Debug)]
pub struct MultiHeadAttention {
    pub(crate) query: Projection,
    pub(crate) key: Projection,
    pub(crate) value: Projection,
    pub(crate) output: Projection,
    pub(crate) query_norm: Option<Norm>,
    pub(crate) key_norm: Option<Norm>,
    dropout: Dropout,
    n_heads: usize,
    n_kv_heads: usize,
    scale: f64,
    /// 0 where scores are not capped.
    softcap: f64,
}

/// What attention gives back.
#[derive(Clone, Debug)]
pub struct Attended {
    /// `[batch, queries, d_model]`.
    pub output: Tensor<3>,
    /// `[batch, n_heads, queries, keys]`, each row summing to 1; where they were asked for.
    pub weights: Option<Tensor<4>>,
}

/// How the tokens of a batch are placed, the same for every layer of its kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Placement {
    pub(crate) rotation: Option<Rotation>,
    pub(crate) bias: Option<AttentionBias>,
    pub(crate) keep_weights: bool,
}

/// A layer's cache and how many tokens of each sequence are in it and come to it.
pub(crate) struct CacheSlot<'a> {
    pub(crate) layer: &'a mut LayerCache,
    pub(crate) past: &'a [usize],
    pub(crate) added: &'a [usize],
}

impl MultiHeadAttention {
    /// Attention of `x` to `keys` (to itself: the same tensor twice), with what `bias` adds to the scores.
    ///
    /// # Shapes
    /// - x: `[batch, queries, d_model]`, keys: `[batch, keys, d_model]`
    /// - output: `[batch, queries, d_model]`, weights `[batch, n_heads, queries, keys]`
    pub fn forward(&self, x: Tensor<3>, keys: Tensor<3>, bias: Option<&AttentionBias>) -> Attended {
        let placement = Placement { bias: bias.cloned(), keep_weights: true, ..Placement::default() };
        self.attend(x, keys, &placement, None)
    }

    /// What scores are multiplied by.
    pub(crate) fn scale(&self) -> f64 {
        self.scale
    }

    /// What scores are capped at, 0 where they are not.
    pub(crate) fn softcap(&self) -> f64 {
        self.softcap
    }

    /// As [`forward`](Self::forward), rotated and cached as a decoder needs it.
    pub(crate) fn attend(&self, x: Tensor<3>, source: Tensor<3>, placement: &Placement, cache: Option<CacheSlot<'_>>) -> Attended {
        let query = self.queries(x);
        let [key, value] = self.keys_and_values(source);
        let [query, key] = match &placement.rotation {
            Some(rotation) => [query, key].map(|x| rotation.apply(x)),
            None => [query, key],
        };
        let [key, value] = match cache {
            Some(slot) => slot.layer.append(key, value, slot.past, slot.added),
            None => [key, value],
        };
        self.mix(query, key, value, placement)
    }

    /// Attention of `x` to what [`keys_and_values`](Self::keys_and_values) made of a sequence, which may be one for the whole batch.
    pub(crate) fn attend_to(&self, x: Tensor<3>, [key, value]: [Tensor<4>; 2], placement: &Placement) -> Attended {
        self.mix(self.queries(x), key, value, placement)
    }

    /// Keys and values of a sequence `[batch, keys, d_model]`, not rotated: `[batch, n_kv_heads, keys, head_dim]` each.
    pub(crate) fn keys_and_values(&self, source: Tensor<3>) -> [Tensor<4>; 2] {
        let key = normed(self.key_norm.as_ref(), heads_of(&self.key, source.clone(), self.n_kv_heads));
        [key, heads_of(&self.value, source, self.n_kv_heads)]
    }

    /// `[batch, n_heads, queries, head_dim]`, not rotated.
    fn queries(&self, x: Tensor<3>) -> Tensor<4> {
        normed(self.query_norm.as_ref(), heads_of(&self.query, x, self.n_heads))
    }

    /// Softmax over keys, and the values by these weights.
    fn mix(&self, query: Tensor<4>, key: Tensor<4>, value: Tensor<4>, placement: &Placement) -> Attended {
        let [batch, heads, queries, width] = query.dims();
        let [query, key, value] = [query, key, value].map(|x| x.swap_dims(1, 2));
        let settings = ScoreSettings { scale: self.scale, softcap: self.softcap };
        let dropping = self.dropout.prob > 0.0 && query.device().is_autodiff();
        let (mixed, weights) = if placement.keep_weights || dropping {
            let bias = placement.bias.as_ref().map(AttentionBias::values);
            let weights = attention_weights(attention_scores(query, key), bias, settings);
            let kept = placement.keep_weights.then(|| weights.clone());
            (mix_values(self.dropout.forward(weights), value), kept)
        } else {
            let mask = placement.bias.as_ref().map_or(&AttentionMask::All, AttentionBias::mask);
            (attention([query, key, value], mask, settings), None)
        };
        Attended { output: self.output.forward(mixed.reshape([batch, queries, heads * width])), weights }
    }
}

fn normed(norm: Option<&Norm>, x: Tensor<4>) -> Tensor<4> {
    match norm {
        Some(norm) => norm.forward(x),
        None => x,
    }
}

/// `[batch, seq, d_model]` to `[batch, heads, seq, head_dim]`.
fn heads_of(projection: &Projection, x: Tensor<3>, heads: usize) -> Tensor<4> {
    let [batch, seq, _] = x.dims();
    let width = projection.dims()[1] / heads;
    projection.forward(x).reshape([batch, seq, heads, width]).swap_dims(1, 2)
}
