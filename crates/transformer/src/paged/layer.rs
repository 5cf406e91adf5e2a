use jarre_kernels::kv::{KvCache, Settings, ragged_attention};
use jarre_kernels::{Activation, LinearInput, RowNorm, gate_rows};

use super::row_linear::{RowLinear, input};
use super::step::Step;
use crate::attention::MultiHeadAttention;
use crate::decoder::{DecoderConfig, DecoderLayer, FeedForward, Norm, NormPlacement};
use crate::error::Result;

/// One layer of a decoder.
#[derive(Debug)]
pub(super) struct PagedLayer {
    attention: Attention,
    feed_forward: Network,
    placement: NormPlacement,
    attention_norm: RowNorm,
    feed_forward_norm: RowNorm,
    attention_out_norm: Option<RowNorm>,
    feed_forward_out_norm: Option<RowNorm>,
}

impl PagedLayer {
    pub(super) fn new(layer: &DecoderLayer, config: &DecoderConfig, index: usize) -> Result<Self> {
        Ok(Self {
            attention: Attention::new(&layer.attention, config.window(index))?,
            feed_forward: Network::new(&layer.feed_forward)?,
            placement: config.norm_placement,
            attention_norm: layer.attention_norm.rows(),
            feed_forward_norm: layer.feed_forward_norm.rows(),
            attention_out_norm: layer.attention_out_norm.as_ref().map(Norm::rows),
            feed_forward_out_norm: layer.feed_forward_out_norm.as_ref().map(Norm::rows),
        })
    }

    /// Hidden states `[rows, d_model]`, edited.
    pub(super) fn forward(&self, x: &mut [f32], step: &Step<'_>, cache: &mut KvCache) {
        let post = self.placement == NormPlacement::Post;
        let norm = (!post).then_some(&self.attention_norm);
        let mixed = self.attention.forward(&input(x, norm, self.attention.readers()), step, cache);
        add(&self.attention.output, &mixed, self.attention_out_norm.as_ref(), step.rows, x);
        if post {
            self.attention_norm.apply(x);
        }
        let norm = (!post).then_some(&self.feed_forward_norm);
        let inner = self.feed_forward.inner(&input(x, norm, self.feed_forward.readers()), step.rows);
        add(&self.feed_forward.down, &inner, self.feed_forward_out_norm.as_ref(), step.rows, x);
        if post {
            self.feed_forward_norm.apply(x);
        }
    }
}

/// Adds a linear layer of `inner` to the hidden states, normalised where there is a norm for it.
fn add(linear: &RowLinear, inner: &LinearInput, norm: Option<&RowNorm>, rows: usize, x: &mut [f32]) {
    match norm {
        None => linear.forward_onto(inner, rows, x),
        Some(norm) => {
            let mut out = linear.forward(inner, rows);
            norm.apply(&mut out);
            x.iter_mut().zip(out).for_each(|(x, out)| *x += out);
        }
    }
}

#[derive(Debug)]
struct Attention {
    query: RowLinear,
    key: RowLinear,
    value: RowLinear,
    output: RowLinear,
    query_norm: Option<RowNorm>,
    key_norm: Option<RowNorm>,
    settings: Settings,
}

impl Attention {
    fn new(attention: &MultiHeadAttention, window: Option<usize>) -> Result<Self> {
        Ok(Self {
            query: RowLinear::new(&attention.query)?,
            key: RowLinear::new(&attention.key)?,
            value: RowLinear::new(&attention.value)?,
            output: RowLinear::new(&attention.output)?,
            query_norm: attention.query_norm.as_ref().map(Norm::rows),
            key_norm: attention.key_norm.as_ref().map(Norm::rows),
            settings: Settings { scale: attention.scale() as f32, softcap: attention.softcap() as f32, window },
        })
    }

    fn readers(&self) -> [&RowLinear; 3] {
        [&self.query, &self.key, &self.value]
    }

    /// Writes keys and values to the cache and mixes what each token sees: `[rows, n_heads head_dim]`.
    fn forward(&self, x: &LinearInput, step: &Step<'_>, cache: &mut KvCache) -> LinearInput {
        let [mut query, mut key, value] = self.readers().map(|linear| linear.forward(x, step.rows));
        for (norm, x) in [(&self.query_norm, &mut query), (&self.key_norm, &mut key)] {
            if let Some(norm) = norm {
                norm.apply(x);
            }
        }
        match &step.angles {
            Some(angles) => {
                angles.rotation().rotate(&mut query, step.rows, cache.shape().head_dim);
                cache.write_rotated(&step.slots, &key, &value, &angles.rotation());
            }
            None => cache.write(&step.slots, &key, &value),
        }
        let mut mixed = vec![0.0; query.len()];
        ragged_attention(cache, &query, &step.batch, self.settings, &mut mixed, None);
        LinearInput::Float(mixed)
    }
}

#[derive(Debug)]
struct Network {
    gate: Option<RowLinear>,
    up: RowLinear,
    down: RowLinear,
    activation: Activation,
}

impl Network {
    fn new(network: &FeedForward) -> Result<Self> {
        Ok(Self {
            gate: network.gate.as_ref().map(RowLinear::new).transpose()?,
            up: RowLinear::new(&network.up)?,
            down: RowLinear::new(&network.down)?,
            activation: network.activation().into(),
        })
    }

    fn readers(&self) -> impl Iterator<Item = &RowLinear> {
        self.gate.iter().chain([&self.up])
    }

    /// What the last linear layer reads, `[rows, d_ff]`.
    fn inner(&self, x: &LinearInput, rows: usize) -> LinearInput {
        if let Some(gate) = &self.gate {
            return LinearInput::Float(self.up.forward_gated(gate, x, rows, self.activation));
        }
        let mut inner = self.up.forward(x, rows);
        gate_rows(&mut inner, None, self.activation);
        LinearInput::Float(inner)
    }
}
