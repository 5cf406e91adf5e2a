use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use jarre_core::{BoxFuture, BoxStream, Timestamp};

use super::{RunList, RunSummary, Runs};
use crate::view::Story;
use crate::{ApprovalToken, Decision, Error, Event, Record, Result, SCHEMA};

/// Runs in memory: for tests, and for programs that keep nothing.
#[derive(Clone, Debug, Default)]
pub struct MemoryRuns(Arc<Mutex<Shared>>);

#[derive(Debug, Default)]
struct Shared {
    runs: BTreeMap<String, Vec<Record>>,
    /// Who follows, and waits.
    waiting: Vec<Waker>,
}

impl Shared {
    fn push(&mut self, run: &str, record: Record) {
        self.runs.entry(run.to_owned()).or_default().push(record);
        self.waiting.drain(..).for_each(Waker::wake);
    }
}

impl MemoryRuns {
    /// Without runs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a record to a run, the first of which makes it.
    pub fn push(&self, run: &str, record: Record) {
        self.lock().push(run, record);
    }

    /// Those who hold the lock leave what it guards whole.
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, run: &str, token: &ApprovalToken, decision: Decision, by: &str) -> Result<()> {
        // Held until the answer is there: of two answers at once one is too late.
        let mut shared = self.lock();
        let records = shared.runs.get(run).map(Vec::as_slice).unwrap_or_default();
        let story = Story::of(records);
        let is_pending = story.pending().any(|(_, call)| call.approval.as_ref().is_some_and(|asked| asked.token == *token));
        let Some((seq, at)) = records.last().filter(|_| is_pending).map(|last| (last.seq, last.at)) else {
            return Err(Error::Invalid(format!("no call of the run `{run}` waits for this answer: it was answered, or the run is over")));
        };
        let event = Event::ApprovalAnswered { token: token.clone(), decision, by: by.to_owned() };
        shared.push(run, Record { schema: SCHEMA, seq: seq + 1, at, previous: String::new(), event });
        Ok(())
    }
}

impl Runs for MemoryRuns {
    fn list<'a>(&'a self, after: Option<&'a str>, limit: usize) -> BoxFuture<'a, Result<RunList>> {
        Box::pin(async move {
            let shared = self.lock();
            let mut order: Vec<(Timestamp, &String)> =
                shared.runs.iter().filter_map(|(run, records)| Some((records.first()?.at, run))).collect();
            order.sort_unstable_by(|a, b| b.cmp(a));
            let first = after.map_or(0, |after| order.iter().position(|(_, run)| *run == after).map_or(order.len(), |place| place + 1));
            let page: Vec<&String> = order[first..].iter().take(limit).map(|(_, run)| *run).collect();
            let more = order.len() > first + page.len();
            Ok(RunList { runs: page.into_iter().map(|run| RunSummary::of(&Story::of(&shared.runs[run]))).collect(), more })
        })
    }

    fn records<'a>(&'a self, run: &'a str, from: u64) -> BoxFuture<'a, Result<Vec<Record>>> {
        Box::pin(async move {
            let shared = self.lock();
            let records = shared.runs.get(run).map(Vec::as_slice).unwrap_or_default();
            Ok(records.iter().filter(|record| record.seq >= from).cloned().collect())
        })
    }

    fn follow<'a>(&'a self, run: &'a str, from: u64) -> BoxFuture<'a, Result<BoxStream<'static, Result<Record>>>> {
        Box::pin(async move {
            let next = self.lock().runs.get(run).map_or(0, |records| records.partition_point(|record| record.seq < from));
            Ok(Box::pin(Following { runs: self.clone(), run: run.to_owned(), next }) as BoxStream<'static, _>)
        })
    }

    fn answer<'a>(&'a self, run: &'a str, token: &'a ApprovalToken, decision: Decision, by: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.note(run, token, decision, by) })
    }
}

struct Following {
    runs: MemoryRuns,
    run: String,
    next: usize,
}

impl Stream for Following {
    type Item = Result<Record>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let found = {
            let mut shared = self.runs.lock();
            let found = shared.runs.get(&self.run).and_then(|records| records.get(self.next)).cloned();
            if found.is_none() {
                shared.waiting.push(context.waker().clone());
            }
            found
        };
        let Some(record) = found else { return Poll::Pending };
        self.next += 1;
        Poll::Ready(Some(Ok(record)))
    }
}
