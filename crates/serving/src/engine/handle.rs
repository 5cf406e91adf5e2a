use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures_channel::mpsc::{UnboundedReceiver, unbounded};
use futures_core::Stream;
use jarre_core::Clock;

use super::admission::Admission;
use super::core::EngineCore;
use super::pooling;
use super::worker::{Command, Work, Worker};
use crate::output::{AdapterStats, Output};
use crate::{Error, ModelRunner, PooledRequest, Request, Result, SchedulerStats};

/// An engine on a thread of its own. Clones share it; when the last of them and the last stream are gone, the thread ends.
///
/// Submitting never waits for a step: what is wrong with a request, and whether the queue has room, is known at once.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
    admission: Arc<Admission>,
    clock: Arc<dyn Clock>,
}

/// What handles and the engine's thread share.
pub(super) struct Shared {
    commands: mpsc::Sender<Command>,
    pub(super) board: Arc<Board>,
    tickets: AtomicU64,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Where the engine's thread writes how things stand.
#[derive(Debug, Default)]
pub(super) struct Board {
    /// Requests in the scheduler's queue after the last step, and those submitted since.
    pub(super) waiting: AtomicUsize,
    pub(super) max_waiting: usize,
    pub(super) closed: AtomicBool,
    /// Requests that were submitted and have not ended.
    pub(super) open: AtomicUsize,
    pub(super) stats: Mutex<SchedulerStats>,
    pub(super) adapters: Mutex<AdapterStats>,
    /// Why the runner computes nothing any more.
    pub(super) lost: OnceLock<String>,
}

impl Board {
    fn check_runner(&self) -> Result<()> {
        self.lost.get().map_or(Ok(()), |reason| Err(Error::Lost(reason.clone())))
    }
}

impl Engine {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`Error::Engine`] where the system gives no thread.
    pub fn start<R: ModelRunner + 'static>(core: EngineCore<R>, clock: Arc<dyn Clock>) -> Result<Self> {
        let (commands, receiver) = mpsc::channel();
        let board = Board { max_waiting: core.max_waiting(), stats: Mutex::new(core.stats()), ..Board::default() };
        let board = Arc::new(board);
        let admission = core.admission();
        let worker = Worker::new(core, receiver, Arc::clone(&board), Arc::clone(&clock));
        let thread = thread::Builder::new().name("engine".to_owned()).spawn(move || worker.run());
        let thread = thread.map_err(|error| Error::Engine(format!("no thread to run on: {error}")))?;
        let shared = Shared { commands, board, tickets: AtomicU64::new(0), thread: Mutex::new(Some(thread)) };
        Ok(Self { shared: Arc::new(shared), admission, clock })
    }

    /// Takes a request; its outputs come through the stream. Dropping the stream cancels the request within a step.
    ///
    /// Waits for the request's grammar, where it has one, to be compiled, at most for [`EngineConfig::grammar_timeout`](crate::EngineConfig::grammar_timeout)
    /// and as long again for a free compiler: not a call for an async thread then.
    ///
    /// # Errors
    /// As [`EngineCore::add`], and [`Error::ShuttingDown`] once the engine is [closed](Self::close). Whoever gets [`Error::Lost`] has to send the
    /// request to another engine.
    pub fn submit(&self, request: Request) -> Result<OutputStream> {
        self.take(|admission, now| {
            let mut admitted = admission.admit(request, now)?;
            admitted.took = self.clock.now().saturating_sub(now);
            Ok(Work::Answer(Box::new(admitted)))
        })
    }

    /// Takes inputs for a model beside the engine's own, which are computed between its answers; see [`PooledRequest`]. Their rows come through the
    /// stream as [`Output::Pooled`]. Dropping the stream cancels what is not computed.
    ///
    /// # Errors
    /// As [`EngineCore::add_pooled`], and [`Error::ShuttingDown`] once the engine is [closed](Self::close).
    pub fn submit_pooled(&self, request: PooledRequest) -> Result<OutputStream> {
        self.take(|_, now| pooling::check(&request, now).map(|()| Work::Pool(Box::new(request))))
    }

    fn take(&self, admit: impl FnOnce(&Admission, Duration) -> Result<Work>) -> Result<OutputStream> {
        let open = &self.shared.board.open;
        // Counted before the look at `closed`: who closes and then finds nothing open has missed nobody.
        open.fetch_add(1, Ordering::SeqCst);
        let taken = self.send(admit);
        if taken.is_err() {
            open.fetch_sub(1, Ordering::SeqCst);
        }
        taken
    }

    fn send(&self, admit: impl FnOnce(&Admission, Duration) -> Result<Work>) -> Result<OutputStream> {
        let board = &self.shared.board;
        if board.closed.load(Ordering::SeqCst) {
            return Err(Error::ShuttingDown);
        }
        board.check_runner()?;
        // What it takes to admit a request is part of its time in the queue.
        let arrived = self.clock.now();
        let work = admit(&self.admission, arrived)?;
        let waiting = board.waiting.fetch_add(1, Ordering::AcqRel);
        if waiting >= board.max_waiting {
            board.waiting.fetch_sub(1, Ordering::AcqRel);
            return Err(Error::QueueFull { waiting, limit: board.max_waiting });
        }
        let ticket = self.shared.tickets.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = unbounded();
        let command = Command::Add { ticket, work, outputs: sender, arrived };
        self.shared.commands.send(command).map_err(|_| Error::ShuttingDown)?;
        Ok(OutputStream { receiver, ticket, shared: Arc::clone(&self.shared), ended: false })
    }

    /// Whether a request would find room in the queue: for those who want to know before they make one, which may take long.
    ///
    /// # Errors
    /// [`Error::QueueFull`] and [`Error::ShuttingDown`]; [`Error::Lost`] where the runner is [lost](EngineCore::lost).
    pub fn check_queue(&self) -> Result<()> {
        let board = &self.shared.board;
        if board.closed.load(Ordering::Acquire) {
            return Err(Error::ShuttingDown);
        }
        board.check_runner()?;
        let waiting = board.waiting.load(Ordering::Acquire);
        if waiting >= board.max_waiting { Err(Error::QueueFull { waiting, limit: board.max_waiting }) } else { Ok(()) }
    }

    /// Why nothing is computed any more, where that is so: see [`EngineCore::lost`].
    pub fn lost(&self) -> Option<&str> {
        self.shared.board.lost.get().map(String::as_str)
    }

    /// Takes no more requests from now on; those that were taken are answered.
    pub fn close(&self) {
        self.shared.board.closed.store(true, Ordering::SeqCst);
    }

    /// Whether no request is open.
    pub fn is_idle(&self) -> bool {
        self.shared.board.open.load(Ordering::SeqCst) == 0
    }

    /// Closes the engine and fails what is still open with [`Error::ShuttingDown`].
    pub fn abort(&self) {
        self.close();
        // A thread that is gone has nothing open.
        let _ = self.shared.commands.send(Command::Abort);
    }

    /// What the scheduler counted after the last step.
    pub fn stats(&self) -> SchedulerStats {
        *self.shared.board.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose adapters ran and waited after the last step.
    pub fn adapter_stats(&self) -> AdapterStats {
        self.shared.board.adapters.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The time by which deadlines of requests are told.
    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    /// The most tokens of prompt and answer together.
    pub fn max_len(&self) -> usize {
        self.admission.max_len
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("max_len", &self.max_len()).finish_non_exhaustive()
    }
}

impl Drop for Shared {
    /// Waits for the thread, which ends when nobody can send it anything; on that thread itself there is nothing to wait for.
    fn drop(&mut self) {
        let _ = self.commands.send(Command::Stop);
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id()) {
            // Its panic was told where it happened, and there is nobody to give it to.
            let _ = thread.join();
        }
    }
}

/// What comes of a request, until its [last](Output::is_last) output. Dropping it before cancels the request.
pub struct OutputStream {
    receiver: UnboundedReceiver<Output>,
    ticket: u64,
    shared: Arc<Shared>,
    ended: bool,
}

impl Stream for OutputStream {
    type Item = Output;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Output>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let output = std::task::ready!(Pin::new(&mut self.receiver).poll_next(context));
        // A thread that went away without a last word has failed.
        let output = output.unwrap_or_else(|| Output::Failed(Error::Engine("it stopped; restart it".to_owned())));
        self.ended = output.is_last();
        Poll::Ready(Some(output))
    }
}

impl Drop for OutputStream {
    fn drop(&mut self) {
        if !self.ended {
            let _ = self.shared.commands.send(Command::Cancel(self.ticket));
        }
    }
}

impl std::fmt::Debug for OutputStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutputStream").field("ticket", &self.ticket).field("ended", &self.ended).finish_non_exhaustive()
    }
}
