use std::num::NonZeroU32;

use jarre_transformer::paged::PagedAdapter;

use crate::adapter::WeakAdapter;
use crate::{Error, LoraAdapter, Result};

/// The adapters that all workers have their parts of, as rank 0 knows them.
#[derive(Debug, Default)]
pub(super) struct Adapters(Vec<Shared>);

#[derive(Debug)]
struct Shared {
    whole: WeakAdapter,
    /// What messages call it.
    number: NonZeroU32,
    part: PagedAdapter,
}

impl Adapters {
    pub(super) fn has(&self, adapter: &LoraAdapter) -> bool {
        self.find(adapter.weights()).is_some()
    }

    /// Takes an adapter of which all workers have their parts.
    pub(super) fn add(&mut self, whole: WeakAdapter, number: NonZeroU32, part: PagedAdapter) {
        self.0.push(Shared { whole, number, part });
    }

    /// A number that none has.
    pub(super) fn free_number(&self) -> NonZeroU32 {
        let mut numbers = (1..=u32::MAX).filter_map(NonZeroU32::new);
        numbers.find(|number| self.part(*number).is_none()).expect("there are fewer adapters than numbers")
    }

    /// Lets go of those that nobody else holds, and gives their numbers.
    pub(super) fn take_unused(&mut self) -> Vec<NonZeroU32> {
        self.0.extract_if(.., |shared| shared.whole.is_gone()).map(|shared| shared.number).collect()
    }

    /// The numbers of a batch's adapters; nothing where it has none.
    ///
    /// # Errors
    /// Where one was not loaded.
    pub(super) fn numbers(&self, adapters: &[Option<&PagedAdapter>]) -> Result<Vec<Option<NonZeroU32>>> {
        if adapters.iter().all(Option::is_none) {
            return Ok(Vec::new());
        }
        adapters.iter().map(|adapter| adapter.map(|adapter| self.number(adapter)).transpose()).collect()
    }

    /// This worker's part of the adapter of a number.
    pub(super) fn part(&self, number: NonZeroU32) -> Option<&PagedAdapter> {
        self.0.iter().find(|shared| shared.number == number).map(|shared| &shared.part)
    }

    fn number(&self, adapter: &PagedAdapter) -> Result<NonZeroU32> {
        let shared = self.find(adapter);
        shared.map(|shared| shared.number).ok_or_else(|| Error::Invalid("an adapter has to be loaded before a step names it".to_owned()))
    }

    fn find(&self, adapter: &PagedAdapter) -> Option<&Shared> {
        self.0.iter().find(|shared| shared.whole.has(adapter))
    }
}
