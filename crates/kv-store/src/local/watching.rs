use std::{
    collections::VecDeque,
    sync::{Arc, Weak},
    task::{Context, Poll},
};

use jarre_core::BoxFuture;

use super::{Engine, read};
use crate::{
    Error, ReadLevel, Refusal, Result, Revision, Watch, WatchBatch, WatchRequest, WatchSource,
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
    progress: Progress,
}

/// Whether to say how far the watch is.
enum Progress {
    Unasked,
    /// Once the store has what was acknowledged anywhere when that was asked.
    Settling(BoxFuture<'static, Result<()>>),
    /// Once all that the store has is delivered.
    Due,
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
    Ok(Watch::new(Watching { engine: Arc::downgrade(engine), number, request, next, read: VecDeque::new(), progress: Progress::Unasked }))
}

impl<E: Engine> WatchSource for Watching<E> {
    fn poll_batch(&mut self, context: &mut Context<'_>) -> Poll<Result<WatchBatch>> {
        if let Some(batch) = self.read.pop_front() {
            return Poll::Ready(Ok(batch));
        }
        let Some(engine) = self.engine.upgrade() else { return Poll::Ready(Err(Error::Closed)) };
        engine.shared().wakers.wait(self.number, context.waker());
        self.poll_progress(&engine, context)?;
        let Changes { batches, next, caught_up } = read(&*engine, |rows| machine::changes(rows, &self.request, self.next, BUDGET))?;
        self.next = next;
        Counters::count(&engine.shared().counters.watch_batches, batches.len());
        self.read.extend(batches);
        if let Some(batch) = self.read.pop_front() {
            return Poll::Ready(Ok(batch));
        }
        if caught_up && matches!(self.progress, Progress::Due) {
            self.progress = Progress::Unasked;
            return Poll::Ready(Ok(WatchBatch { revision: Revision(self.next.0.saturating_sub(1)), events: Vec::new() }));
        }
        if !caught_up {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }

    fn request_progress(&mut self) {
        // Where it has ended, it says so.
        if let Some(engine) = self.engine.upgrade() {
            self.progress = Progress::Settling(settled(engine));
        }
    }
}

impl<E: Engine> Watching<E> {
    fn poll_progress(&mut self, engine: &Arc<E>, context: &mut Context<'_>) -> Result<()> {
        while let Progress::Settling(settling) = &mut self.progress {
            match settling.as_mut().poll(context) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(())) => self.progress = Progress::Due,
                // A later try may succeed; until then nothing is promised.
                Poll::Ready(Err(error)) if error.is_retryable() => self.progress = Progress::Settling(settled(Arc::clone(engine))),
                Poll::Ready(Err(error)) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Is ready once `engine` has whatever was acknowledged until now.
fn settled<E: Engine>(engine: Arc<E>) -> BoxFuture<'static, Result<()>> {
    Box::pin(async move {
        match engine.settle(ReadLevel::Linearizable) {
            Some(settled) => settled.await,
            None => Ok(()),
        }
    })
}

impl<E: Engine> Drop for Watching<E> {
    fn drop(&mut self) {
        if let Some(engine) = self.engine.upgrade() {
            engine.shared().wakers.forget(self.number);
        }
    }
}
