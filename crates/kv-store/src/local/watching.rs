use std::{
    collections::VecDeque,
    sync::{Arc, Weak},
    task::{Context, Poll},
};

use super::{Engine, read};
use crate::{
    Error, Refusal, Result, Revision, Watch, WatchBatch, WatchRequest, WatchSource,
    machine::{self, Changes},
    metrics::Counters,
};

/// Changes that are read at a time.
const BUDGET: usize = 512;

/// Reads the history whenever it is asked, so that a slow reader costs no memory and may fall behind until compaction.
struct Watching<E: Engine> {
    engine: Weak<E>,
    number: u64,
    request: WatchRequest,
    next: Revision,
    read: VecDeque<WatchBatch>,
    progress: bool,
}

/// A watch over the history of `engine`.
pub(crate) fn watch<E: Engine>(engine: &Arc<E>, request: WatchRequest) -> Result<Watch> {
    let next = read(&**engine, |rows| {
        let state = machine::state(rows)?;
        match request.from {
            Some(from) if from <= state.compacted => Err(Refusal::Compacted { at: state.compacted }.into()),
            Some(from) => Ok(from),
            None => Ok(state.revision.next()),
        }
    })?;
    let number = engine.shared().wakers.number();
    Ok(Watch::new(Watching { engine: Arc::downgrade(engine), number, request, next, read: VecDeque::new(), progress: false }))
}

impl<E: Engine> WatchSource for Watching<E> {
    fn poll_batch(&mut self, context: &mut Context<'_>) -> Poll<Result<WatchBatch>> {
        if let Some(batch) = self.read.pop_front() {
            return Poll::Ready(Ok(batch));
        }
        let Some(engine) = self.engine.upgrade() else { return Poll::Ready(Err(Error::Closed)) };
        engine.shared().wakers.wait(self.number, context.waker());
        let Changes { batches, next, caught_up } = read(&*engine, |rows| machine::changes(rows, &self.request, self.next, BUDGET))?;
        self.next = next;
        Counters::count(&engine.shared().counters.watch_batches, batches.len());
        self.read.extend(batches);
        if let Some(batch) = self.read.pop_front() {
            return Poll::Ready(Ok(batch));
        }
        if caught_up && std::mem::take(&mut self.progress) {
            return Poll::Ready(Ok(WatchBatch { revision: Revision(self.next.0.saturating_sub(1)), events: Vec::new() }));
        }
        if !caught_up {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }

    fn request_progress(&mut self) {
        self.progress = true;
    }
}

impl<E: Engine> Drop for Watching<E> {
    fn drop(&mut self) {
        if let Some(engine) = self.engine.upgrade() {
            engine.shared().wakers.forget(self.number);
        }
    }
}
