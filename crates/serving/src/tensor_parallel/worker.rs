use std::collections::BTreeMap;
use std::num::NonZeroU32;

use jarre_transformer::CausalModel;
use jarre_transformer::collective::Communicator;
use jarre_transformer::paged::{PagedAdapter, PagedBatch, PagedKvCache, ShardConfig, ShardedDecoder};

use super::complaint::answer;
use super::message::{Message, Setup, Step, share};
use crate::{Error, Result};

/// The life of every rank but 0: cuts its part out of the model and makes its part of the cache, computes the steps that rank 0 sends, and
/// returns when that is done with it. Until the part is made the whole model is there beside it; [`run_reading_worker`] does without.
///
/// # Errors
/// [`Error::Model`] where another worker is lost, or the model cannot be cut over so many; [`Error::Engine`] where rank 0 serves another
/// model, or is another build; [`Error::Invalid`] for rank 0 itself.
pub fn run_worker(model: CausalModel, communicator: Communicator) -> Result<()> {
    run(communicator, |place| cut(model, place))
}

/// As [`run_worker`], for a worker that has no model yet: `read` reads the part that it is told of, and no more.
///
/// ```no_run
/// use jarre_serving::tensor_parallel::run_reading_worker;
/// use jarre_transformer::Device;
/// use jarre_transformer::collective::{Communicator, RingConfig};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let communicator = Communicator::connect(&RingConfig::new(1, 2, "127.0.0.1:7000".parse()?))?;
/// run_reading_worker(|part| part.read_folder("models/llama", &Device::default()), communicator)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`run_worker`], and where the part cannot be read; rank 0 hears why.
pub fn run_reading_worker<F>(read: F, communicator: Communicator) -> Result<()>
where
    F: FnOnce(ShardConfig) -> jarre_transformer::Result<ShardedDecoder>,
{
    run(communicator, |Place { rank, world, max_len }| read(ShardConfig::new(rank, world, max_len)))
}

fn run(mut communicator: Communicator, part: impl FnOnce(Place) -> jarre_transformer::Result<ShardedDecoder>) -> Result<()> {
    let mut worker = Worker::begin(&mut communicator, part)?;
    while worker.obey(next(&mut communicator)?, &mut communicator)? {}
    Ok(())
}

/// Whose part is wanted, and for how long sequences.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    rank: usize,
    world: usize,
    max_len: usize,
}

/// The part has copies of the weights that it needs, and the model goes.
#[expect(clippy::needless_pass_by_value, reason = "the model is dropped here")]
pub(super) fn cut(model: CausalModel, Place { rank, world, max_len }: Place) -> jarre_transformer::Result<ShardedDecoder> {
    ShardedDecoder::new(model.decoder(), max_len, rank, world)
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
    /// Makes what rank 0 asks for first, with the part of the model that `part` makes.
    pub(super) fn begin(
        communicator: &mut Communicator,
        part: impl FnOnce(Place) -> jarre_transformer::Result<ShardedDecoder>,
    ) -> Result<Self> {
        if communicator.rank() == 0 {
            return Err(Error::Invalid("rank 0 has the engine; make it one of the same communicator".to_owned()));
        }
        let Message::Setup(setup) = next(communicator)? else {
            return Err(Error::Engine("rank 0 sent a step before it said of what".to_owned()));
        };
        let place = Place { rank: communicator.rank(), world: communicator.world_size(), max_len: setup.max_len };
        let made = part(place).map_err(Error::from).and_then(|decoder| Self::make(decoder, &setup));
        answer(communicator, &made)?;
        made
    }

    fn make(decoder: ShardedDecoder, setup: &Setup) -> Result<Self> {
        let (mine, theirs) = (Setup::sizes(decoder.config()), setup.model);
        if mine != theirs {
            return Err(Error::Engine(format!(
                "its model has the sizes {mine:?} and that of rank 0 {theirs:?}; give all workers the same"
            )));
        }
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
