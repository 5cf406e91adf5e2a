use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jarre_core::{BoxFuture, Timestamp};
use jarre_kv_store::{Compare, Revision, Txn};

use super::{Chain, EventLog, RunSummary, Stored, line, parts, record_key, record_range};
use crate::{Error, Event, Journal, Record, Result};

/// Appends to the log of one run.
///
/// Records come one after another: of two appends at once, by this writer or by another, one is fenced off. Where this writer would append the
/// answer to an approval and someone else has answered one, that answer stands, and is what the append returns.
pub struct LogWriter {
    log: EventLog,
    end: Mutex<End>,
}

/// Where the log ends, as far as this writer knows.
#[derive(Clone)]
struct End {
    chain: Chain,
    summary: RunSummary,
    revision: Option<Revision>,
}

impl LogWriter {
    pub(super) fn new(log: EventLog, chain: Chain, summary: RunSummary, revision: Option<Revision>) -> Self {
        Self { log, end: Mutex::new(End { chain, summary, revision }) }
    }

    /// The run in short, up to the last record of this writer.
    pub fn summary(&self) -> RunSummary {
        self.end().summary.clone()
    }

    /// Appends an event, stamped now. The record that is returned is on disk, and is what whoever reads the log has.
    ///
    /// # Errors
    /// As [`append_at`](Self::append_at).
    pub async fn append(&self, event: Event) -> Result<Record> {
        self.append_at(event, self.log.clock.timestamp()).await
    }

    /// Appends an event, stamped `at`.
    ///
    /// # Errors
    /// [`Error::Fenced`] where another appended first, [`Error::Invalid`] where the event is larger than 3 MiB, [`Error::Log`] where it is not
    /// JSON that can be read again; nothing was appended then. [`Error::Store`] where the store failed, and [`Unknown`](jarre_kv_store::Error::Unknown)
    /// among these where it may have been appended: opening the log again tells.
    pub async fn append_at(&self, event: Event, at: Timestamp) -> Result<Record> {
        match self.try_append(event, at).await? {
            Ok(record) => Ok(record),
            Err((before, wanted)) => self.take_over(before, &wanted).await,
        }
    }

    /// Appends an event, stamped now, and takes over nothing.
    pub(super) async fn append_once(&self, event: Event) -> Result<Record> {
        let appended = self.try_append(event, self.log.clock.timestamp()).await?;
        appended.map_err(|(before, wanted)| Error::Fenced { run: before.run().to_owned(), at: wanted.seq })
    }

    /// Appends, or gives back where the log ended and what was to follow.
    async fn try_append(&self, event: Event, at: Timestamp) -> Result<Result<Record, (Chain, Record)>> {
        let mut end = self.end().clone();
        let (record, line) = line::link(end.chain.next(), end.chain.head(), event, at).map_err(|bad| end.chain.broken(bad.to_string()))?;
        let before = end.chain.clone();
        end.chain.advance(&line);
        end.summary.apply(&record, &end.chain);
        let outcome = self.log.store().txn(self.transaction(&end, &record, &line)?).await?;
        if !outcome.succeeded {
            return Ok(Err((before, record)));
        }
        end.revision = Some(outcome.revision);
        *self.end() = end;
        Ok(Ok(record))
    }

    /// Goes behind what others appended since, and returns it.
    ///
    /// # Errors
    /// As [`EventLog::read`].
    pub async fn catch_up(&self) -> Result<Vec<Record>> {
        let end = self.end().clone();
        let Stored { summary, written, now } = self.log.stored(end.chain.run()).await?;
        let mut chain = end.chain;
        let records = self.log.checked(&mut chain, now).await?;
        super::ends_as_told(&chain, &summary)?;
        *self.end() = End { chain, summary, revision: Some(written) };
        Ok(records)
    }

    /// Writes the record and the summary, if the summary is still the one that this writer knows.
    fn transaction(&self, end: &End, record: &Record, line: &[u8]) -> Result<Txn> {
        let (summaries, run) = (&self.log.summaries, &end.summary.run);
        let key = summaries.key(run);
        let compare = end.revision.map_or_else(|| Compare::missing(&*key), |revision| Compare::unchanged(&*key, revision));
        let mut txn = Txn::new().when(compare).then(summaries.put_op(run, &end.summary)?);
        txn.then.extend(parts::put(&record_key(run, record.seq), line, "a record")?);
        Ok(txn)
    }

    /// The record that stands where `wanted` was to, if both answer an approval: what was answered first stands.
    async fn take_over(&self, mut chain: Chain, wanted: &Record) -> Result<Record> {
        let (run, at) = (chain.run().to_owned(), wanted.seq);
        let mut found = None;
        if is_answer(wanted) {
            let range = record_range(&run, at, at.checked_add(1));
            let read = self.log.each_line(range, None, |line| {
                found = Some(chain.check(&line)?).filter(is_answer);
                Ok(())
            });
            read.await?;
        }
        let Some(record) = found else { return Err(Error::Fenced { run, at }) };
        self.step_behind(&record, chain).await?;
        Ok(record)
    }

    /// Goes behind one record of another writer, whether or not more follow: then the next append is fenced off.
    async fn step_behind(&self, record: &Record, chain: Chain) -> Result<()> {
        let Stored { summary, written, .. } = self.log.stored(chain.run()).await?;
        let mut end = self.end();
        end.summary.apply(record, &chain);
        // Only a summary that is this record's may be replaced by the next append.
        end.revision = if summary.head == chain.head() { Some(written) } else { end.revision };
        end.chain = chain;
        Ok(())
    }

    fn end(&self) -> MutexGuard<'_, End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for LogWriter {
    fn append(&self, event: Event) -> BoxFuture<'_, Result<Record>> {
        Box::pin(self.append(event))
    }
}

fn is_answer(record: &Record) -> bool {
    matches!(record.event, Event::ApprovalAnswered { .. })
}

impl fmt::Debug for LogWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.end();
        f.debug_struct("LogWriter").field("run", &end.summary.run).field("next", &end.chain.next()).finish_non_exhaustive()
    }
}
