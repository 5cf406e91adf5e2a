use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::{Device, Tensor};

use super::config::{DecoderConfig, NormPlacement};
use super::feed_forward::FeedForward;
use super::norm::Norm;
use super::projection::Projection;
use crate::attention::{CacheSlot, Placement};
use crate::attention::{MultiHeadAttention, MultiHeadAttentionConfig};

/// The paths of the modules that [`DecoderLayer::projections`] gives, in its order.
pub(super) const PROJECTIONS: [&str; 7] = [
    "attention.query",
    "attention.key",
    "attention.value",
    "attention.output",
    "feed_forward.up",
    "feed_forward.down",
    "feed_forward.gate",
];

/// One layer: attention and a feed-forward network, each added to what came in.
#[derive(Module, Debug)]
pub(crate) struct DecoderLayer {
    pub(crate) attention: MultiHeadAttention,
    pub(crate) feed_forward: FeedForward,
    /// Before attention, or after its sum in post-norm models.
    pub(crate) attention_norm: Norm,
    /// Before the feed-forward network, or after its sum.
    pub(crate) feed_forward_norm: Norm,
    /// After attention, before its sum: sandwich only.
    pub(crate) attention_out_norm: Option<Norm>,
    /// After the feed-forward network, before its sum: sandwich only.
    pub(crate) feed_forward_out_norm: Option<Norm>,
    dropout: Dropout,
    #[module(skip)]
    placement: NormPlacement,
}

impl DecoderLayer {
    pub(crate) fn init(config: &DecoderConfig, device: &Device) -> Self {
        let norm = || config.norm.init(config.d_model, config.norm_eps, device);
        let sandwich = config.norm_placement == NormPlacement::Sandwich;
        Self {
            attention: attention(config).init(device),
            feed_forward: FeedForward::init(config, config.residual_std(), device),
            attention_norm: norm(),
            feed_forward_norm: norm(),
            attention_out_norm: sandwich.then(norm),
            feed_forward_out_norm: sandwich.then(norm),
            dropout: DropoutConfig::new(config.dropout).init(),
            placement: config.norm_placement,
        }
    }

    /// Its linear layers.
    pub(crate) fn projections(&mut self) -> impl Iterator<Item = &mut Projection> {
        let Self { attention, feed_forward, .. } = self;
        let own = [&mut attention.query, &mut attention.key, &mut attention.value, &mut attention.output];
        own.into_iter().chain([&mut feed_forward.up, &mut feed_forward.down]).chain(&mut feed_forward.gate)
    }

    /// The same, to look at.
    pub(crate) fn projections_ref(&self) -> impl Iterator<Item = &Projection> {
        let Self { attention, feed_forward, .. } = self;
        let own = [&attention.query, &attention.key, &attention.value, &attention.output];
        own.into_iter().chain([&feed_forward.up, &feed_forward.down]).chain(&feed_forward.gate)
    }

    /// `[batch, seq, d_model]` to the same, and the attention weights where they were asked for.
    pub(crate) fn forward(&self, x: Tensor<3>, placement: &Placement, cache: Option<CacheSlot<'_>>) -> (Tensor<3>, Option<Tensor<4>>) {
        if self.placement == NormPlacement::Post {
            let attended = self.attention.attend(x.clone(), x.clone(), placement, cache);
            let x = self.attention_norm.forward(x + self.dropout.forward(attended.output));
            let fed = self.feed_forward.forward(x.clone());
            return (self.feed_forward_norm.forward(x + self.dropout.forward(fed)), attended.weights);
        }
        let normed = self.attention_norm.forward(x.clone());
        let attended = self.attention.attend(normed.clone(), normed, placement, cache);
        let x = x + self.dropout.forward(out_normed(self.attention_out_norm.as_ref(), attended.output));
        let fed = self.feed_forward.forward(self.feed_forward_norm.forward(x.clone()));
        (x + self.dropout.forward(out_normed(self.feed_forward_out_norm.as_ref(), fed)), attended.weights)
    }
}

fn attention(config: &DecoderConfig) -> MultiHeadAttentionConfig {
    MultiHeadAttentionConfig::new(config.d_model, config.n_heads)
        .with_n_kv_heads(config.n_kv_heads)
        .with_head_dim(config.head_dim)
        .with_qkv_bias(config.qkv_bias)
        .with_output_bias(config.output_bias)
        .with_qk_norm_eps(config.qk_norm.then_some(config.norm_eps))
        .with_scale(config.attention_scale)
        .with_softcap(config.attention_softcap)
        .with_dropout(config.dropout)
        .with_init_std(config.init_std)
        .with_output_std(config.residual_std())
}

fn out_normed(norm: Option<&Norm>, x: Tensor<3>) -> Tensor<3> {
    match norm {
        Some(norm) => norm.forward(x),
        None => x,
    }
}
