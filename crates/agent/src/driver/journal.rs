use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jarre_core::{BoxFuture, Clock};

use crate::{Event, Record, Result, SCHEMA};

/// Where the events of one run are written.
///
/// An event that was appended is kept whatever happens to the process; one whose append failed may or may not be. Where another writer has
/// appended meanwhile, the append fails: two processes do not drive one run.
#[diagnostic::on_unimplemented(message = "`{Self}` keeps no events", note = "use `jarre_agent::MemoryJournal`, or the log over a store")]
pub trait Journal: Send + Sync {
    /// Appends an event with the time of the journal's clock, and returns the record that it became.
    ///
    /// # Errors
    /// Where it could not be kept.
    fn append(&self, event: Event) -> BoxFuture<'_, Result<Record>>;
}

impl<T: Journal + ?Sized> Journal for &T {
    fn append(&self, event: Event) -> BoxFuture<'_, Result<Record>> {
        (**self).append(event)
    }
}

impl<T: Journal + ?Sized> Journal for Arc<T> {
    fn append(&self, event: Event) -> BoxFuture<'_, Result<Record>> {
        (**self).append(event)
    }
}

/// Keeps the events of one run in memory, for as long as it lives itself.
pub struct MemoryJournal {
    run: String,
    clock: Arc<dyn Clock>,
    records: Mutex<Vec<Record>>,
}

impl MemoryJournal {
    /// An empty journal of the run `run`.
    pub fn new(run: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self { run: run.into(), clock, records: Mutex::default() }
    }

    /// A journal that goes on after `records`.
    pub fn after(run: impl Into<String>, clock: Arc<dyn Clock>, records: Vec<Record>) -> Self {
        Self { run: run.into(), clock, records: Mutex::new(records) }
    }

    /// Everything that was appended.
    pub fn records(&self) -> Vec<Record> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for MemoryJournal {
    fn append(&self, event: Event) -> BoxFuture<'_, Result<Record>> {
        Box::pin(async move {
            let mut records = self.lock();
            let previous = records.last().map_or_else(|| Record::root(&self.run), Record::digest);
            let record = Record { schema: SCHEMA, seq: records.len() as u64, at: self.clock.timestamp(), previous, event };
            records.push(record.clone());
            Ok(record)
        })
    }
}

impl std::fmt::Debug for MemoryJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryJournal").field("run", &self.run).field("records", &self.lock().len()).finish_non_exhaustive()
    }
}
