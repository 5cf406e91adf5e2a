use jarre_transformer::collective::Communicator;
use jarre_transformer::paged::{PagedBatch, PagedKvCache, ShardedDecoder};

use super::message::{Message, Step, share};
use crate::{BlockCopy, Error, Result};

/// Rank 0: its part of the model, and the way to the others.
#[derive(Debug)]
pub(super) struct Lead {
    pub(super) decoder: ShardedDecoder,
    pub(super) cache: PagedKvCache,
    pub(super) communicator: Communicator,
    /// To be made before the next step.
    pub(super) copies: Vec<BlockCopy>,
    /// Why nothing can be computed any more.
    pub(super) lost: Option<String>,
}

impl Lead {
    /// Computes a step together with the others.
    pub(super) fn step(&mut self, batch: &PagedBatch<'_>) -> Result<Vec<f32>> {
        let step = Step::new(std::mem::take(&mut self.copies), batch);
        self.together(|lead| {
            for copy in &step.copies {
                lead.cache.copy_block(copy.from, copy.to);
            }
            share(&mut lead.communicator, &Message::Step(step).encode())?;
            Ok(lead.decoder.forward(&mut lead.cache, batch, &mut lead.communicator)?)
        })
    }

    /// Tells the others that rank 0 is there.
    pub(super) fn pulse(&mut self) -> Result<()> {
        self.tell(&Message::Pulse)
    }

    pub(super) fn tell(&mut self, message: &Message) -> Result<()> {
        self.together(|lead| share(&mut lead.communicator, &message.encode()).map(drop))
    }

    /// Once something has failed, workers may stand at different places, and nothing is tried again.
    fn together<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if let Some(reason) = &self.lost {
            return Err(Error::Engine(reason.clone()));
        }
        let done = work(self);
        if let Err(error) = &done {
            self.lost = Some(error.to_string());
        }
        done
    }
}
