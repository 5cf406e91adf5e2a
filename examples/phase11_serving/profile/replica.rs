//! The kernels of a model's step, in their order and with its sizes, outside of the model: so that each can be timed.
//!
//! Weights are drawn: products take as long whatever they multiply. Attention need not, as the work of a softmax depends on its scores; drawn
//! weights make flat ones.

use anyhow::Result;
use jarre_kernels::kv::{KvCache, KvShape, KvType, RaggedBatch, Settings, ragged_attention};
use jarre_kernels::{Activation, LinearInput, RopePairs, Rotation, RowNorm, WeightLayout, gate_rows, host_values};
use jarre_transformer::generate::Sampler;
use jarre_transformer::{DecoderConfig, Device, NormKind, NormPlacement, Positions, Tensor};

use super::kernel::{Kernel, Times};
use super::linear::{Linear, input, noise};
use super::step::{BLOCK, Step};
use super::work::{self, Works};
use crate::args::Quant;

pub(super) struct Replica {
    config: DecoderConfig,
    embedding: Tensor<2>,
    layers: Vec<Layer>,
    caches: Vec<KvCache>,
    norm: RowNorm,
    head: Linear,
}

pub(super) struct Layer {
    pub(super) query: Linear,
    pub(super) key: Linear,
    pub(super) value: Linear,
    pub(super) output: Linear,
    pub(super) gate: Option<Linear>,
    pub(super) up: Linear,
    pub(super) down: Linear,
    placement: NormPlacement,
    norms: [RowNorm; 2],
    /// After attention and after the feed-forward network.
    pub(super) out_norms: Option<[RowNorm; 2]>,
    /// Of queries and keys in each head.
    pub(super) query_norm: Option<RowNorm>,
    pub(super) settings: Settings,
    activation: Activation,
}

/// Cosines and sines of a step's positions.
struct Angles {
    cos: Vec<f32>,
    sin: Vec<f32>,
    pairs: RopePairs,
}

impl Replica {
    pub(super) fn new(config: &DecoderConfig, quant: Option<Quant>) -> Self {
        let layout = if config.tied { WeightLayout::OutputFirst } else { WeightLayout::InputFirst };
        // Four bits leave the logits' weights at eight.
        let head_quant = if matches!(quant, Some(Quant::Int4)) { Some(Quant::Int8) } else { quant };
        Self {
            embedding: Tensor::<1>::from_data(noise(config.vocab_size * config.d_model).as_slice(), &Device::default())
                .reshape([config.vocab_size, config.d_model]),
            layers: (0..config.n_layers).map(|index| Layer::new(config, quant, index)).collect(),
            caches: Vec::new(),
            norm: row_norm(config, config.d_model),
            head: Linear::new([config.d_model, config.vocab_size], false, head_quant, layout),
            config: config.clone(),
        }
    }

    /// Bytes of the weights that a step reads.
    pub(super) fn weight_bytes(&self) -> usize {
        self.layers.iter().flat_map(Layer::linears).chain([&self.head]).map(Linear::bytes).sum()
    }

    /// Makes a cache of so many blocks in place of the one before.
    pub(super) fn make_room(&mut self, blocks: usize, kind: KvType) {
        let shape = KvShape { blocks, block_size: BLOCK, kv_heads: self.config.kv_heads(), head_dim: self.config.head_width() };
        self.caches = self.layers.iter().map(|_| KvCache::new(shape, kind)).collect();
    }

    /// Computes a step, and takes the times of its kernels.
    pub(super) fn step(&mut self, step: &Step, times: &mut Times, sampler: &mut Sampler) -> Result<()> {
        let positions = step.positions();
        let (mut x, angles) = times.time(Kernel::Embedding, || (self.embed(&step.tokens), Angles::new(&self.config, &positions)));
        let tables = step.tables();
        let batch = RaggedBatch { query_starts: &step.query_starts, block_tables: &tables, context_lens: &step.context_lens };
        let slots = step.slots();
        for (index, (layer, cache)) in self.layers.iter().zip(&mut self.caches).enumerate() {
            times.layer = Some(index);
            layer.forward(&mut x, &batch, &slots, angles.as_ref(), cache, times);
        }
        times.layer = None;
        let width = self.config.d_model;
        let mut hidden: Vec<f32> = step.outputs.iter().flat_map(|row| &x[row * width..(row + 1) * width]).copied().collect();
        times.time(Kernel::Norm, || self.norm.apply(&mut hidden));
        let logits = times.time(Kernel::Head, || self.head.forward(&LinearInput::Float(hidden), step.outputs.len()));
        times.time(Kernel::Sampling, || {
            let rows = logits.chunks_exact(self.config.vocab_size);
            rows.map(|row| sampler.sample(row).map(|sampled| std::hint::black_box(sampled.id))).collect::<Result<Vec<_>, _>>()
        })?;
        Ok(())
    }

    /// What the kernels of a step have to do.
    pub(super) fn work(&self, step: &Step) -> Works {
        let kv_bytes = self.caches.first().map_or(0.0, |cache| cache.bytes_per_block() as f64 / BLOCK as f64);
        let mut works = Works::default();
        for layer in &self.layers {
            work::of_layer(layer, step, &self.config, kv_bytes, &mut works);
        }
        work::of_ends(&self.head, step, &self.config, &mut works);
        works
    }

    /// Rows of the table, as the model takes them.
    fn embed(&self, tokens: &[u32]) -> Vec<f32> {
        // Floats hold every id of a vocabulary of up to 16 million tokens.
        let ids: Vec<f32> = tokens.iter().map(|token| *token as f32).collect();
        let ids = Tensor::<1>::from_data(ids.as_slice(), &self.embedding.device()).int();
        host_values(self.embedding.clone().select(0, ids))
    }
}

impl Layer {
    fn new(config: &DecoderConfig, quant: Option<Quant>, index: usize) -> Self {
        let (d, ff, head) = (config.d_model, config.d_ff, config.head_width());
        let (queries, keys) = (config.n_heads * head, config.kv_heads() * head);
        let linear = |dims, bias| Linear::new(dims, bias, quant, WeightLayout::InputFirst);
        let norms = || [row_norm(config, d), row_norm(config, d)];
        Self {
            query: linear([d, queries], config.qkv_bias),
            key: linear([d, keys], config.qkv_bias),
            value: linear([d, keys], config.qkv_bias),
            output: linear([queries, d], config.output_bias),
            gate: config.gated.then(|| linear([d, ff], config.mlp_bias)),
            up: linear([d, ff], config.mlp_bias),
            down: linear([ff, d], config.mlp_bias),
            placement: config.norm_placement,
            norms: norms(),
            out_norms: (config.norm_placement == NormPlacement::Sandwich).then(norms),
            query_norm: config.qk_norm.then(|| RowNorm::new(vec![1.0; head], None, config.norm_eps as f32)),
            settings: Settings {
                scale: config.attention_scale.unwrap_or_else(|| (head as f64).sqrt().recip()) as f32,
                softcap: config.attention_softcap.unwrap_or(0.0) as f32,
                window: config.window(index),
            },
            activation: config.activation.into(),
        }
    }

    fn linears(&self) -> impl Iterator<Item = &Linear> {
        self.readers().into_iter().chain([&self.output]).chain(&self.gate).chain([&self.up, &self.down])
    }

    fn readers(&self) -> [&Linear; 3] {
        [&self.query, &self.key, &self.value]
    }

    /// Bytes of a number that layers behind a norm read.
    pub(super) fn input_bytes(&self) -> f64 {
        if self.placement != NormPlacement::Post && self.query.multiplies_integers() { 1.0 } else { 4.0 }
    }

    /// Hidden states `[rows, d_model]`, edited.
    fn forward(
        &self,
        x: &mut [f32],
        batch: &RaggedBatch<'_>,
        slots: &[usize],
        angles: Option<&Angles>,
        cache: &mut KvCache,
        times: &mut Times,
    ) {
        let rows = slots.len();
        let post = self.placement == NormPlacement::Post;
        let [first, second] = self.norms.each_ref().map(|norm| (!post).then_some(norm));
        let inner = times.time(Kernel::Norm, || input(x, first, self.readers()));
        let [mut query, mut key, value] = times.time(Kernel::Qkv, || self.readers().map(|linear| linear.forward(&inner, rows)));
        if let Some(norm) = &self.query_norm {
            times.time(Kernel::Norm, || [&mut query, &mut key].into_iter().for_each(|x| norm.apply(x)));
        }
        times.time(Kernel::RopeKvWrite, || match angles {
            Some(angles) => {
                angles.rotation().rotate(&mut query, rows, cache.shape().head_dim);
                cache.write_rotated(slots, &key, &value, &angles.rotation());
            }
            None => cache.write(slots, &key, &value),
        });
        let mixed = times.time(Kernel::Attention, || {
            let mut mixed = vec![0.0; query.len()];
            ragged_attention(cache, &query, batch, self.settings, &mut mixed, None);
            LinearInput::Float(mixed)
        });
        self.add(Kernel::Output, &mixed, rows, x, times);
        if post {
            times.time(Kernel::Norm, || self.norms[0].apply(x));
        }
        let inner = times.time(Kernel::Norm, || input(x, second, self.gate.iter().chain([&self.up])));
        let inner = times.time(Kernel::GateUp, || LinearInput::Float(self.inner(&inner, rows)));
        self.add(Kernel::Down, &inner, rows, x, times);
        if post {
            times.time(Kernel::Norm, || self.norms[1].apply(x));
        }
    }

    /// Adds what the projection after attention, or the last layer of the feed-forward network, makes of `inner`.
    fn add(&self, kernel: Kernel, inner: &LinearInput, rows: usize, x: &mut [f32], times: &mut Times) {
        let (linear, place) = if kernel == Kernel::Output { (&self.output, 0) } else { (&self.down, 1) };
        let Some(norms) = &self.out_norms else {
            times.time(kernel, || linear.forward_onto(inner, rows, x));
            return;
        };
        let mut out = times.time(kernel, || linear.forward(inner, rows));
        times.time(Kernel::Norm, || {
            norms[place].apply(&mut out);
            x.iter_mut().zip(out).for_each(|(x, out)| *x += out);
        });
    }

    fn inner(&self, x: &LinearInput, rows: usize) -> Vec<f32> {
        if let Some(gate) = &self.gate {
            return self.up.forward_gated(gate, x, rows, self.activation);
        }
        let mut inner = self.up.forward(x, rows);
        gate_rows(&mut inner, None, self.activation);
        inner
    }
}

impl Angles {
    /// As many cosines and sines as the model makes; stretched frequencies take no other time.
    fn new(config: &DecoderConfig, positions: &[usize]) -> Option<Self> {
        let Positions::Rope(rope) = &config.positions else { return None };
        let dim = rope.dim.unwrap_or(config.head_width());
        let frequencies: Vec<f32> = (0..dim / 2).map(|i| rope.theta.powf(-2.0 * i as f64 / dim as f64) as f32).collect();
        let angles = || positions.iter().flat_map(|position| frequencies.iter().map(move |frequency| *position as f32 * frequency));
        Some(Self { cos: angles().map(f32::cos).collect(), sin: angles().map(f32::sin).collect(), pairs: rope.layout.into() })
    }

    fn rotation(&self) -> Rotation<'_> {
        Rotation { cos: &self.cos, sin: &self.sin, pairs: self.pairs }
    }
}

fn row_norm(config: &DecoderConfig, width: usize) -> RowNorm {
    let bias = (config.norm == NormKind::LayerNorm).then(|| vec![0.0; width]);
    RowNorm::new(vec![1.0; width], bias, config.norm_eps as f32)
}

#[cfg(test)]
mod tests {
    use jarre_transformer::generate::SamplingParams;

    use super::*;

    #[test]
    fn a_step_has_each_kernel_of_each_layer_once_and_work_for_all() {
        let config = DecoderConfig::new(60, 64, 4, 3, 96).with_n_kv_heads(Some(2));
        for quant in [None, Some(Quant::Int8), Some(Quant::Int4), Some(Quant::Bf16)] {
            let mut replica = Replica::new(&config, quant);
            let step = Step::decode(2, 20, 60);
            replica.make_room(step.blocks(), KvType::Bf16);
            let mut times = Times::default();
            replica.step(&step, &mut times, &mut Sampler::new(&SamplingParams::greedy(), 60).unwrap()).unwrap();
            let count = |kernel| times.spans.iter().filter(|span| span.kernel == kernel).count();
            for kernel in [Kernel::Qkv, Kernel::RopeKvWrite, Kernel::Attention, Kernel::Output, Kernel::GateUp, Kernel::Down] {
                assert_eq!(count(kernel), 3, "{kernel:?}");
            }
            assert_eq!((count(Kernel::Norm), count(Kernel::Head), count(Kernel::Sampling)), (7, 1, 1));
            let works = replica.work(&step);
            assert!(works.iter().all(|work| work.operations > 0.0 && work.bytes > 0.0));
            // Two rows through 64 x (64 + 2 x 32) in three layers; 21 positions of two streams, in 4 heads of 16.
            assert!((works[Kernel::Qkv as usize].operations - 2.0 * 2.0 * 64.0 * 128.0 * 3.0).abs() < 1e-6);
            assert!((works[Kernel::Attention as usize].operations - 4.0 * 42.0 * 64.0 * 3.0).abs() < 1e-6);
        }
    }

    #[test]
    fn every_family_has_a_replica() {
        let base = DecoderConfig::new(60, 64, 4, 2, 96);
        let families = [
            base.clone().with_norm_placement(NormPlacement::Post).with_gated(false).with_norm(NormKind::LayerNorm).with_qkv_bias(true),
            base.clone().with_norm_placement(NormPlacement::Sandwich).with_sliding_window(Some(8)).with_qk_norm(true),
            base.with_positions(Positions::Learned).with_tied(false),
        ];
        for config in families {
            for quant in [None, Some(Quant::Int8)] {
                let mut replica = Replica::new(&config, quant);
                let step = Step::prefill(19, 60);
                replica.make_room(step.blocks(), KvType::F32);
                let mut sampler = Sampler::new(&SamplingParams::greedy(), 60).unwrap();
                replica.step(&step, &mut Times::default(), &mut sampler).unwrap();
            }
        }
    }
}
