use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Embedding, EmbeddingConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};
use jarre_kernels::{Precision, WeightLayout, linear};

use super::config::{DecoderConfig, NormPlacement};
use super::layer::{DecoderLayer, PROJECTIONS};
use super::norm::Norm;
use super::projection::{Projection, ProjectionConfig};
use crate::attention::{AttentionBias, CacheSlot, KvCache, Placement, Sequences, Visibility};
use crate::position::{Positions, Rotation, alibi_slopes, sinusoidal_table};

/// A decoder-only transformer: token ids in, logits of the next token at every position out.
#[derive(Module, Debug)]
pub struct Decoder {
    pub(crate) embedding: Embedding,
    pub(crate) positions: Option<Param<Tensor<2>>>,
    pub(crate) layers: Vec<DecoderLayer>,
    pub(crate) norm: Option<Norm>,
    /// The logits' weights where they are not the embedding's, or packed.
    pub(crate) head: Option<Projection>,
    dropout: Dropout,
    #[module(skip)]
    config: DecoderConfig,
    #[module(skip)]
    precision: Precision,
}

/// What a decoder computed on the way to its logits.
#[derive(Clone, Debug)]
pub struct DecoderStates {
    /// `[batch, seq, d_model]`: the embeddings, then what each layer gave, the last one normalised.
    pub hidden: Vec<Tensor<3>>,
    /// `[batch, n_heads, seq, seq]` for each layer: row `i` holds what token `i` reads of each other token.
    pub attention: Vec<Tensor<4>>,
    /// `[batch, seq, vocab_size]`.
    pub logits: Tensor<3>,
}

/// What the layers leave behind beside the hidden state, where it is wanted.
#[derive(Default)]
struct Trace {
    hidden: Vec<Tensor<3>>,
    attention: Vec<Tensor<4>>,
}

impl DecoderConfig {
    /// A model with random weights.
    ///
    /// # Panics
    /// Where the description makes no model: heads that do not divide, a size of zero, an odd number of rotated dimensions.
    pub fn init(&self, device: &Device) -> Decoder {
        if let Some(complaint) = self.complaint() {
            panic!("{complaint}");
        }
        let head = ProjectionConfig { d_input: self.d_model, d_output: self.vocab_size, bias: false, initializer: self.initializer() };
        let table = || self.initializer().init([self.max_positions, self.d_model], device);
        Decoder {
            embedding: EmbeddingConfig::new(self.vocab_size, self.d_model).with_initializer(self.initializer()).init(device),
            positions: (self.positions == Positions::Learned).then(table),
            layers: (0..self.n_layers).map(|_| DecoderLayer::init(self, device)).collect(),
            norm: (self.norm_placement != NormPlacement::Post).then(|| self.norm.init(self.d_model, self.norm_eps, device)),
            head: (!self.tied).then(|| head.init(device)),
            dropout: DropoutConfig::new(self.dropout).init(),
            config: self.clone(),
            precision: Precision::F32,
        }
    }
}

impl Decoder {
    /// What the model is.
    pub fn config(&self) -> &DecoderConfig {
        &self.config
    }

    /// Computes the products of linear layers in `precision` from now on; parameters stay as they are.
    pub fn with_precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        for layer in &mut self.layers {
            layer.projections().for_each(|projection| projection.precision = precision);
        }
        if let Some(head) = &mut self.head {
            head.precision = precision;
        }
        self
    }

    /// The precision of products of its linear layers.
    pub(crate) fn precision(&self) -> Precision {
        self.precision
    }

    /// Its linear layers, each with the path of its module, the logits' last.
    pub(crate) fn linear_layers(&self) -> impl Iterator<Item = (String, &Projection)> {
        let layers = self.layers.iter().enumerate().flat_map(|(index, layer)| {
            PROJECTIONS
                .iter()
                .zip(layer.projections_ref())
                .map(move |(module, projection)| (format!("layers.{index}.{module}"), projection))
        });
        layers.chain(self.head.as_ref().map(|head| ("head".to_owned(), head)))
    }

    /// The same, to change.
    pub(crate) fn linear_layers_mut(&mut self) -> impl Iterator<Item = (String, &mut Projection)> {
        let layers = self.layers.iter_mut().enumerate().flat_map(|(index, layer)| {
            PROJECTIONS.iter().zip(layer.projections()).map(move |(module, projection)| (format!("layers.{index}.{module}"), projection))
        });
        layers.chain(self.head.as_mut().map(|head| ("head".to_owned(), head)))
    }

    /// Whether any of its linear layers is packed.
    pub fn is_packed(&self) -> bool {
        self.linear_layers().any(|(_, projection)| projection.packed.is_some())
    }

    /// Bytes of the parameters in memory: four for each that is not packed.
    pub fn weight_bytes(&self) -> usize {
        let mut float = self.clone();
        let packed: usize = float.linear_layers_mut().filter_map(|(_, x)| x.packed.take()).map(|packed| packed.bytes()).sum();
        packed + float.num_params() * size_of::<f32>()
    }

    /// Logits at every position. Rows of the padding hold finite values without meaning.
    ///
    /// # Shapes
    /// - input: ids `[batch, seq]`
    /// - output: `[batch, seq, vocab_size]`
    ///
    /// # Panics
    /// Where an id is beyond the vocabulary, or a sequence longer than a learned position table.
    pub fn forward(&self, tokens: &Sequences) -> Tensor<3> {
        let past = vec![0; tokens.batch()];
        self.logits(self.run(tokens, &past, None, None))
    }

    /// As [`forward`](Self::forward), with the hidden states and attention weights of every layer.
    pub fn forward_states(&self, tokens: &Sequences) -> DecoderStates {
        let mut trace = Trace::default();
        let last = self.run(tokens, &vec![0; tokens.batch()], None, Some(&mut trace));
        trace.hidden.pop();
        trace.hidden.push(last.clone());
        DecoderStates { hidden: trace.hidden, attention: trace.attention, logits: self.logits(last) }
    }

    /// Hidden states after the last normalisation, `[batch, seq, d_model]`.
    pub fn hidden(&self, tokens: &Sequences) -> Tensor<3> {
        self.run(tokens, &vec![0; tokens.batch()], None, None)
    }

    /// A cache for `batch` sequences of up to `capacity` tokens.
    pub fn new_cache(&self, batch: usize, capacity: usize) -> KvCache {
        let shape = [batch, self.config.kv_heads(), capacity, self.config.head_width()];
        KvCache::new(self.config.n_layers, shape, &self.device())
    }

    /// Reads the tokens of each row behind those in `cache` and gives the logits after the last of them.
    ///
    /// # Shapes
    /// - input: ids `[batch, seq]`, padded on the right
    /// - output: `[batch, vocab_size]`
    ///
    /// # Panics
    /// Where rows are padded on the left or packed, the cache has no room, and as [`forward`](Self::forward).
    pub fn forward_cached(&self, tokens: &Sequences, cache: &mut KvCache) -> Tensor<2> {
        let past = cache.lengths().to_vec();
        let added: Vec<usize> = tokens.tokens().iter().map(ExactSizeIterator::len).collect();
        assert!(tokens.tokens().iter().all(|tokens| tokens.start == 0), "a cache takes rows that are padded on the right");
        let room = past.iter().zip(&added).all(|(past, added)| past + added <= cache.capacity());
        assert!(room, "the cache has room for {} tokens of a sequence", cache.capacity());
        let hidden = self.run(tokens, &past, Some(cache), None);
        cache.advance(&added);
        self.logits(last_rows(hidden, &added)).squeeze_dim(1)
    }

    /// Where the model's parameters are.
    pub fn device(&self) -> Device {
        self.embedding.weight.lazy_device()
    }

    /// Logits of hidden states, `[batch, seq, d_model]` to `[batch, seq, vocab_size]`.
    pub(crate) fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        let logits = if let Some(head) = &self.head {
            head.forward(hidden)
        } else {
            linear(hidden, self.embedding.weight.val(), None, WeightLayout::OutputFirst, self.precision)
        };
        match self.config.logit_softcap {
            Some(cap) => (logits / cap).tanh() * cap,
            None => logits,
        }
    }

    /// Hidden states after the last layer, normalised where the model does so.
    fn run(&self, tokens: &Sequences, past: &[usize], mut cache: Option<&mut KvCache>, mut trace: Option<&mut Trace>) -> Tensor<3> {
        let device = self.device();
        let positions = tokens.positions(past);
        let added: Vec<usize> = tokens.tokens().iter().map(ExactSizeIterator::len).collect();
        let mut x = self.embed(tokens, &positions, &device);
        let placements = self.placements(tokens, past, &positions, trace.is_some(), &device);
        for (index, layer) in self.layers.iter().enumerate() {
            let slot = cache.as_mut().map(|cache| CacheSlot { layer: &mut cache.layers[index], past, added: &added });
            if let Some(trace) = &mut trace {
                trace.hidden.push(x.clone());
            }
            let placement = if self.config.window(index).is_some() { &placements.sliding } else { &placements.full };
            let weights;
            (x, weights) = layer.forward(x, placement, slot);
            if let Some(trace) = &mut trace {
                trace.attention.extend(weights);
            }
        }
        if let Some(trace) = trace {
            trace.hidden.push(x.clone());
        }
        match &self.norm {
            Some(norm) => norm.forward(x),
            None => x,
        }
    }

    /// `[batch, seq, d_model]`.
    fn embed(&self, tokens: &Sequences, positions: &[Vec<usize>], device: &Device) -> Tensor<3> {
        let mut x = self.embedding.forward(tokens.ids(device));
        if let Some(scale) = self.config.embedding_scale {
            x = x * scale;
        }
        if let Some(table) = &self.positions {
            x = x + rows_of(table.val(), positions, device);
        } else if self.config.positions == Positions::Sinusoidal {
            let longest = positions.iter().flatten().max().map_or(0, |longest| longest + 1);
            let values = sinusoidal_table(longest, self.config.d_model, true);
            x = x + rows_of(Tensor::from_data(TensorData::new(values, [longest, self.config.d_model]), device), positions, device);
        }
        self.dropout.forward(x)
    }

    fn placements(&self, tokens: &Sequences, past: &[usize], positions: &[Vec<usize>], keep_weights: bool, device: &Device) -> Placements {
        let slopes = if self.config.positions == Positions::Alibi { alibi_slopes(self.config.n_heads) } else { Vec::new() };
        let rotation = self.rotation(tokens, past, positions, device);
        let place = |window| {
            let visibility = Visibility { causal: true, window };
            let bias = AttentionBias::new(tokens, past, visibility, &slopes, device);
            Placement { rotation: rotation.clone(), bias, keep_weights }
        };
        let full = place(None);
        let sliding = if self.config.sliding_window.is_some() { place(self.config.sliding_window) } else { full.clone() };
        Placements { full, sliding }
    }

    fn rotation(&self, tokens: &Sequences, past: &[usize], positions: &[Vec<usize>], device: &Device) -> Option<Rotation> {
        let Positions::Rope(config) = &self.config.positions else { return None };
        let longest = past.iter().zip(tokens.tokens()).map(|(past, tokens)| past + tokens.len()).max().unwrap_or(0);
        Some(config.init(self.config.head_width()).rotation(positions, longest, device))
    }
}

struct Placements {
    full: Placement,
    sliding: Placement,
}

/// Rows of `table [n, d]` at `positions`: `[batch or 1, seq, d]`.
fn rows_of(table: Tensor<2>, positions: &[Vec<usize>], device: &Device) -> Tensor<3> {
    let seq = positions.first().map_or(0, Vec::len);
    let indices: Vec<i32> = positions.iter().flatten().map(|&position| position as i32).collect();
    let [_, d] = table.dims();
    table.select(0, Tensor::<1, Int>::from_data(indices.as_slice(), device)).reshape([positions.len(), seq, d])
}

/// The last of the first `lengths[i]` rows of each sequence: `[batch, seq, d]` to `[batch, 1, d]`.
pub(crate) fn last_rows(hidden: Tensor<3>, lengths: &[usize]) -> Tensor<3> {
    let [batch, seq, d] = hidden.dims();
    if lengths.iter().all(|&length| length == seq) {
        return hidden.slice_dim(1, seq - 1..seq);
    }
    let device = hidden.device();
    let rows: Vec<i32> = lengths.iter().enumerate().map(|(row, &length)| (row * seq + length - 1) as i32).collect();
    let rows = Tensor::<1, Int>::from_data(rows.as_slice(), &device);
    hidden.reshape([batch * seq, d]).select(0, rows).reshape([batch, 1, d])
}
