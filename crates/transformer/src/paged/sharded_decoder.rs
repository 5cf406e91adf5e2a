use jarre_kernels::kv::KvType;

use super::adapter::PagedAdapter;
use super::batch::PagedBatch;
use super::cache::PagedKvCache;
use super::decoder::PagedDecoder;
use super::reduce::Sharded;
use super::shard::Shard;
use crate::collective::Collective;
use crate::decoder::{Decoder, DecoderConfig};
use crate::error::{Error, Result};

/// One worker's part of a [`PagedDecoder`]: tensor parallelism after [Shoeybi et al. 2019](https://arxiv.org/abs/1909.08053).
///
/// Query, key, value, gate and up are cut by their outputs (whole heads; inner values), the layers after them by their inputs, and the head
/// by tokens. Each worker caches the keys and values of its own heads. Embeddings and norms are on every worker. The workers meet twice a
/// layer and once for the logits.
///
/// The logits are those of the whole decoder: to the bit where layers hold eight-bit weights and multiply integers (W8A8), because rows are
/// rounded with scales of whole rows and sums are added up as integers; else to the rounding of sums.
///
/// ```
/// use jarre_transformer::collective::{Communicator, Rendezvous, RingConfig};
/// use jarre_transformer::paged::{KvType, PagedBatch, PagedDecoder, ShardedDecoder};
/// use jarre_transformer::{DecoderConfig, Device};
///
/// let decoder = DecoderConfig::new(100, 32, 4, 2, 64).init(&Device::default());
/// let batch = PagedBatch { tokens: &[7, 8], query_starts: &[0, 2], context_lens: &[2], block_tables: &[&[0]], adapters: &[], outputs: &[1] };
/// let part = |mut communicator: Communicator| {
///     let part = ShardedDecoder::new(&decoder, 64, communicator.rank(), communicator.world_size())?;
///     part.forward(&mut part.new_cache(1, 16, KvType::F32), &batch, &mut communicator)
/// };
/// let rendezvous = Rendezvous::bind(&RingConfig::new(0, 2, "127.0.0.1:0".parse()?))?;
/// let other = RingConfig::new(1, 2, rendezvous.address());
/// let [mine, theirs] = std::thread::scope(|scope| {
///     let theirs = scope.spawn(|| part(Communicator::connect(&other)?));
///     [part(rendezvous.connect()?), theirs.join().expect("it does not panic")].into_iter().collect::<Result<Vec<_>, _>>()
/// })?.try_into().expect("two workers");
///
/// let whole = PagedDecoder::new(&decoder, 64)?;
/// let expected = whole.forward(&mut whole.new_cache(1, 16, KvType::F32), &batch);
/// assert_eq!(mine, theirs);
/// assert!(mine.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-4));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ShardedDecoder {
    part: PagedDecoder,
}

impl ShardedDecoder {
    /// The part of worker `rank` of `world_size`, for sequences of up to `max_len` tokens. The decoder's packed weights are copied, so that
    /// it can be dropped; [`ShardConfig`](super::ShardConfig) reads a part without it.
    ///
    /// # Errors
    /// As [`PagedDecoder::new`], and [`InvalidSetting`](Error::InvalidSetting) where `world_size` does not divide the key heads, there are fewer
    /// tokens or inner values than workers, or heads would cut a group of four-bit weights.
    pub fn new(decoder: &Decoder, max_len: usize, rank: usize, world_size: usize) -> Result<Self> {
        let shard = Shard::new(rank, world_size)?;
        Ok(Self { part: PagedDecoder::new(decoder, max_len)?.shard(shard)? })
    }

    /// A part that was read from a file.
    pub(super) fn of(part: PagedDecoder) -> Self {
        Self { part }
    }

    /// Whose part it is, and of how many.
    pub fn place(&self) -> (usize, usize) {
        let Shard { rank, world } = self.part.place();
        (rank, world)
    }

    /// What the whole model is.
    pub fn config(&self) -> &DecoderConfig {
        self.part.config()
    }

    /// The most tokens of a sequence.
    pub fn max_len(&self) -> usize {
        self.part.max_len()
    }

    /// A cache of `blocks` blocks of `block_size` positions, for this worker's heads.
    ///
    /// # Panics
    /// As [`PagedDecoder::new_cache`].
    pub fn new_cache(&self, blocks: usize, block_size: usize, kind: KvType) -> PagedKvCache {
        self.part.new_cache(blocks, block_size, kind)
    }

    /// Bytes that a block takes in all layers of this worker.
    pub fn bytes_per_block(&self, block_size: usize, kind: KvType) -> usize {
        self.part.bytes_per_block(block_size, kind)
    }

    /// This worker's part of an adapter: of `A` and `B` of a layer that is cut by its outputs, the whole `A` and some of `B`; by its inputs,
    /// some of `A` and the whole `B`.
    ///
    /// # Errors
    /// [`Unsupported`](Error::Unsupported) where it is no adapter of this model.
    pub fn adapter_part(&self, adapter: &PagedAdapter) -> Result<PagedAdapter> {
        self.part.adapter_part(adapter)
    }

    /// As [`adapter_part`](Self::adapter_part), from what another worker wrote with [`PagedAdapter::to_words`].
    ///
    /// # Errors
    /// [`Unsupported`](Error::Unsupported) where the words are no adapter of this model.
    pub fn read_adapter(&self, words: &[u32]) -> Result<PagedAdapter> {
        self.part.read_adapter(words)
    }

    /// Reads the batch, which is the same on all workers but for its adapters, of which each has its [part](Self::adapter_part). Gives on all
    /// of them the logits of the whole vocabulary after the tokens that are asked for, `[outputs, vocab_size]`.
    ///
    /// What an adapter adds to a layer is exchanged with the layer's own sums, and costs no further exchange.
    ///
    /// # Errors
    /// [`Collective`](Error::Collective) where a worker is lost, calls something else, or `collective` has another place than this part. What
    /// the step was to write to the cache is then undefined. [`Unsupported`](Error::Unsupported) where an adapter is whole, or another
    /// worker's or model's.
    ///
    /// # Panics
    /// As [`PagedDecoder::forward`].
    pub fn forward(&self, cache: &mut PagedKvCache, batch: &PagedBatch<'_>, collective: &mut dyn Collective) -> Result<Vec<f32>> {
        self.check_place(collective)?;
        let shard = self.part.place();
        if !batch.adapters.iter().flatten().all(|adapter| adapter.fits_part(self.config(), shard)) {
            let found = "one that was not cut for this worker".to_owned();
            return Err(Error::Unsupported { what: "adapter", found, supported: "what ShardedDecoder::adapter_part gives" });
        }
        let hidden = self.part.hidden_by(cache, batch, &mut Sharded { collective })?;
        if batch.outputs.is_empty() {
            return Ok(Vec::new());
        }
        let lens = shard.lens(self.config().vocab_size);
        let mine = self.part.logits(&hidden, batch.outputs.len());
        let gathered: Vec<usize> = lens.iter().map(|len| len * batch.outputs.len()).collect();
        let parts = collective.all_gather(&mine, &gathered)?;
        let row = |row: usize| parts.iter().zip(&lens).flat_map(move |(part, len)| &part[row * len..(row + 1) * len]);
        Ok((0..batch.outputs.len()).flat_map(row).copied().collect())
    }

    fn check_place(&self, collective: &dyn Collective) -> Result<()> {
        let (rank, world) = self.place();
        if (collective.rank(), collective.world_size()) == (rank, world) {
            return Ok(());
        }
        let reason = format!("it has part {rank} of {world} of the model and is one of {} workers", collective.world_size());
        Err(Error::Collective { rank: collective.rank(), reason })
    }
}
