use std::sync::{Arc, Mutex};

use jarre_transformer::DecoderConfig;
use jarre_transformer::collective::{CollectiveStats, Communicator};
use jarre_transformer::paged::{KvType, PagedBatch, ShardedDecoder};

use super::adapters::Adapters;
use super::complaint::hear;
use super::lead::Lead;
use super::message::{Message, Setup, share};
use super::pulse::{Pulse, lock};
use crate::{BlockCopy, Error, LoraAdapter, ModelRunner, Result};

/// Signs of life in the time that a worker waits for one.
const PULSES: u32 = 4;

/// A decoder cut over the workers of a ring, as seen from rank 0; the others are in [`run_worker`](super::run_worker). When it is dropped,
/// they are sent home.
#[derive(Debug)]
pub struct ShardedRunner {
    pub(super) lead: Arc<Mutex<Lead>>,
    pulse: Option<Pulse>,
    config: DecoderConfig,
    max_len: usize,
    cache: (usize, usize),
}

impl ShardedRunner {
    /// Tells the workers what caches to make: `blocks` blocks of `block_size` positions, each for the heads of its own part.
    ///
    /// # Errors
    /// [`Error::Invalid`] where `communicator` is not rank 0; [`Error::Engine`] where a worker cannot make its part, and says why; [`Error::Model`]
    /// where one is lost.
    pub fn new(decoder: ShardedDecoder, blocks: usize, block_size: usize, kind: KvType, mut communicator: Communicator) -> Result<Self> {
        if communicator.rank() != 0 {
            return Err(Error::Invalid(format!("rank {} has no engine; let it call run_worker", communicator.rank())));
        }
        let (config, max_len) = (decoder.config().clone(), decoder.max_len());
        let setup = Setup { model: Setup::sizes(&config), max_len, blocks, block_size, kind };
        share(&mut communicator, &Message::Setup(setup).encode())?;
        hear(&mut communicator)??;
        let cache = decoder.new_cache(blocks, block_size, kind);
        let interval = communicator.timeout() / PULSES;
        let others = communicator.world_size() > 1;
        let lead = Lead { decoder, cache, communicator, adapters: Adapters::default(), copies: Vec::new(), lost: None };
        let lead = Arc::new(Mutex::new(lead));
        let pulse = if others { Some(Pulse::start(Arc::clone(&lead), interval)?) } else { None };
        Ok(Self { lead, pulse, config, max_len, cache: (blocks, block_size) })
    }

    /// What was sent so far, and the time that it took this rank.
    pub fn communication(&self) -> CollectiveStats {
        lock(&self.lead).communicator.stats()
    }
}

impl ModelRunner for ShardedRunner {
    fn vocab_size(&self) -> usize {
        self.config.vocab_size
    }

    fn max_len(&self) -> usize {
        self.max_len
    }

    fn cache(&self) -> (usize, usize) {
        self.cache
    }

    fn adapts(&self) -> Option<&DecoderConfig> {
        Some(&self.config)
    }

    /// Sends it to the workers, which keep their parts of it until nobody holds the adapter any more.
    fn load_adapter(&mut self, adapter: &LoraAdapter) -> Result<()> {
        lock(&self.lead).load(adapter)
    }

    fn copy_blocks(&mut self, copies: &[BlockCopy]) {
        lock(&self.lead).copies.extend(copies);
    }

    fn step(&mut self, batch: &PagedBatch<'_>) -> Result<Vec<f32>> {
        lock(&self.lead).step(batch)
    }

    fn lost(&self) -> Option<String> {
        lock(&self.lead).lost.clone()
    }
}

impl Drop for ShardedRunner {
    fn drop(&mut self) {
        self.pulse = None;
        // Who is lost needs no farewell.
        let _ = lock(&self.lead).tell(&Message::Farewell);
    }
}
