use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::{Device, Tensor};

use super::config::{Seq2SeqConfig, StackShape};
use crate::attention::{CacheSlot, MultiHeadAttention, MultiHeadAttentionConfig, Placement};
use crate::decoder::{DecoderConfig, FeedForward, Norm, NormKind, NormPlacement};

/// One layer of either side: attention to the own sequence, in the decoder attention to the encoder, and a feed-forward network, each
/// added to what came in.
#[derive(Module, Debug)]
pub(crate) struct Seq2SeqLayer {
    pub(crate) attention: MultiHeadAttention,
    pub(crate) attention_norm: Norm,
    pub(crate) cross: Option<CrossAttention>,
    pub(crate) feed_forward: FeedForward,
    pub(crate) feed_forward_norm: Norm,
    dropout: Dropout,
    #[module(skip)]
    placement: NormPlacement,
}

/// What a layer of the decoder reads the encoder with.
#[derive(Module, Debug)]
pub(crate) struct CrossAttention {
    pub(crate) attention: MultiHeadAttention,
    pub(crate) norm: Norm,
}

/// The encoder as a layer of the decoder reads it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LayerMemory<'a> {
    /// Keys and values, `[batch or 1, n_heads, source, head_dim]` each.
    pub(crate) keys_and_values: &'a [Tensor<4>; 2],
    pub(crate) placement: &'a Placement,
}

/// What a layer gives.
pub(crate) struct LayerOutput {
    /// `[batch, seq, d_model]`.
    pub(crate) hidden: Tensor<3>,
    /// Weights of attention to the own sequence, where they were asked for.
    pub(crate) attention: Option<Tensor<4>>,
    /// The same of attention to the encoder.
    pub(crate) cross: Option<Tensor<4>>,
}

impl Seq2SeqLayer {
    /// A layer of the shape `stack`, with attention to the encoder where `reads_encoder`.
    pub(crate) fn init(config: &Seq2SeqConfig, stack: StackShape, reads_encoder: bool, device: &Device) -> Self {
        let norm = || NormKind::LayerNorm.init(config.d_model, config.norm_eps, device);
        let attention = || attention(config, stack).init(device);
        let (feed_forward, std) = feed_forward(config, stack);
        Self {
            attention: attention(),
            attention_norm: norm(),
            cross: reads_encoder.then(|| CrossAttention { attention: attention(), norm: norm() }),
            feed_forward: FeedForward::init(&feed_forward, std, device),
            feed_forward_norm: norm(),
            dropout: DropoutConfig::new(config.dropout).init(),
            placement: config.norm_placement,
        }
    }

    pub(crate) fn forward(
        &self,
        x: Tensor<3>,
        own: &Placement,
        cache: Option<CacheSlot<'_>>,
        memory: Option<LayerMemory<'_>>,
    ) -> LayerOutput {
        let (mut attention, mut cross) = (None, None);
        let mut x = self.add(x, &self.attention_norm, |x| {
            let attended = self.attention.attend(x.clone(), x, own, cache);
            attention = attended.weights;
            attended.output
        });
        if let (Some(reader), Some(memory)) = (&self.cross, memory) {
            x = self.add(x, &reader.norm, |x| {
                let attended = reader.attention.attend_to(x, memory.keys_and_values.clone(), memory.placement);
                cross = attended.weights;
                attended.output
            });
        }
        let hidden = self.add(x, &self.feed_forward_norm, |x| self.feed_forward.forward(x));
        LayerOutput { hidden, attention, cross }
    }

    /// `norm(x + f(x))`, or `x + f(norm(x))` where normalisation comes first.
    fn add(&self, x: Tensor<3>, norm: &Norm, f: impl FnOnce(Tensor<3>) -> Tensor<3>) -> Tensor<3> {
        match self.placement {
            NormPlacement::Pre => x.clone() + self.dropout.forward(f(norm.forward(x))),
            _ => norm.forward(x.clone() + self.dropout.forward(f(x))),
        }
    }
}

/// Weights of variance `1 / d_model`, which is what [Glorot and Bengio 2010](https://proceedings.mlr.press/v9/glorot10a.html) give a
/// square matrix.
fn attention(config: &Seq2SeqConfig, stack: StackShape) -> MultiHeadAttentionConfig {
    let std = (config.d_model as f64).sqrt().recip();
    MultiHeadAttentionConfig::new(config.d_model, stack.n_heads)
        .with_qkv_bias(true)
        .with_output_bias(true)
        .with_dropout(config.dropout)
        .with_init_std(std)
        .with_output_std(std)
}

/// The network of a layer, and the standard deviation of its weights.
fn feed_forward(config: &Seq2SeqConfig, stack: StackShape) -> (DecoderConfig, f64) {
    let std = (2.0 / (config.d_model + stack.d_ff) as f64).sqrt();
    let network = DecoderConfig::new(config.vocab_size, config.d_model, stack.n_heads, stack.n_layers, stack.d_ff)
        .with_gated(false)
        .with_mlp_bias(true)
        .with_activation(config.activation)
        .with_init_std(std);
    (network, std)
}
