//! A worker's part of a layer, read from a file.

use super::shard::{Heads, inner_values};
use super::{Attention, Network, PagedLayer};
use crate::attention::MultiHeadAttention;
use crate::decoder::{DecoderConfig, DecoderLayer, FeedForward, Projection};
use crate::error::Result;
use crate::paged::adapter::{Place, Target};
use crate::paged::part_reader::PartReader;
use crate::paged::shard::Shard;

impl PagedLayer {
    /// The part of layer `index`, of which `layer` says what it is like.
    pub(in crate::paged) fn read(
        layer: DecoderLayer,
        index: usize,
        config: &DecoderConfig,
        shard: Shard,
        reader: &PartReader<'_>,
    ) -> Result<Self> {
        let layer = reader.norms(layer, &format!("layers.{index}"));
        let attention = Attention::read(&layer.attention, index, config, shard, reader)?;
        let feed_forward = Network::read(&layer.feed_forward, index, config, shard, reader)?;
        Ok(Self::of(&layer, config, attention, feed_forward))
    }
}

impl Attention {
    fn read(attention: &MultiHeadAttention, layer: usize, config: &DecoderConfig, shard: Shard, reader: &PartReader<'_>) -> Result<Self> {
        let path = |name: &str| format!("layers.{layer}.attention.{name}");
        let at = |target| Some(Place { layer, target });
        let output = reader.begin(&attention.output, path("output"));
        let Heads { keys, queries } = Heads::of(shard, config, output.group())?;
        let read = |linear: &Projection, name: &str, outputs: &std::ops::Range<usize>, target| {
            reader.begin(linear, path(name)).outputs(outputs.clone(), at(target))
        };
        let query = read(&attention.query, "query", &queries, Target::Query)?;
        let key = read(&attention.key, "key", &keys, Target::Key)?;
        let value = read(&attention.value, "value", &keys, Target::Value)?;
        let output = output.inputs(queries, at(Target::Output))?;
        Ok(Self::of(attention, config.window(layer), [query, key, value, output]))
    }
}

impl Network {
    fn read(network: &FeedForward, layer: usize, config: &DecoderConfig, shard: Shard, reader: &PartReader<'_>) -> Result<Self> {
        let path = |name: &str| format!("layers.{layer}.feed_forward.{name}");
        let at = |target| Some(Place { layer, target });
        let down = reader.begin(&network.down, path("down"));
        let inner = inner_values(shard, config.d_ff, down.group())?;
        let read = |linear: &Projection, name: &str, target| reader.begin(linear, path(name)).outputs(inner.clone(), at(target));
        Ok(Self {
            gate: network.gate.as_ref().map(|gate| read(gate, "gate", Target::Gate)).transpose()?,
            up: read(&network.up, "up", Target::Up)?,
            down: down.inputs(inner.clone(), at(Target::Down))?,
            activation: network.activation().into(),
        })
    }
}
