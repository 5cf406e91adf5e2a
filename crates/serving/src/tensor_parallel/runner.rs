use std::sync::{Arc, Mutex};

use jarre_transformer::collective::{CollectiveStats, Communicator};
use jarre_transformer::paged::{KvType, PagedBatch, ShardedDecoder};

use super::lead::Lead;
use super::message::{Message, Setup, share};
use super::pulse::{Pulse, lock};
use crate::{BlockCopy, Error, ModelRunner, Result};

/// Signs of life in the time that a worker waits for one.
const PULSES: u32 = 4;

/// A decoder cut over the workers of a ring, as seen from rank 0; the others are in [`run_worker`](super::run_worker). When it is dropped,
/// they are sent home.
#[derive(Debug)]
pub struct ShardedRunner {
    lead: Arc<Mutex<Lead>>,
    pulse: Option<Pulse>,
    vocab_size: usize,
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
        let (config, max_len) = (decoder.config(), decoder.max_len());
        let vocab_size = config.vocab_size;
        let setup = Setup { model: Setup::sizes(config), max_len, blocks, block_size, kind };
        share(&mut communicator, &Message::Setup(setup).encode())?;
        ready(&mut communicator)?;
        let cache = decoder.new_cache(blocks, block_size, kind);
        let interval = communicator.timeout() / PULSES;
        let others = communicator.world_size() > 1;
        let lead = Arc::new(Mutex::new(Lead { decoder, cache, communicator, copies: Vec::new(), lost: None }));
        let pulse = if others { Some(Pulse::start(Arc::clone(&lead), interval)?) } else { None };
        Ok(Self { lead, pulse, vocab_size, max_len, cache: (blocks, block_size) })
    }

    /// What was sent so far, and the time that it took this rank.
    pub fn communication(&self) -> CollectiveStats {
        lock(&self.lead).communicator.stats()
    }
}

impl ModelRunner for ShardedRunner {
    fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    fn max_len(&self) -> usize {
        self.max_len
    }

    fn cache(&self) -> (usize, usize) {
        self.cache
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

/// Waits until every worker has made its part; what one complains of is the error.
fn ready(communicator: &mut Communicator) -> Result<()> {
    for (rank, complaint) in share(communicator, &[])?.into_iter().enumerate() {
        if !complaint.is_empty() {
            let complaint: String = complaint.into_iter().filter_map(char::from_u32).collect();
            return Err(Error::Engine(format!("rank {rank} cannot take its part: {complaint}")));
        }
    }
    Ok(())
}
