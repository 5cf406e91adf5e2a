//! A worker's part of a layer: some heads, and some of the feed-forward network's inner values.

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

impl Attention {
    /// Key heads with the query heads that read them, and the rows of the output that read those.
    fn shard(&self, shard: Shard, config: &DecoderConfig) -> Result<Self> {
        let width = config.head_width();
        let keys = shard.heads(config.kv_heads())?;
        let values = |heads: usize| keys.start * heads * width..keys.end * heads * width;
        let (mine, queries) = (values(1), values(config.n_heads / config.kv_heads()));
        shard.check_group("heads", &queries, self.output.group())?;
        Ok(Self {
            query: self.query.outputs_part(queries.clone()),
            key: self.key.outputs_part(mine.clone()),
            value: self.value.outputs_part(mine),
            output: self.output.inputs_part(queries),
            query_norm: self.query_norm.clone(),
            key_norm: self.key_norm.clone(),
            settings: self.settings,
        })
    }
}

impl Network {
    fn shard(&self, shard: Shard) -> Result<Self> {
        let inner = shard.part("the feed-forward network's inner values", self.up.outputs(), self.down.group())?;
        Ok(Self {
            gate: self.gate.as_ref().map(|gate| gate.outputs_part(inner.clone())),
            up: self.up.outputs_part(inner.clone()),
            down: self.down.inputs_part(inner),
            activation: self.activation,
        })
    }
}
