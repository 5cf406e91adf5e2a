//! The log of a run: what happened, record after record, each with the hash of the one before it. It is the run's trace, its audit trail and its
//! checkpoint at once, and is kept in a [`Store`].

mod approvals;
mod chain;
mod effects;
mod follow;
mod keys;
mod line;
mod list;
mod name;
mod once;
pub(crate) mod parts;
mod stored;
mod summary;
mod transfer;
mod upgrade;
mod verify;
mod writer;

use std::{fmt, sync::Arc};

use jarre_core::Clock;
use jarre_kv_store::{Namespace, Store};

use crate::{Error, Record, Result};
pub use approvals::{Approvals, PendingApproval, WaitForApproval};
pub use chain::Chain;
pub use effects::{Effects, InDoubt, Kept};
pub use follow::Follow;
use keys::{record_key, record_range};
pub(crate) use line::canonical;
pub use line::{BadLine, decode, digest, encode};
pub use list::RunPage;
pub use name::checked_name;
pub use once::Once;
use stored::{Stored, ends_as_told};
pub use summary::{RunState, RunSummary};
pub use verify::{Broken, Verified, verify_lines};
pub use writer::LogWriter;

/// The logs of the runs in a store.
///
/// Appending is one transaction of the record and the run's summary, on the condition that nobody else appended: of two writers one is fenced off.
/// A record is there as a whole or not at all. Records are never changed; whoever can write to the store can rewrite a log as a whole, which the
/// hash of its last record tells that is kept elsewhere.
///
/// The store keeps the past of the summaries, one for each record, until it is told to [`compact`](Store::compact).
///
/// ```
/// use std::sync::Arc;
///
/// use jarre_agent::{Event, Settings, Task, log::EventLog};
/// use jarre_core::{ModelInfo, SystemClock};
/// use jarre_kv_store::Memory;
///
/// # pollster::block_on(async {
/// let log = EventLog::new(Arc::new(Memory::new()), Arc::new(SystemClock::new()));
/// let writer = log.create("fix-42").await?;
/// let started = Event::Started {
///     run: "fix-42".into(),
///     task: Task::default(),
///     settings: Settings::default(),
///     tools: Vec::new(),
///     model: ModelInfo::new("jarre", "scripted"),
/// };
/// writer.append(started).await?;
///
/// // Later, or elsewhere: the run goes on where it was, and the first writer is fenced off.
/// let (resumed, records) = log.open("fix-42").await?;
/// assert_eq!(records.len(), 1);
/// resumed.append(Event::Cancelled { reason: "not needed any more".into() }).await?;
/// assert!(writer.append(Event::Remembered).await.is_err());
/// assert_eq!(log.verify("fix-42").await?.records, 2);
/// # Ok::<(), jarre_agent::Error>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct EventLog {
    summaries: Namespace<String, RunSummary, Arc<dyn Store>>,
    clock: Arc<dyn Clock>,
}

impl EventLog {
    /// The logs in `store`, stamped by `clock`.
    ///
    /// # Panics
    /// Never: the namespaces' names are sound.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { summaries: Namespace::new(store, "agent_run").expect("the name has no slash"), clock }
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        self.summaries.store()
    }

    /// The clock that records are stamped by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Begins the log of a run. Nothing is written until the first record is.
    ///
    /// # Errors
    /// [`Error::Invalid`] where no run can have the [name](checked_name), [`Error::RunExists`] where there is such a run.
    pub async fn create(&self, run: &str) -> Result<LogWriter> {
        checked_name(run)?;
        match self.summaries.get(&run.to_owned()).await? {
            Some(_) => Err(Error::RunExists { run: run.to_owned() }),
            None => Ok(LogWriter::new(self.clone(), Chain::new(run), RunSummary::new(run), None)),
        }
    }

    /// Reads the log of a run, checks it, and goes on behind it.
    ///
    /// # Errors
    /// [`Error::NoRun`] where there is none, [`Error::Log`] where a record is damaged or of a later schema.
    pub async fn open(&self, run: &str) -> Result<(LogWriter, Vec<Record>)> {
        let Stored { summary, written, now } = self.stored(run).await?;
        let mut chain = Chain::new(run);
        let records = self.checked(&mut chain, now).await?;
        ends_as_told(&chain, &summary)?;
        Ok((LogWriter::new(self.clone(), chain, summary, Some(written)), records))
    }

    /// The records from number `from` on, each checked against the one before it.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn read(&self, run: &str, from: u64) -> Result<Vec<Record>> {
        let Stored { summary, now, .. } = self.stored(run).await?;
        if from >= summary.records {
            return Ok(Vec::new());
        }
        let mut chain = self.chain_at(run, from, now).await?;
        let records = self.checked(&mut chain, now).await?;
        ends_as_told(&chain, &summary)?;
        Ok(records)
    }

    /// The run in short.
    ///
    /// # Errors
    /// [`Error::NoRun`] where there is none.
    pub async fn summary(&self, run: &str) -> Result<RunSummary> {
        Ok(self.stored(run).await?.summary)
    }

    /// Follows a run: its records from number `from` on, those that are there and those that come, until its last.
    pub fn follow(&self, run: &str, from: u64) -> Follow {
        Follow::new(self.clone(), run, from)
    }
}

impl fmt::Debug for EventLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLog").finish_non_exhaustive()
    }
}
