use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use jarre_core::BoxFuture;
use jarre_kv_store::{Error as StoreError, Event as Change, Refusal, Watch, WatchRequest};

use super::{Chain, EventLog, parts::Joiner, record_range};
use crate::{Event, Record, Result};

/// The records of a run as they come, each once, in their order, checked against the one before it.
///
/// It may begin before the run does, and ends behind [`Event::Finished`] or an error. Where it was dropped, another goes on from the number
/// after that of the last record.
///
/// ```
/// use std::sync::Arc;
///
/// use jarre_agent::{Event, Outcome, log::EventLog};
/// use jarre_core::SystemClock;
/// use jarre_kv_store::Memory;
///
/// # pollster::block_on(async {
/// let log = EventLog::new(Arc::new(Memory::new()), Arc::new(SystemClock::new()));
/// let mut follow = log.follow("run-1", 0);
/// let writer = log.create("run-1").await?;
/// writer.append(Event::Remembered).await?;
/// assert_eq!(follow.next().await.unwrap()?.event, Event::Remembered);
/// writer.append(Event::Finished { outcome: Outcome::Done { answer: "42".into() } }).await?;
/// assert_eq!(follow.next().await.unwrap()?.seq, 1);
/// assert!(follow.next().await.is_none());
/// # Ok::<(), jarre_agent::Error>(()) }).unwrap();
/// ```
pub struct Follow {
    /// The follower and its next record, on the way.
    step: Step,
}

type Step = BoxFuture<'static, (Follower, Option<Result<Record>>)>;

impl Follow {
    pub(super) fn new(log: EventLog, run: &str, from: u64) -> Self {
        let follower = Follower { log, run: run.to_owned(), from, chain: None, ready: VecDeque::new(), watch: None, ended: false };
        Self { step: follower.step() }
    }

    /// The next record; `None` where no more can come.
    pub async fn next(&mut self) -> Option<Result<Record>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Stream for Follow {
    type Item = Result<Record>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let (follower, record) = ready!(self.step.as_mut().poll(context));
        // Behind the end it says so again.
        self.step = follower.step();
        Poll::Ready(record)
    }
}

impl fmt::Debug for Follow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follow").finish_non_exhaustive()
    }
}

struct Follower {
    log: EventLog,
    run: String,
    from: u64,
    chain: Option<Chain>,
    ready: VecDeque<Record>,
    watch: Option<Watch>,
    ended: bool,
}

impl Follower {
    fn step(mut self) -> Step {
        Box::pin(async move {
            let record = self.next().await;
            (self, record)
        })
    }

    async fn next(&mut self) -> Option<Result<Record>> {
        while !self.ended {
            if let Some(record) = self.ready.pop_front() {
                self.ended = matches!(record.event, Event::Finished { .. });
                return Some(Ok(record));
            }
            if let Err(error) = self.fill().await {
                self.ended = true;
                return Some(Err(error));
            }
        }
        None
    }

    /// Waits for changes of the run. Reads it first, so that the watch goes on at the revision behind what was read.
    async fn fill(&mut self) -> Result<()> {
        let Some(watch) = &mut self.watch else { return self.begin().await };
        match watch.next().await {
            Some(Ok(batch)) => self.take(batch.events),
            // A reader this slow reads the log instead.
            None | Some(Err(StoreError::Refused(Refusal::Compacted { .. }))) => {
                self.watch = None;
                Ok(())
            }
            Some(Err(error)) => Err(error.into()),
        }
    }

    async fn begin(&mut self) -> Result<()> {
        super::checked_name(&self.run)?;
        // Where nothing was read yet, the record before the first too: its hash is needed.
        let from = self.chain.as_ref().map_or(self.from.saturating_sub(1), Chain::next);
        let range = record_range(&self.run, from, None);
        let mut lines = Vec::new();
        let read = self.log.each_line(range.clone(), None, |line| {
            lines.push(line);
            Ok(())
        });
        let revision = read.await?;
        for line in lines {
            self.take_line(&line)?;
        }
        self.watch = Some(self.log.store().watch(WatchRequest::new(range).from(revision.next())).await?);
        Ok(())
    }

    fn take(&mut self, changes: Vec<Change>) -> Result<()> {
        let mut joiner = Joiner::default();
        let puts = changes.into_iter().filter_map(|change| if let Change::Put { entry, .. } = change { Some(entry) } else { None });
        let mut lines: Vec<_> = puts.filter_map(|entry| joiner.push(entry)).collect();
        lines.extend(joiner.finish());
        lines.into_iter().try_for_each(|(_, line)| self.take_line(&line))
    }

    fn take_line(&mut self, line: &[u8]) -> Result<()> {
        if self.from == 0 && self.chain.is_none() {
            self.chain = Some(Chain::new(&self.run));
        }
        match &mut self.chain {
            Some(chain) => self.ready.push_back(chain.check(line)?),
            None => self.chain = Some(Chain::behind(&self.run, self.from - 1, line)),
        }
        Ok(())
    }
}
