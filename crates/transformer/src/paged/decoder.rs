mod read;

use burn::tensor::{Device, Int, Tensor};
use jarre_kernels::kv::{KvShape, KvType};
use jarre_kernels::{LinearInput, RowNorm, host_values, on_host};

use super::adapter::{AdaptedRows, PagedAdapter};
use super::batch::PagedBatch;
use super::cache::PagedKvCache;
use super::layer::PagedLayer;
use super::reduce::{Reduce, Whole};
use super::row_linear::RowLinear;
use super::shard::Shard;
use super::step::{Angles, Step};
use crate::decoder::{Decoder, DecoderConfig, Norm};
use crate::error::{Error, Result};
use crate::position::{Positions, sinusoidal_table};

/// A [`Decoder`] that reads ragged batches over a [`PagedKvCache`]. It shares the decoder's weights, packed or not.
#[derive(Debug)]
pub struct PagedDecoder {
    config: DecoderConfig,
    /// Whose part it is, or the one that has everything.
    shard: Shard,
    /// Those whose keys it caches: all of the model, or those of a worker.
    kv_heads: usize,
    max_len: usize,
    embedding: Tensor<2>,
    /// Learned positions, `[max_positions, d_model]`.
    positions: Option<Vec<f32>>,
    layers: Vec<PagedLayer>,
    norm: Option<RowNorm>,
    head: RowLinear,
}

impl PagedDecoder {
    /// The decoder for sequences of up to `max_len` tokens, or as many as it has learned positions for, if that is fewer.
    ///
    /// Rotations that depend on the length of a text (dynamic NTK, `LongRoPE`) take `max_len` for it: what is cached stays valid while a
    /// text grows.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a model that is not in host memory, `ALiBi`, and adapters that are not merged: those
    /// come with the sequences that want them ([`PagedBatch::adapters`]).
    pub fn new(decoder: &Decoder, max_len: usize) -> Result<Self> {
        let config = decoder.config();
        check_supported(config, &decoder.device())?;
        let layers = decoder.layers.iter().enumerate().map(|(index, layer)| PagedLayer::new(layer, config, index));
        let tied = || Ok(RowLinear::tied(decoder.embedding.weight.val(), decoder.precision()));
        let head = decoder.head.as_ref().map_or_else(tied, |head| RowLinear::new(head, None))?;
        Ok(Self::of(decoder, max_len, Shard::WHOLE, config.kv_heads(), layers.collect::<Result<_>>()?, head))
    }

    /// With the embeddings and the last norm of a decoder.
    fn of(decoder: &Decoder, max_len: usize, shard: Shard, kv_heads: usize, layers: Vec<PagedLayer>, head: RowLinear) -> Self {
        let config = decoder.config().clone();
        Self {
            shard,
            kv_heads,
            max_len: if config.positions == Positions::Learned { max_len.min(config.max_positions) } else { max_len },
            embedding: decoder.embedding.weight.val(),
            positions: decoder.positions.as_ref().map(|table| host_values(table.val())),
            layers,
            norm: decoder.norm.as_ref().map(Norm::rows),
            head,
            config,
        }
    }

    /// What the model is.
    pub fn config(&self) -> &DecoderConfig {
        &self.config
    }

    /// The most tokens of a sequence.
    pub fn max_len(&self) -> usize {
        self.max_len
    }

    /// A cache of `blocks` blocks of `block_size` positions.
    ///
    /// # Panics
    /// Where a block has no position, or a head is wider than 256.
    pub fn new_cache(&self, blocks: usize, block_size: usize, kind: KvType) -> PagedKvCache {
        PagedKvCache::new(self.layers.len(), self.shape(blocks, block_size), kind)
    }

    /// Bytes that a block takes in all layers.
    pub fn bytes_per_block(&self, block_size: usize, kind: KvType) -> usize {
        self.layers.len() * self.shape(1, block_size).bytes_per_block(kind)
    }

    /// Reads the batch: writes keys and values of its tokens to the cache, and gives the logits after those that are asked for,
    /// `[outputs, vocab_size]`.
    ///
    /// # Panics
    /// Where a token is beyond the vocabulary, the sizes of the batch do not fit each other, a sequence is longer than
    /// [`max_len`](Self::max_len) or than its blocks hold, or the cache or an adapter is another model's.
    pub fn forward(&self, cache: &mut PagedKvCache, batch: &PagedBatch<'_>) -> Vec<f32> {
        let hidden = self.hidden(cache, batch);
        if batch.outputs.is_empty() {
            return Vec::new();
        }
        self.logits(&hidden, batch.outputs.len())
    }

    /// As [`forward`](Self::forward), but gives hidden states after the last normalisation, `[outputs, d_model]`.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn hidden(&self, cache: &mut PagedKvCache, batch: &PagedBatch<'_>) -> Vec<f32> {
        let Ok(hidden) = self.hidden_by(cache, batch, &mut Whole);
        hidden
    }

    /// The part of a worker: its heads, its inner values, and its tokens of the head; embeddings and norms are everybody's.
    pub(super) fn shard(&self, shard: Shard) -> Result<Self> {
        let tokens = shard.part("the vocabulary", self.config.vocab_size, 1)?;
        Ok(Self {
            config: self.config.clone(),
            shard,
            kv_heads: shard.heads(self.config.kv_heads())?.len(),
            max_len: self.max_len,
            embedding: self.embedding.clone(),
            positions: self.positions.clone(),
            layers: self.layers.iter().map(|layer| layer.shard(shard, &self.config)).collect::<Result<_>>()?,
            norm: self.norm.clone(),
            head: self.head.outputs_part(tokens),
        })
    }

    /// Whose part it is.
    pub(super) fn place(&self) -> Shard {
        self.shard
    }

    /// What of an adapter of the whole model this part computes with.
    ///
    /// # Errors
    /// Where it is none of such a model.
    pub(super) fn adapter_part(&self, adapter: &PagedAdapter) -> Result<PagedAdapter> {
        if !adapter.fits(&self.config) {
            let found = "one of another model, or a part of one".to_owned();
            return Err(Error::Unsupported { what: "adapter", found, supported: "whole adapters of the model that was cut" });
        }
        Ok(adapter.part(self.shard, self.layers.iter().map(PagedLayer::targets)))
    }

    /// As [`adapter_part`](Self::adapter_part), from an adapter's words.
    pub(super) fn read_adapter(&self, words: &[u32]) -> Result<PagedAdapter> {
        self.adapter_part(&PagedAdapter::from_words(&self.config, words, &self.embedding.device())?)
    }

    /// [`hidden`](Self::hidden), with outputs of layers brought together by `reduce`.
    pub(super) fn hidden_by<R: Reduce>(
        &self,
        cache: &mut PagedKvCache,
        batch: &PagedBatch<'_>,
        reduce: &mut R,
    ) -> Result<Vec<f32>, R::Error> {
        self.check(cache, batch);
        if batch.tokens.is_empty() {
            return Ok(Vec::new());
        }
        let positions = batch.positions();
        let step = Step {
            batch: batch.ragged(),
            rows: batch.tokens.len(),
            slots: batch.slots(cache.block_size()),
            angles: self.angles(&positions),
            adapted: AdaptedRows::of(batch),
        };
        let mut x = self.embed(batch.tokens, &positions);
        for (layer, cache) in self.layers.iter().zip(&mut cache.layers) {
            layer.forward(&mut x, &step, cache, reduce)?;
        }
        let width = self.config.d_model;
        let mut hidden: Vec<f32> = batch.outputs.iter().flat_map(|row| &x[row * width..(row + 1) * width]).copied().collect();
        if let Some(norm) = &self.norm {
            norm.apply(&mut hidden);
        }
        Ok(hidden)
    }

    /// Logits of hidden states, of the tokens that the head has.
    pub(super) fn logits(&self, hidden: &[f32], rows: usize) -> Vec<f32> {
        let mut logits = self.head.product(&LinearInput::Float(hidden.to_vec()), rows);
        if let Some(cap) = self.config.logit_softcap {
            let cap = cap as f32;
            for logit in &mut logits {
                *logit = (*logit / cap).tanh() * cap;
            }
        }
        logits
    }

    fn check(&self, cache: &PagedKvCache, batch: &PagedBatch<'_>) {
        assert_eq!(cache.layers.len(), self.layers.len(), "layers of the cache and of the model");
        assert_eq!(batch.query_starts.last().copied().unwrap_or(0), batch.tokens.len(), "tokens of the sequences and of the batch");
        assert!(batch.adapters.is_empty() || batch.adapters.len() == batch.context_lens.len(), "adapters and sequences");
        let fits = batch.adapters.iter().flatten().all(|adapter| adapter.fits_part(&self.config, self.shard));
        assert!(fits, "an adapter is another model's");
        let longest = batch.context_lens.iter().max().copied().unwrap_or(0);
        assert!(longest <= self.max_len, "a sequence of {longest} tokens; the model reads {}", self.max_len);
        assert!(batch.outputs.iter().all(|&row| row < batch.tokens.len()), "logits are wanted after tokens of the batch");
        let beyond = batch.tokens.iter().find(|&&id| id as usize >= self.config.vocab_size);
        assert!(beyond.is_none(), "token {} of a vocabulary of {}", beyond.unwrap_or(&0), self.config.vocab_size);
    }

    /// `[rows, d_model]`.
    fn embed(&self, tokens: &[u32], positions: &[usize]) -> Vec<f32> {
        let ids: Vec<i32> = tokens.iter().map(|&id| id as i32).collect();
        let ids = Tensor::<1, Int>::from_data(ids.as_slice(), &self.embedding.device());
        let mut x = host_values(self.embedding.clone().select(0, ids));
        if let Some(scale) = self.config.embedding_scale {
            for x in &mut x {
                *x *= scale as f32;
            }
        }
        let width = self.config.d_model;
        let add = |x: &mut [f32], row: &[f32]| x.iter_mut().zip(row).for_each(|(x, row)| *x += row);
        if let Some(table) = &self.positions {
            x.chunks_exact_mut(width).zip(positions).for_each(|(x, at)| add(x, &table[at * width..(at + 1) * width]));
        } else if self.config.positions == Positions::Sinusoidal {
            let table = sinusoidal_table(positions.iter().max().map_or(0, |last| last + 1), width, true);
            x.chunks_exact_mut(width).zip(positions).for_each(|(x, at)| add(x, &table[at * width..(at + 1) * width]));
        }
        x
    }

    fn angles(&self, positions: &[usize]) -> Option<Angles> {
        let Positions::Rope(config) = &self.config.positions else { return None };
        let (cos, sin) = config.init(self.config.head_width()).tables(positions, self.max_len);
        Some(Angles { cos, sin, pairs: config.layout.into() })
    }

    fn shape(&self, blocks: usize, block_size: usize) -> KvShape {
        KvShape { blocks, block_size, kv_heads: self.kv_heads, head_dim: self.config.head_width() }
    }
}

fn check_supported(config: &DecoderConfig, device: &Device) -> Result<()> {
    if !on_host(device) {
        let found = format!("{device:?}");
        return Err(Error::Unsupported { what: "device", found, supported: "the host: a paged decoder computes there" });
    }
    if config.positions == Positions::Alibi {
        let supported = "rotary, learned and sinusoidal positions over a paged cache";
        return Err(Error::Unsupported { what: "position", found: "alibi".to_owned(), supported });
    }
    Ok(())
}
