//! A worker's part of a layer: some heads, and some of the feed-forward network's inner values.

use std::ops::Range;

use super::{Attention, Network, PagedLayer};
use crate::decoder::DecoderConfig;
use crate::error::Result;
use crate::paged::shard::Shard;

impl PagedLayer {
    /// The part of a worker; norms are everybody's.
    pub(in crate::paged) fn shard(&self, shard: Shard, config: &DecoderConfig) -> Result<Self> {
        Ok(Self {
            attention: self.attention.shard(shard, config)?,
            feed_forward: self.feed_forward.shard(shard)?,
            placement: self.placement,
            attention_norm: self.attention_norm.clone(),
            feed_forward_norm: self.feed_forward_norm.clone(),
            attention_out_norm: self.attention_out_norm.clone(),
            feed_forward_out_norm: self.feed_forward_out_norm.clone(),
        })
    }
}

/// Values of a worker's key heads, and of the query heads that read them.
pub(super) struct Heads {
    pub(super) keys: Range<usize>,
    pub(super) queries: Range<usize>,
}

impl Heads {
    /// `group` inputs of the output layer share a scale.
    pub(super) fn of(shard: Shard, config: &DecoderConfig, group: usize) -> Result<Self> {
        let width = config.head_width();
        let heads = shard.heads(config.kv_heads())?;
        let values = |each: usize| heads.start * each * width..heads.end * each * width;
        let queries = values(config.n_heads / config.kv_heads());
        shard.check_group("heads", &queries, group)?;
        Ok(Self { keys: values(1), queries })
    }
}

/// A worker's inner values of the feed-forward network, of `len`; `group` inputs of its last layer share a scale.
pub(super) fn inner_values(shard: Shard, len: usize, group: usize) -> Result<Range<usize>> {
    shard.part("the feed-forward network's inner values", len, group)
}

impl Attention {
    /// Key heads with the query heads that read them, and the rows of the output that read those.
    fn shard(&self, shard: Shard, config: &DecoderConfig) -> Result<Self> {
        let Heads { keys, queries } = Heads::of(shard, config, self.output.group())?;
        Ok(Self {
            query: self.query.outputs_part(queries.clone()),
            key: self.key.outputs_part(keys.clone()),
            value: self.value.outputs_part(keys),
            output: self.output.inputs_part(queries),
            query_norm: self.query_norm.clone(),
            key_norm: self.key_norm.clone(),
            settings: self.settings,
        })
    }
}

impl Network {
    fn shard(&self, shard: Shard) -> Result<Self> {
        let inner = inner_values(shard, self.up.outputs(), self.down.group())?;
        Ok(Self {
            gate: self.gate.as_ref().map(|gate| gate.outputs_part(inner.clone())),
            up: self.up.outputs_part(inner.clone()),
            down: self.down.inputs_part(inner),
            activation: self.activation,
        })
    }
}
