use burn::config::Config;

use crate::decoder::{Activation, NormPlacement};

/// Describes an encoder-decoder. The defaults are those of [Vaswani et al. 2017](https://arxiv.org/abs/1706.03762): normalisation after
/// each sum, rectified linear units, sinusoidal positions, and one embedding table for both sides and the head, multiplied by
/// `sqrt(d_model)` where tokens come in.
///
/// [`init`](Self::init) makes a model with random weights; [`Seq2SeqModel`](crate::Seq2SeqModel) loads one.
///
/// ```
/// use jarre_transformer::{Device, Seq2SeqConfig, Sequences};
///
/// let model = Seq2SeqConfig::new(100, 32, 4, 2, 64).init(&Device::default());
/// let source = Sequences::right_padded(&[&[2, 7, 9, 3], &[2, 3]], 0);
/// let target = Sequences::right_padded(&[&[1, 5, 6], &[1, 8, 4]], 0);
/// assert_eq!(model.forward(&source, &target).dims(), [2, 3, 100]);
/// ```
#[derive(Config, Debug, PartialEq)]
pub struct Seq2SeqConfig {
    /// Number of tokens in the vocabulary that both sides share.
    pub vocab_size: usize,
    /// Width of the hidden state.
    pub d_model: usize,
    /// Heads of each attention; divides `d_model`.
    pub n_heads: usize,
    /// Number of encoder layers.
    pub n_layers: usize,
    /// Width of the feed-forward network.
    pub d_ff: usize,
    /// Heads of the decoder, where it has other ones than the encoder.
    pub decoder_heads: Option<usize>,
    /// Number of decoder layers, where there are not as many as in the encoder.
    pub decoder_layers: Option<usize>,
    /// Width of the decoder's feed-forward network, where it has another one.
    pub decoder_d_ff: Option<usize>,
    /// Tokens that a source or a target can have.
    #[config(default = 512)]
    pub max_positions: usize,
    /// Where normalisation stands: [`Post`](NormPlacement::Post) or [`Pre`](NormPlacement::Pre), which also ends both stacks with one.
    #[config(default = "NormPlacement::Post")]
    pub norm_placement: NormPlacement,
    /// Added to the variance in layer normalisation.
    #[config(default = 1e-5)]
    pub norm_eps: f64,
    /// The nonlinearity of the feed-forward network.
    #[config(default = "Activation::Relu")]
    pub activation: Activation,
    /// Whether embeddings are multiplied by `sqrt(d_model)`.
    #[config(default = true)]
    pub scale_embedding: bool,
    /// Whether sine and cosine of a position stand side by side, as in the paper, or all sines first, as in Marian.
    #[config(default = true)]
    pub interleaved_positions: bool,
    /// Whether logits have a bias.
    #[config(default = false)]
    pub logits_bias: bool,
    /// Share of values that are dropped after embedding, attention and feed-forward network while gradients are computed.
    #[config(default = 0.0)]
    pub dropout: f64,
}

/// What the layers of one side are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StackShape {
    pub(crate) n_layers: usize,
    pub(crate) n_heads: usize,
    pub(crate) d_ff: usize,
}

impl Seq2SeqConfig {
    pub(crate) fn encoder(&self) -> StackShape {
        StackShape { n_layers: self.n_layers, n_heads: self.n_heads, d_ff: self.d_ff }
    }

    pub(crate) fn decoder(&self) -> StackShape {
        StackShape {
            n_layers: self.decoder_layers.unwrap_or(self.n_layers),
            n_heads: self.decoder_heads.unwrap_or(self.n_heads),
            d_ff: self.decoder_d_ff.unwrap_or(self.d_ff),
        }
    }

    /// Why no model can be made of this description, if so.
    pub(crate) fn complaint(&self) -> Option<String> {
        if self.norm_placement == NormPlacement::Sandwich {
            return Some("normalisation stands before or after a sum in an encoder-decoder, not on both sides".to_owned());
        }
        if self.vocab_size > MAX_SIZE || self.max_positions.checked_mul(self.d_model).is_none_or(|size| size > MAX_SIZE) {
            return Some(format!(
                "its tables are too large: {} tokens, {} positions of {}",
                self.vocab_size, self.max_positions, self.d_model
            ));
        }
        [self.encoder(), self.decoder()].into_iter().find_map(|stack| {
            let sizes = [self.vocab_size, self.d_model, self.max_positions, stack.n_heads, stack.d_ff];
            let fits = !sizes.contains(&0) && stack.d_ff <= MAX_SIZE && stack.n_layers <= MAX_LAYERS;
            let whole_heads = fits && self.d_model.is_multiple_of(stack.n_heads);
            (!whole_heads).then(|| format!("its sizes make no encoder-decoder: {sizes:?}, {} layers", stack.n_layers))
        })
    }
}

/// Sizes beyond it are taken for a broken file.
const MAX_SIZE: usize = 1 << 28;

/// Layers that a configuration may ask for; beyond it the file is taken for broken.
const MAX_LAYERS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_that_make_no_model_are_told() {
        let good = || Seq2SeqConfig::new(100, 32, 4, 2, 64);
        assert_eq!(good().complaint(), None);
        let bad = [
            good().with_decoder_heads(Some(5)),
            good().with_decoder_d_ff(Some(0)),
            good().with_decoder_layers(Some(1 << 40)),
            good().with_max_positions(usize::MAX),
            good().with_norm_placement(NormPlacement::Sandwich),
            Seq2SeqConfig::new(0, 32, 4, 2, 64),
            Seq2SeqConfig::new(100, 32, 0, 2, 64),
        ];
        for config in bad {
            assert!(config.complaint().is_some(), "{config:?}");
        }
    }
}
