mod read;
mod shard;

use jarre_kernels::kv::{KvCache, Settings, ragged_attention};
use jarre_kernels::{Activation, RowNorm, gate_rows};

use super::adapter::{OfTargets, Place, Target};
use super::reduce::Reduce;
use super::row_linear::{RowInput, RowLinear};
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
        let attention = Attention::new(&layer.attention, config.window(index), index)?;
        Ok(Self::of(layer, config, attention, Network::new(&layer.feed_forward, index)?))
    }

    /// With the norms of a layer.
    fn of(layer: &DecoderLayer, config: &DecoderConfig, attention: Attention, feed_forward: Network) -> Self {
        Self {
            attention,
            feed_forward,
            placement: config.norm_placement,
            attention_norm: layer.attention_norm.rows(),
            feed_forward_norm: layer.feed_forward_norm.rows(),
            attention_out_norm: layer.attention_out_norm.as_ref().map(Norm::rows),
            feed_forward_out_norm: layer.feed_forward_out_norm.as_ref().map(Norm::rows),
        }
    }

    /// Its projections, as adapters know them.
    pub(super) fn targets(&self) -> OfTargets<Option<&RowLinear>> {
        let (attention, network) = (&self.attention, &self.feed_forward);
        let [query, key, value] = attention.readers();
        [Some(query), Some(key), Some(value), Some(&attention.output), network.gate.as_ref(), Some(&network.up), Some(&network.down)]
    }

    /// Hidden states `[rows, d_model]`, edited.
    pub(super) fn forward<R: Reduce>(&self, x: &mut [f32], step: &Step<'_>, cache: &mut KvCache, reduce: &mut R) -> Result<(), R::Error> {
        let post = self.placement == NormPlacement::Post;
        let norm = (!post).then_some(&self.attention_norm);
        let mixed = self.attention.forward(&RowInput::new(x, norm, self.attention.readers(), step), step, cache);
        reduce.add(&self.attention.output, &mixed, self.attention_out_norm.as_ref(), step, x)?;
        if post {
            self.attention_norm.apply(x);
        }
        let norm = (!post).then_some(&self.feed_forward_norm);
        let inner = self.feed_forward.inner(&RowInput::new(x, norm, self.feed_forward.readers(), step), step);
        reduce.add(&self.feed_forward.down, &inner, self.feed_forward_out_norm.as_ref(), step, x)?;
        if post {
            self.feed_forward_norm.apply(x);
        }
        Ok(())
    }
}

/// Adds a linear layer of `inner` to the hidden states, normalised where there is a norm for it.
pub(super) fn add(linear: &RowLinear, inner: &RowInput, norm: Option<&RowNorm>, step: &Step<'_>, x: &mut [f32]) {
    match norm {
        None => linear.forward_onto(inner, step, x),
        Some(norm) => {
            let mut out = linear.forward(inner, step);
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
    fn new(attention: &MultiHeadAttention, window: Option<usize>, layer: usize) -> Result<Self> {
        let at = |target| Some(Place { layer, target });
        let query = RowLinear::new(&attention.query, at(Target::Query))?;
        let key = RowLinear::new(&attention.key, at(Target::Key))?;
        let value = RowLinear::new(&attention.value, at(Target::Value))?;
        let output = RowLinear::new(&attention.output, at(Target::Output))?;
        Ok(Self::of(attention, window, [query, key, value, output]))
    }

    /// With the norms and settings of an attention.
    fn of(attention: &MultiHeadAttention, window: Option<usize>, [query, key, value, output]: [RowLinear; 4]) -> Self {
        Self {
            query,
            key,
            value,
            output,
            query_norm: attention.query_norm.as_ref().map(Norm::rows),
            key_norm: attention.key_norm.as_ref().map(Norm::rows),
            settings: Settings { scale: attention.scale() as f32, softcap: attention.softcap() as f32, window },
        }
    }

    fn readers(&self) -> [&RowLinear; 3] {
        [&self.query, &self.key, &self.value]
    }

    /// Writes keys and values to the cache and mixes what each token sees: `[rows, n_heads head_dim]`.
    fn forward(&self, x: &RowInput, step: &Step<'_>, cache: &mut KvCache) -> RowInput {
        let [mut query, mut key, value] = self.readers().map(|linear| linear.forward(x, step));
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
        RowInput::plain(mixed, step)
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
    fn new(network: &FeedForward, layer: usize) -> Result<Self> {
        let at = |target| Some(Place { layer, target });
        Ok(Self {
            gate: network.gate.as_ref().map(|gate| RowLinear::new(gate, at(Target::Gate))).transpose()?,
            up: RowLinear::new(&network.up, at(Target::Up))?,
            down: RowLinear::new(&network.down, at(Target::Down))?,
            activation: network.activation().into(),
        })
    }

    fn readers(&self) -> impl Iterator<Item = &RowLinear> {
        self.gate.iter().chain([&self.up])
    }

    /// What the last linear layer reads, `[rows, d_ff]`.
    fn inner(&self, x: &RowInput, step: &Step<'_>) -> RowInput {
        if let Some(gate) = &self.gate {
            return RowInput::plain(self.up.forward_gated(gate, x, step, self.activation), step);
        }
        let mut inner = self.up.forward(x, step);
        gate_rows(&mut inner, None, self.activation);
        RowInput::plain(inner, step)
    }
}
