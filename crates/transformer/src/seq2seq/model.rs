use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Embedding, EmbeddingConfig, Initializer};
use burn::tensor::{Device, Tensor};

use super::cache::{Memory, Seq2SeqCache};
use super::config::{Seq2SeqConfig, StackShape};
use super::layer::{LayerMemory, LayerOutput, Seq2SeqLayer};
use super::positions::PositionTable;
use super::states::{EncodedSource, Seq2SeqStates};
use crate::attention::{AttentionBias, CacheSlot, KvCache, Placement, Sequences, Visibility};
use crate::decoder::{Norm, NormKind, NormPlacement, last_rows};

/// The encoder-decoder of [Vaswani et al. 2017](https://arxiv.org/abs/1706.03762): tokens of a source and of a target so far in, logits of
/// the target's next tokens out.
#[derive(Module, Debug)]
pub struct Seq2Seq {
    pub(crate) embedding: Embedding,
    pub(crate) encoder: Vec<Seq2SeqLayer>,
    pub(crate) encoder_norm: Option<Norm>,
    pub(crate) decoder: Vec<Seq2SeqLayer>,
    pub(crate) decoder_norm: Option<Norm>,
    /// `[1, vocab_size]`.
    pub(crate) logits_bias: Option<Param<Tensor<2>>>,
    dropout: Dropout,
    #[module(skip)]
    positions: PositionTable,
    #[module(skip)]
    config: Seq2SeqConfig,
}

/// What the layers of a side leave behind beside the hidden state.
#[derive(Default)]
struct Trace {
    hidden: Vec<Tensor<3>>,
    attention: Vec<Tensor<4>>,
    cross: Vec<Tensor<4>>,
}

impl Seq2SeqConfig {
    /// A model with random weights.
    ///
    /// # Panics
    /// Where the description makes no model: heads that do not divide, a size of zero, normalisation on both sides of a sum.
    pub fn init(&self, device: &Device) -> Seq2Seq {
        if let Some(complaint) = self.complaint() {
            panic!("{complaint}");
        }
        let side = |stack: StackShape, reads: bool| (0..stack.n_layers).map(|_| Seq2SeqLayer::init(self, stack, reads, device)).collect();
        let last_norm =
            || (self.norm_placement == NormPlacement::Pre).then(|| NormKind::LayerNorm.init(self.d_model, self.norm_eps, device));
        // Scaled, embeddings have a variance of 1, as the sines beside them nearly have.
        let table = Initializer::Normal { mean: 0.0, std: (self.d_model as f64).sqrt().recip() };
        Seq2Seq {
            embedding: EmbeddingConfig::new(self.vocab_size, self.d_model).with_initializer(table).init(device),
            encoder: side(self.encoder(), false),
            encoder_norm: last_norm(),
            decoder: side(self.decoder(), true),
            decoder_norm: last_norm(),
            logits_bias: self.logits_bias.then(|| Initializer::Zeros.init([1, self.vocab_size], device)),
            dropout: DropoutConfig::new(self.dropout).init(),
            positions: PositionTable::new(self.max_positions, self.d_model, self.interleaved_positions),
            config: self.clone(),
        }
    }
}

impl Seq2Seq {
    /// What the model is.
    pub fn config(&self) -> &Seq2SeqConfig {
        &self.config
    }

    /// Logits of the token after each token of `target`, which sees those before it and the whole source. Rows of the padding hold finite
    /// values without meaning.
    ///
    /// # Shapes
    /// - input: ids `[batch, source]` and `[batch, target]`
    /// - output: `[batch, target, vocab_size]`
    ///
    /// # Panics
    /// Where the batches differ in size, an id is beyond the vocabulary or a sequence longer than `max_positions`.
    pub fn forward(&self, source: &Sequences, target: &Sequences) -> Tensor<3> {
        self.decode(&self.encode(source), target)
    }

    /// As [`forward`](Self::forward), with the hidden states and attention weights of every layer.
    pub fn forward_states(&self, source: &Sequences, target: &Sequences) -> Seq2SeqStates {
        let (mut read, mut written) = (Trace::default(), Trace::default());
        let encoded = self.run_encoder(source, Some(&mut read));
        let memory = self.remember(&encoded);
        let last = self.run_decoder(target, &memory, None, Some(&mut written));
        Seq2SeqStates {
            encoder: read.hidden.into_iter().chain([encoded.states]).collect(),
            encoder_attention: read.attention,
            decoder: written.hidden.into_iter().chain([last.clone()]).collect(),
            decoder_attention: written.attention,
            cross_attention: written.cross,
            logits: self.logits(last),
        }
    }

    /// Reads sources: ids `[batch, source]`.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn encode(&self, source: &Sequences) -> EncodedSource {
        self.run_encoder(source, None)
    }

    /// As [`forward`](Self::forward), of sources that were read before.
    pub fn decode(&self, source: &EncodedSource, target: &Sequences) -> Tensor<3> {
        self.logits(self.run_decoder(target, &self.remember(source), None, None))
    }

    /// A cache for `batch` targets of up to `capacity` tokens: as many as there are sources, or any number where there is one source,
    /// which all of them share. Keys and values of the sources are computed here, once.
    ///
    /// # Panics
    /// Where there are several sources and another number of targets.
    pub fn new_cache(&self, source: &EncodedSource, batch: usize, capacity: usize) -> Seq2SeqCache {
        let sources = source.source.batch();
        assert!(sources == 1 || sources == batch, "{batch} targets cannot be made of {sources} sources");
        let stack = self.config.decoder();
        let shape = [batch, stack.n_heads, capacity, self.config.d_model / stack.n_heads];
        Seq2SeqCache { own: KvCache::new(stack.n_layers, shape, &self.device()), memory: self.remember(source) }
    }

    /// Reads the tokens of each target behind those in `cache` and gives the logits after the last of them.
    ///
    /// # Shapes
    /// - input: ids `[batch, target]`, padded on the right
    /// - output: `[batch, vocab_size]`
    ///
    /// # Panics
    /// Where rows are padded on the left or packed, the cache has no room, and as [`forward`](Self::forward).
    pub fn forward_cached(&self, target: &Sequences, cache: &mut Seq2SeqCache) -> Tensor<2> {
        let added: Vec<usize> = target.tokens().iter().map(ExactSizeIterator::len).collect();
        assert!(target.tokens().iter().all(|tokens| tokens.start == 0), "a cache takes rows that are padded on the right");
        let room = cache.own.lengths().iter().zip(&added).all(|(past, added)| past + added <= cache.own.capacity());
        assert!(room, "the cache has room for {} tokens of a sequence", cache.own.capacity());
        let hidden = self.run_decoder(target, &cache.memory, Some(&mut cache.own), None);
        cache.own.advance(&added);
        self.logits(last_rows(hidden, &added)).squeeze_dim(1)
    }

    /// Where the model's parameters are.
    pub fn device(&self) -> Device {
        self.embedding.weight.lazy_device()
    }

    /// Logits of hidden states, `[batch, seq, d_model]` to `[batch, seq, vocab_size]`.
    fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        let [batch, seq, d_model] = hidden.dims();
        let logits = hidden.reshape([batch * seq, d_model]).matmul(self.embedding.weight.val().transpose());
        let logits = match &self.logits_bias {
            Some(bias) => logits + bias.val(),
            None => logits,
        };
        logits.reshape([batch, seq, self.config.vocab_size])
    }

    fn run_encoder(&self, source: &Sequences, mut trace: Option<&mut Trace>) -> EncodedSource {
        let device = self.device();
        let bias = AttentionBias::of_keys(source.seq(), source, &device);
        let own = Placement { bias, keep_weights: trace.is_some(), ..Placement::default() };
        let mut x = self.embed(source, &vec![0; source.batch()], &device);
        for layer in &self.encoder {
            x = traced(&mut trace, x, |x| layer.forward(x, &own, None, None));
        }
        EncodedSource { states: normed(self.encoder_norm.as_ref(), x), source: source.clone() }
    }

    /// Hidden states after the last layer, normalised where the model does so.
    fn run_decoder(
        &self,
        target: &Sequences,
        memory: &Memory,
        mut cache: Option<&mut KvCache>,
        mut trace: Option<&mut Trace>,
    ) -> Tensor<3> {
        let device = self.device();
        let past = cache.as_ref().map_or_else(|| vec![0; target.batch()], |cache| cache.lengths().to_vec());
        let added: Vec<usize> = target.tokens().iter().map(ExactSizeIterator::len).collect();
        let keep_weights = trace.is_some();
        let place = |bias| Placement { bias, keep_weights, ..Placement::default() };
        let own = place(AttentionBias::new(target, &past, Visibility { causal: true, window: None }, &[], &device));
        let cross = place(AttentionBias::of_keys(target.seq(), &memory.source, &device));
        let mut x = self.embed(target, &past, &device);
        for (index, (layer, keys_and_values)) in self.decoder.iter().zip(&memory.layers).enumerate() {
            let slot = cache.as_mut().map(|cache| CacheSlot { layer: &mut cache.layers[index], past: &past, added: &added });
            let memory = LayerMemory { keys_and_values, placement: &cross };
            x = traced(&mut trace, x, |x| layer.forward(x, &own, slot, Some(memory)));
        }
        normed(self.decoder_norm.as_ref(), x)
    }

    /// Keys and values of the sources in each layer of the decoder.
    fn remember(&self, source: &EncodedSource) -> Memory {
        let readers = self.decoder.iter().filter_map(|layer| layer.cross.as_ref());
        let layers = readers.map(|cross| cross.attention.keys_and_values(source.states.clone())).collect();
        Memory { layers, source: source.source.clone() }
    }

    /// `[batch, seq, d_model]`.
    fn embed(&self, tokens: &Sequences, past: &[usize], device: &Device) -> Tensor<3> {
        let x = self.embedding.forward(tokens.ids(device));
        let x = if self.config.scale_embedding { x * (self.config.d_model as f64).sqrt() } else { x };
        self.dropout.forward(x + self.positions.rows(&tokens.positions(past), device))
    }
}

/// What a layer makes of `x`, with what it read and its weights kept in `trace`.
fn traced(trace: &mut Option<&mut Trace>, x: Tensor<3>, run: impl FnOnce(Tensor<3>) -> LayerOutput) -> Tensor<3> {
    let Some(trace) = trace else { return run(x).hidden };
    trace.hidden.push(x.clone());
    let output = run(x);
    trace.attention.extend(output.attention);
    trace.cross.extend(output.cross);
    output.hidden
}

fn normed(norm: Option<&Norm>, x: Tensor<3>) -> Tensor<3> {
    match norm {
        Some(norm) => norm.forward(x),
        None => x,
    }
}
