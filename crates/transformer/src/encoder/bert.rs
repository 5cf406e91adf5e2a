use burn::config::Config;
use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{DType, Device, Tensor, TensorData};
use jarre_kernels::{AddNorm, RowNorm, activate_biased, add_norm, host_values, layer_norm, on_host};

use super::attention::{SelfAttention, SelfAttentionConfig};
use super::batch::TokenBatch;
use super::packed::{PackedLayer, pack, product, run_layers};
use crate::decoder::Activation;

/// The widest heads that are read where they stand.
const WIDEST: usize = 256;

/// Configuration of [`Bert`].
///
/// ```
/// use burn::tensor::Device;
/// use jarre_transformer::{BertConfig, TokenBatch};
///
/// let device = Device::default();
/// let model = BertConfig::new(100, 32, 4, 2, 64).init(&device);
/// let batch = TokenBatch::new(&[&[2, 7, 9, 3], &[2, 3]], 0, &device);
/// assert_eq!(model.forward(&batch).dims(), [2, 4, 32]);
/// ```
#[derive(Config, Debug, PartialEq)]
pub struct BertConfig {
    /// Number of tokens in the vocabulary.
    pub vocab_size: usize,
    /// Width of the hidden state.
    pub d_model: usize,
    /// Attention heads of a layer; divides `d_model`.
    pub n_heads: usize,
    /// Number of layers.
    pub n_layers: usize,
    /// Width of the feed-forward layer.
    pub d_ff: usize,
    /// Rows of the position table.
    #[config(default = 512)]
    pub n_positions: usize,
    /// Row of the position table that the first token gets: 0 in BERT, 2 in `roberta`.
    #[config(default = 0)]
    pub position_offset: usize,
    /// Rows of the segment table; 0 in `distilbert`, which has none.
    #[config(default = 2)]
    pub n_segments: usize,
    /// Added to the variance in layer normalisation.
    #[config(default = 1e-12)]
    pub layer_norm_eps: f64,
    /// The nonlinearity of the feed-forward layer.
    #[config(default = "Activation::Gelu")]
    pub activation: Activation,
}

impl BertConfig {
    /// A model with random weights.
    ///
    /// # Panics
    /// Where `n_heads` does not divide `d_model`.
    pub fn init(&self, device: &Device) -> Bert {
        let embedding = |rows| EmbeddingConfig::new(rows, self.d_model).init(device);
        Bert {
            words: embedding(self.vocab_size),
            positions: embedding(self.n_positions),
            segments: (self.n_segments > 0).then(|| embedding(self.n_segments)),
            norm: self.norm(device),
            epsilon: self.layer_norm_eps,
            layers: (0..self.n_layers).map(|_| self.layer(device)).collect(),
            position_offset: self.position_offset,
            n_segments: self.n_segments,
        }
    }

    /// Tokens that fit into the position table.
    pub fn max_tokens(&self) -> usize {
        self.n_positions.saturating_sub(self.position_offset)
    }

    /// What of the description changes vectors. The activation shows where it is not the usual one, so that vectors that were stored
    /// before it could be chosen keep their fingerprint.
    pub(crate) fn key(&self) -> String {
        let usual = format!(", activation: {:?} }}", Activation::Gelu);
        format!("{self:?}").replace(&usual, " }")
    }

    fn layer(&self, device: &Device) -> BertLayer {
        BertLayer {
            attention: SelfAttentionConfig::new(self.d_model, self.n_heads).init(device),
            attention_norm: self.norm(device),
            up: LinearConfig::new(self.d_model, self.d_ff).init(device),
            down: LinearConfig::new(self.d_ff, self.d_model).init(device),
            output_norm: self.norm(device),
            epsilon: self.layer_norm_eps,
            activation: self.activation,
            packed: None,
        }
    }

    fn norm(&self, device: &Device) -> LayerNorm {
        LayerNormConfig::new(self.d_model).with_epsilon(self.layer_norm_eps).init(device)
    }
}

/// The encoder of [Devlin et al. 2018](https://arxiv.org/abs/1810.04805): bidirectional, post-norm, learned positions. Also `RoBERTa`
/// ([Liu et al. 2019](https://arxiv.org/abs/1907.11692)), XLM-R and `DistilBERT` ([Sanh et al. 2019](https://arxiv.org/abs/1910.01108)).
#[derive(Module, Debug)]
pub struct Bert {
    pub(crate) words: Embedding,
    pub(crate) positions: Embedding,
    pub(crate) segments: Option<Embedding>,
    pub(crate) norm: LayerNorm,
    epsilon: f64,
    pub(crate) layers: Vec<BertLayer>,
    position_offset: usize,
    n_segments: usize,
}

impl Bert {
    /// Hidden states of the last layer. Rows of the padding hold finite values without meaning. A model with fewer than two segments
    /// does not read those of the batch.
    ///
    /// # Shapes
    /// - input: ids `[batch, seq]`
    /// - output: `[batch, seq, d_model]`
    ///
    /// # Panics
    /// Where a sequence is longer than the position table, an id is beyond the vocabulary or a segment beyond the segment table.
    pub fn forward(&self, batch: &TokenBatch) -> Tensor<3> {
        let [sequences, seq] = batch.ids.dims();
        let x = self.embed(batch);
        let x = match self.packed_layers(&x) {
            Some(layers) => on_rows(x, |rows| run_layers(&layers, rows, batch.lengths())),
            None => self.run_tensors(x, batch),
        };
        let [_, d_model] = x.dims();
        x.reshape([sequences, seq, d_model])
    }

    /// The layers over tensors, wherever they are.
    fn run_tensors(&self, x: Tensor<2>, batch: &TokenBatch) -> Tensor<2> {
        self.layers.iter().fold(x, |x, layer| layer.forward(x, batch))
    }

    /// Tokens of the longest sequence that it reads.
    pub fn max_tokens(&self) -> usize {
        let [positions, _] = self.positions.weight.dims();
        positions.saturating_sub(self.position_offset)
    }

    /// The same encoder with linear layers in eight bits, inputs included (W8A8). Vectors differ by rounding.
    pub fn packed(mut self) -> Self {
        self.layers.iter_mut().for_each(BertLayer::pack);
        self
    }

    /// The layers over rows in host memory, where all are packed and `x` lies there without a gradient.
    fn packed_layers(&self, x: &Tensor<2>) -> Option<Vec<&PackedLayer>> {
        let device = x.device();
        let fits = x.dtype() == DType::F32 && on_host(&device) && !device.is_autodiff();
        let layers = self.layers.iter().map(|layer| layer.packed.as_ref().filter(|packed| packed.heads[1] <= WIDEST));
        if fits { layers.collect() } else { None }
    }

    /// `[batch * seq, d_model]`.
    fn embed(&self, batch: &TokenBatch) -> Tensor<2> {
        let [sequences, seq] = batch.ids.dims();
        let words = self.words.forward(batch.ids.clone());
        let [_, _, d_model] = words.dims();
        let positions = self.positions.weight.val().slice(self.position_offset..self.position_offset + seq);
        let embedded = match (&self.segments, &batch.segments) {
            (Some(table), Some(segments)) if self.n_segments > 1 => words + positions.unsqueeze() + table.forward(segments.clone()),
            (Some(table), _) => words + (positions + table.weight.val().slice(0..1)).unsqueeze(),
            (None, _) => words + positions.unsqueeze(),
        };
        normalized(embedded.reshape([sequences * seq, d_model]), &self.norm, self.epsilon)
    }
}

/// `x`, which lies in host memory, with `edit` run on its values.
fn on_rows(x: Tensor<2>, edit: impl FnOnce(&mut [f32])) -> Tensor<2> {
    let (shape, device) = (x.dims(), x.device());
    let mut rows = host_values(x);
    edit(&mut rows);
    Tensor::from_data(TensorData::new(rows, shape), &device)
}

/// One layer: self-attention and a feed-forward network, each followed by a residual sum and layer normalisation.
#[derive(Module, Debug)]
pub(crate) struct BertLayer {
    pub(crate) attention: SelfAttention,
    pub(crate) attention_norm: LayerNorm,
    pub(crate) up: Linear,
    pub(crate) down: Linear,
    pub(crate) output_norm: LayerNorm,
    epsilon: f64,
    #[module(skip)]
    activation: Activation,
    #[module(skip)]
    packed: Option<PackedLayer>,
}

impl BertLayer {
    /// `[batch * seq, d_model]` to the same shape.
    fn forward(&self, x: Tensor<2>, batch: &TokenBatch) -> Tensor<2> {
        let packed = self.packed.as_ref();
        let attended = self.attention.forward(x.clone(), batch.lengths(), packed);
        let x = self.add_norm(attended, x, &self.attention.output, &self.attention_norm);
        let hidden = match packed {
            Some(packed) => packed.up.forward_activated(x.clone(), self.activation.into()),
            None => activate_biased(x.clone().matmul(self.up.weight.val()), bias_of(&self.up), self.activation.into()),
        };
        self.add_norm(product(hidden, &self.down, packed.map(|packed| &packed.down)), x, &self.down, &self.output_norm)
    }

    fn pack(&mut self) {
        let norm = |norm: &LayerNorm| {
            let [weight, shift] = [norm.gamma.val(), shift_of(norm)].map(host_values);
            RowNorm::new(weight, Some(shift), self.epsilon as f32)
        };
        self.packed = Some(PackedLayer {
            qkv: pack(&self.attention.qkv),
            output: pack(&self.attention.output),
            attention_norm: norm(&self.attention_norm),
            up: pack(&self.up),
            down: pack(&self.down),
            output_norm: norm(&self.output_norm),
            heads: self.attention.heads(),
            activation: self.activation.into(),
        });
    }

    /// `norm(x + bias of linear + residual)`.
    fn add_norm(&self, x: Tensor<2>, residual: Tensor<2>, linear: &Linear, norm: &LayerNorm) -> Tensor<2> {
        let params = AddNorm { bias: bias_of(linear), weight: norm.gamma.val(), shift: shift_of(norm), epsilon: self.epsilon };
        add_norm(x, residual, params)
    }
}

/// `norm(x)`.
fn normalized(x: Tensor<2>, norm: &LayerNorm, epsilon: f64) -> Tensor<2> {
    layer_norm(x, norm.gamma.val(), shift_of(norm), epsilon)
}

fn shift_of(norm: &LayerNorm) -> Tensor<1> {
    norm.beta.as_ref().expect("BertConfig builds layer norms with a bias").val()
}

pub(super) fn bias_of(linear: &Linear) -> Tensor<1> {
    linear.bias.as_ref().expect("BertConfig builds linear layers with a bias").val()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_activation_does_not_show_in_a_key() {
        let config = BertConfig::new(9, 8, 2, 1, 16);
        let written = "BertConfig { vocab_size: 9, d_model: 8, n_heads: 2, n_layers: 1, d_ff: 16, n_positions: 512, position_offset: 0, \
                       n_segments: 2, layer_norm_eps: 1e-12 }";
        assert_eq!(config.key(), written);
        assert_ne!(config.with_activation(Activation::Relu).key(), written);
    }
}
