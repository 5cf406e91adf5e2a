use jarre_transformer::collective::Communicator;
use jarre_transformer::paged::{PagedBatch, PagedKvCache, ShardedDecoder};

use super::adapters::Adapters;
use super::complaint::hear;
use super::message::{Message, Step, share};
use crate::{BlockCopy, Error, LoraAdapter, Result};

/// The most numbers of an adapter that are sent to workers: a gigabyte, which is far beyond what is called low rank.
const LARGEST_ADAPTER: usize = 1 << 28;

/// Rank 0: its part of the model, and the way to the others.
#[derive(Debug)]
pub(super) struct Lead {
    pub(super) decoder: ShardedDecoder,
    pub(super) cache: PagedKvCache,
    pub(super) communicator: Communicator,
    pub(super) adapters: Adapters,
    /// To be made before the next step.
    pub(super) copies: Vec<BlockCopy>,
    /// Why nothing can be computed any more.
    pub(super) lost: Option<String>,
}

impl Lead {
    /// Computes a step together with the others.
    pub(super) fn step(&mut self, batch: &PagedBatch<'_>) -> Result<Vec<f32>> {
        let copies = std::mem::take(&mut self.copies);
        self.forget_unused()?;
        let step = Step::new(copies, batch, self.adapters.numbers(batch.adapters)?);
        self.together(|Self { decoder, cache, communicator, adapters, .. }| {
            for copy in &step.copies {
                cache.copy_block(copy.from, copy.to);
            }
            let parts: Vec<_> = step.adapters.iter().map(|number| adapters.part((*number)?)).collect();
            share(communicator, &Message::Step(step).encode())?;
            Ok(decoder.forward(cache, &PagedBatch { adapters: &parts, ..*batch }, communicator)?)
        })
    }

    /// Gives every worker its part of an adapter, where they do not have it yet. Where one cannot take it, none has it.
    pub(super) fn load(&mut self, adapter: &LoraAdapter) -> Result<()> {
        self.forget_unused()?;
        if self.adapters.has(adapter) {
            return Ok(());
        }
        let (name, numbers) = (adapter.name(), adapter.weights().num_params());
        if numbers > LARGEST_ADAPTER {
            let told = format!("the adapter {name} has {numbers} numbers, and workers take {LARGEST_ADAPTER}: merge it into the model");
            return Err(Error::Invalid(told));
        }
        let part = self.decoder.adapter_part(adapter.weights())?;
        let number = self.adapters.free_number();
        let message = Message::Adapter { number, words: adapter.weights().to_words() };
        let taken = self.together(|lead| {
            share(&mut lead.communicator, &message.encode())?;
            hear(&mut lead.communicator)
        })?;
        if let Err(complaint) = taken {
            self.tell(&Message::Forget(number))?;
            return Err(complaint);
        }
        self.adapters.add(adapter.downgrade(), number, part);
        Ok(())
    }

    /// Tells the others that rank 0 is there.
    pub(super) fn pulse(&mut self) -> Result<()> {
        self.forget_unused()?;
        self.tell(&Message::Pulse)
    }

    /// Lets the others drop the adapters that no request and no server has any more.
    fn forget_unused(&mut self) -> Result<()> {
        self.adapters.take_unused().into_iter().try_for_each(|number| self.tell(&Message::Forget(number)))
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
