use jarre_transformer::CausalModel;
use jarre_transformer::collective::Communicator;
use jarre_transformer::paged::{PagedBatch, PagedKvCache, ShardedDecoder};

use super::message::{Message, Setup, Step, share};
use crate::{Error, Result};

/// The life of every rank but 0: makes its part of the model and of the cache, computes the steps that rank 0 sends, and returns when that is
/// done with it.
///
/// # Errors
/// [`Error::Model`] where another worker is lost, or the model cannot be cut over so many; [`Error::Engine`] where rank 0 serves another
/// model, or is another build; [`Error::Invalid`] for rank 0 itself.
pub fn run_worker(model: CausalModel, mut communicator: Communicator) -> Result<()> {
    if communicator.rank() == 0 {
        return Err(Error::Invalid("rank 0 has the engine; make it one of the same communicator".to_owned()));
    }
    let Message::Setup(setup) = next(&mut communicator)? else {
        return Err(Error::Engine("rank 0 sent a step before it said of what".to_owned()));
    };
    let made = make(&model, &setup, &communicator);
    // The part has copies of the weights that it needs.
    drop(model);
    let complaint = made.as_ref().err().map_or_else(String::new, ToString::to_string);
    share(&mut communicator, &complaint.chars().map(u32::from).collect::<Vec<_>>())?;
    let (decoder, mut cache) = made?;
    loop {
        match next(&mut communicator)? {
            Message::Step(step) => compute(&decoder, &mut cache, &step, &mut communicator)?,
            Message::Pulse => {}
            Message::Farewell => return Ok(()),
            Message::Setup(_) => return Err(Error::Engine("rank 0 began a second time".to_owned())),
        }
    }
}

fn next(communicator: &mut Communicator) -> Result<Message> {
    let words = share(communicator, &[])?;
    Message::decode(&words[0])
}

fn make(model: &CausalModel, setup: &Setup, communicator: &Communicator) -> Result<(ShardedDecoder, PagedKvCache)> {
    let (mine, theirs) = (Setup::sizes(model.config()), setup.model);
    if mine != theirs {
        return Err(Error::Engine(format!("its model has the sizes {mine:?} and that of rank 0 {theirs:?}; give all workers the same")));
    }
    let (rank, world) = (communicator.rank(), communicator.world_size());
    let decoder = ShardedDecoder::new(model.decoder(), setup.max_len, rank, world)?;
    let cache = decoder.new_cache(setup.blocks, setup.block_size, setup.kind);
    Ok((decoder, cache))
}

fn compute(decoder: &ShardedDecoder, cache: &mut PagedKvCache, step: &Step, communicator: &mut Communicator) -> Result<()> {
    for copy in &step.copies {
        cache.copy_block(copy.from, copy.to);
    }
    let tables: Vec<&[u32]> = step.block_tables.iter().map(Vec::as_slice).collect();
    let batch = PagedBatch {
        tokens: &step.tokens,
        query_starts: &step.query_starts,
        context_lens: &step.context_lens,
        block_tables: &tables,
        adapters: &[],
        outputs: &step.outputs,
    };
    decoder.forward(cache, &batch, communicator)?;
    Ok(())
}
