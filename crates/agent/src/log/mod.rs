//! The log of a run: what happened, record after record, each with the hash of the one before it. It is the run's trace, its audit trail and its
//! checkpoint at once, and is kept in a [`Store`].

mod approvals;
mod chain;
mod effects;
mod follow;
mod line;
mod name;
mod once;
pub(crate) mod parts;
mod summary;
mod transfer;
mod upgrade;
mod verify;
mod writer;

use std::{fmt, sync::Arc};

use jarre_core::Clock;
use jarre_kv_store::{KeyRange, Namespace, RangeRequest, Revision, Store, namespace::OrderedKey};

use crate::{Error, Record, Result};
pub use approvals::{Approvals, PendingApproval, WaitForApproval};
pub use chain::Chain;
pub use effects::{Effects, InDoubt, Kept};
pub use follow::Follow;
pub(crate) use line::canonical;
pub use line::{BadLine, decode, digest, encode};
pub use name::checked_name;
pub use once::Once;
use parts::Joiner;
pub use summary::{RunState, RunSummary};
pub use verify::{Broken, Verified, verify_lines};
pub use writer::LogWriter;

/// The records of runs, before the run's name in its ordered bytes, the record's number and the part's.
const RECORDS: &[u8] = b"agent_log/";

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

/// Runs of a list, and where it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunPage {
    /// The runs, in the order of their names' bytes.
    pub runs: Vec<RunSummary>,
    /// What [`EventLog::runs`] is asked for the next page with; `None` after the last.
    pub next: Option<String>,
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

    /// So many runs, those behind the name `after` first.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn runs(&self, after: Option<&str>, limit: usize) -> Result<RunPage> {
        let mut range = self.summaries.all();
        if let Some(after) = after {
            range.start = self.summaries.key(&after.to_owned());
            range.start.push(0);
        }
        let mut runs = Vec::new();
        let mut request = Some(RangeRequest::new(range).with_limit(limit));
        while let Some(mut asked) = request.take().filter(|_| runs.len() < limit) {
            asked.limit = Some(limit - runs.len());
            let page = self.summaries.range(asked).await?;
            runs.extend(page.records.into_iter().map(|record| record.value));
            request = page.next;
        }
        let next = runs.last().filter(|_| runs.len() >= limit).map(|last| last.run.clone());
        Ok(RunPage { runs, next })
    }

    /// So many runs, the one that began last first, those after the run `after`. Reads the summaries of all.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn newest(&self, after: Option<&str>, limit: usize) -> Result<RunPage> {
        let mut runs = self.runs(None, usize::MAX).await?.runs;
        runs.sort_by(|a, b| b.started.cmp(&a.started).then_with(|| a.run.cmp(&b.run)));
        if let Some(after) = after {
            let place = runs.iter().position(|run| run.run == after).map_or(runs.len(), |place| place + 1);
            runs.drain(..place);
        }
        let next = runs.get(limit).and_then(|_| runs.get(limit.checked_sub(1)?)).map(|last| last.run.clone());
        runs.truncate(limit);
        Ok(RunPage { runs, next })
    }

    /// Follows a run: its records from number `from` on, those that are there and those that come, until its last.
    pub fn follow(&self, run: &str, from: u64) -> Follow {
        Follow::new(self.clone(), run, from)
    }

    /// What is kept of the run in short.
    async fn stored(&self, run: &str) -> Result<Stored> {
        checked_name(run)?;
        let key = KeyRange::key(self.summaries.key(&run.to_owned()));
        let mut page = self.summaries.range(key.into()).await?;
        match page.records.pop() {
            Some(record) => Ok(Stored { summary: record.value, written: record.revision, now: page.revision }),
            None => Err(Error::NoRun { run: run.to_owned() }),
        }
    }

    /// The chain before record `from`, by the line before it.
    async fn chain_at(&self, run: &str, from: u64, revision: Revision) -> Result<Chain> {
        let Some(before) = from.checked_sub(1) else { return Ok(Chain::new(run)) };
        let mut anchor = None;
        self.each_line(record_range(run, before, Some(from)), Some(revision), |line| {
            anchor = Some(Chain::behind(run, before, &line));
            Ok(())
        })
        .await?;
        anchor.ok_or_else(|| Error::Log { run: run.to_owned(), at: before, reason: "it is missing".into() })
    }

    /// The records that follow on `chain`, as the store was at `revision`.
    async fn checked(&self, chain: &mut Chain, revision: Revision) -> Result<Vec<Record>> {
        let range = record_range(chain.run(), chain.next(), None);
        let mut records = Vec::new();
        self.each_line(range, Some(revision), |line| {
            records.push(chain.check(&line)?);
            Ok(())
        })
        .await?;
        Ok(records)
    }

    /// Hands every line in a range of keys to `take`, and returns where the store was.
    async fn each_line(&self, range: KeyRange, at: Option<Revision>, mut take: impl FnMut(Vec<u8>) -> Result<()>) -> Result<Revision> {
        let mut joiner = Joiner::default();
        let mut request = RangeRequest::new(range);
        request.revision = at;
        loop {
            let page = self.store().range(request).await?;
            for entry in page.entries {
                if let Some((_, line)) = joiner.push(entry) {
                    take(line)?;
                }
            }
            match page.next {
                Some(next) => request = next,
                None => break joiner.finish().map_or(Ok(()), |(_, line)| take(line)).map(|()| page.revision),
            }
        }
    }
}

/// A summary with its place in the store's history.
struct Stored {
    summary: RunSummary,
    /// When it was written.
    written: Revision,
    /// Where the store was when it was read.
    now: Revision,
}

impl fmt::Debug for EventLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLog").finish_non_exhaustive()
    }
}

/// The keys of a run's records from `from` on, up to and without `to`.
fn record_range(run: &str, from: u64, to: Option<u64>) -> KeyRange {
    match to {
        Some(to) => KeyRange::new(record_key(run, from), record_key(run, to)),
        None => KeyRange { start: record_key(run, from), end: KeyRange::prefix(run_key(run)).end },
    }
}

fn record_key(run: &str, seq: u64) -> Vec<u8> {
    let mut key = run_key(run);
    seq.encode(&mut key);
    key
}

fn run_key(run: &str) -> Vec<u8> {
    let mut key = RECORDS.to_vec();
    run.to_owned().encode(&mut key);
    key
}

/// That the records which were read are those of the summary.
fn ends_as_told(chain: &Chain, summary: &RunSummary) -> Result<()> {
    if chain.next() != summary.records {
        return Err(chain.broken(format!("the log ends here, and {} records were written", summary.records)));
    }
    if chain.head() != summary.head {
        let at = summary.records.saturating_sub(1);
        return Err(Error::Log { run: summary.run.clone(), at, reason: "it is not what was written".into() });
    }
    Ok(())
}
