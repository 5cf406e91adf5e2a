use burn::tensor::Tensor;

use crate::attention::Sequences;

/// Sources that an encoder has read.
#[derive(Clone, Debug)]
pub struct EncodedSource {
    pub(super) states: Tensor<3>,
    pub(super) source: Sequences,
}

/// What an encoder-decoder computed on the way to its logits.
#[derive(Clone, Debug)]
pub struct Seq2SeqStates {
    /// `[batch, source, d_model]`: what each encoder layer reads, then what the encoder gives.
    pub encoder: Vec<Tensor<3>>,
    /// `[batch, n_heads, source, source]` for each encoder layer.
    pub encoder_attention: Vec<Tensor<4>>,
    /// `[batch, target, d_model]`: what each decoder layer reads, then what the decoder gives.
    pub decoder: Vec<Tensor<3>>,
    /// `[batch, n_heads, target, target]` for each decoder layer.
    pub decoder_attention: Vec<Tensor<4>>,
    /// `[batch, n_heads, target, source]` for each decoder layer: what each token of the target reads of the source.
    pub cross_attention: Vec<Tensor<4>>,
    /// `[batch, target, vocab_size]`.
    pub logits: Tensor<3>,
}

impl EncodedSource {
    /// What the encoder made of the sources, `[batch, source, d_model]`.
    pub fn states(&self) -> &Tensor<3> {
        &self.states
    }

    /// The sources.
    pub fn source(&self) -> &Sequences {
        &self.source
    }

    /// The first source alone.
    pub(super) fn first(&self) -> Self {
        Self { states: self.states.clone().slice_dim(0, 0..1), source: self.source.select(&[0]) }
    }
}
