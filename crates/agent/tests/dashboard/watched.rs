use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use jarre_agent::serve::{MemoryRuns, RunList, Runs};
use jarre_agent::{ApprovalToken, Decision, Record, Result};
use jarre_core::{BoxFuture, BoxStream};
use tokio::sync::watch;

/// Runs that tell who follows them, and how far.
#[derive(Clone, Default)]
pub(crate) struct Watched {
    pub(crate) runs: MemoryRuns,
    followers: Arc<Mutex<Vec<Follower>>>,
}

/// Someone who follows a run.
#[derive(Clone)]
pub(crate) struct Follower {
    taken: Arc<AtomicUsize>,
    /// Whose sender is dropped with the stream.
    left: watch::Receiver<()>,
}

impl Watched {
    /// The one who came as the `place`th, from 0.
    pub(crate) fn follower(&self, place: usize) -> Follower {
        self.followers.lock().unwrap()[place].clone()
    }
}

impl Follower {
    /// Records that were taken for it so far.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Acquire)
    }

    /// Waits until nothing is taken for it any more.
    pub(crate) async fn left(&mut self) {
        while self.left.changed().await.is_ok() {}
    }
}

impl Runs for Watched {
    fn list<'a>(&'a self, after: Option<&'a str>, limit: usize) -> BoxFuture<'a, Result<RunList>> {
        self.runs.list(after, limit)
    }

    fn records<'a>(&'a self, run: &'a str, from: u64) -> BoxFuture<'a, Result<Vec<Record>>> {
        self.runs.records(run, from)
    }

    fn follow<'a>(&'a self, run: &'a str, from: u64) -> BoxFuture<'a, Result<BoxStream<'static, Result<Record>>>> {
        Box::pin(async move {
            let records = self.runs.follow(run, from).await?;
            let (stays, left) = watch::channel(());
            let taken = Arc::<AtomicUsize>::default();
            self.followers.lock().unwrap().push(Follower { taken: Arc::clone(&taken), left });
            Ok(Box::pin(Counted { records, taken, _stays: stays }) as BoxStream<'static, _>)
        })
    }

    fn answer<'a>(&'a self, run: &'a str, token: &'a ApprovalToken, decision: Decision, by: &'a str) -> BoxFuture<'a, Result<()>> {
        self.runs.answer(run, token, decision, by)
    }
}

struct Counted {
    records: BoxStream<'static, Result<Record>>,
    taken: Arc<AtomicUsize>,
    _stays: watch::Sender<()>,
}

impl Stream for Counted {
    type Item = Result<Record>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let record = ready!(self.records.as_mut().poll_next(context));
        self.taken.fetch_add(usize::from(record.is_some()), Ordering::AcqRel);
        Poll::Ready(record)
    }
}
