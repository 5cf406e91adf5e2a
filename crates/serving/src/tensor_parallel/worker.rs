use std::collections::BTreeMap;
use std::num::NonZeroU32;

use jarre_transformer::CausalModel;
use jarre_transformer::collective::Communicator;
use jarre_transformer::paged::{PagedAdapter, PagedBatch, PagedKvCache, ShardedDecoder};

use super::complaint::answer;
use super::message::{Message, Setup, Step, share};
use crate::{Error, Result};

/// The life of every rank but 0: makes its part of the model and of the cache, computes the steps that rank 0 sends, and returns when that is
/// done with it.
///
/// # Errors
/// [`Error::Model`] where another worker is lost, or the model cannot be cut over so many; [`Error::Engine`] where rank 0 serves another
/// model, or is another build; [`Error::Invalid`] for rank 0 itself.
pub fn run_worker(model: CausalModel, mut communicator: Communicator) -> Result<()> {
    let mut worker = Worker::begin(model, &mut communicator)?;
    while worker.obey(next(&mut communicator)?, &mut communicator)? {}
    Ok(())
}

/// A worker's part of everything.
#[derive(Debug)]
pub(super) struct Worker {
    decoder: ShardedDecoder,
    cache: PagedKvCache,
    /// Its parts of those that rank 0 has sent.
    pub(super) adapters: BTreeMap<NonZeroU32, PagedAdapter>,
}

impl Worker {
    /// Makes what rank 0 asks for first.
    pub(super) fn begin(model: CausalModel, communicator: &mut Communicator) -> Result<Self> {
        if communicator.rank() == 0 {
            return Err(Error::Invalid("rank 0 has the engine; make it one of the same communicator".to_owned()));
        }
        let Message::Setup(setup) = next(communicator)? else {
            return Err(Error::Engine("rank 0 sent a step before it said of what".to_owned()));
        };
        let made = Self::make(&model, &setup, communicator);
        // The part has copies of the weights that it needs.
        drop(model);
        answer(communicator, &made)?;
        made
    }

    fn make(model: &CausalModel, setup: &Setup, communicator: &Communicator) -> Result<Self> {
        let (mine, theirs) = (Setup::sizes(model.config()), setup.model);
        if mine != theirs {
            return Err(Error::Engine(format!(
                "its model has the sizes {mine:?} and that of rank 0 {theirs:?}; give all workers the same"
            )));
        }
        let (rank, world) = (communicator.rank(), communicator.world_size());
        let decoder = ShardedDecoder::new(model.decoder(), setup.max_len, rank, world)?;
        let cache = decoder.new_cache(setup.blocks, setup.block_size, setup.kind);
        Ok(Self { decoder, cache, adapters: BTreeMap::new() })
    }

    /// Does what rank 0 asks for; whether there is more to come.
    pub(super) fn obey(&mut self, message: Message, communicator: &mut Communicator) -> Result<bool> {
        match message {
            Message::Step(step) => self.compute(&step, communicator)?,
            Message::Adapter { number, words } => {
                let taken = self.decoder.read_adapter(&words).map_err(Error::from);
                answer(communicator, &taken)?;
                // Rank 0 has heard of what could not be read, and goes on without it.
                self.adapters.extend(taken.ok().map(|part| (number, part)));
            }
            // Nothing is forgotten where it could not be taken.
            Message::Forget(number) => drop(self.adapters.remove(&number)),
            Message::Pulse => {}
            Message::Farewell => return Ok(false),
            Message::Setup(_) => return Err(Error::Engine("rank 0 began a second time".to_owned())),
        }
        Ok(true)
    }

    fn compute(&mut self, step: &Step, communicator: &mut Communicator) -> Result<()> {
        let Self { decoder, cache, adapters } = self;
        for copy in &step.copies {
            cache.copy_block(copy.from, copy.to);
        }
        let unknown = |number: NonZeroU32| Error::Engine(format!("rank 0 names adapter {number}, which it never sent"));
        let part = |number: NonZeroU32| adapters.get(&number).ok_or_else(|| unknown(number));
        let parts = step.adapters.iter().map(|number| number.map(part).transpose()).collect::<Result<Vec<_>>>()?;
        let tables: Vec<&[u32]> = step.block_tables.iter().map(Vec::as_slice).collect();
        let batch = PagedBatch {
            tokens: &step.tokens,
            query_starts: &step.query_starts,
            context_lens: &step.context_lens,
            block_tables: &tables,
            adapters: &parts,
            outputs: &step.outputs,
        };
        decoder.forward(cache, &batch, communicator)?;
        Ok(())
    }
}

pub(super) fn next(communicator: &mut Communicator) -> Result<Message> {
    let words = share(communicator, &[])?;
    Message::decode(&words[0])
}
