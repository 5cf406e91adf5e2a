use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http_body_util::BodyExt;
use hyper::{
    Method,
    body::{Bytes, Incoming},
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{call::Caller, strange};
use crate::{
    Error, Refusal, Result, Revision, Watch, WatchBatch, WatchRequest, WatchSource,
    wire::{self, Streamed, WatchCreate, WatchResponse},
};

/// Batches that are read ahead of whoever watches.
const AHEAD: usize = 16;
/// How long to wait before a watch that broke off is made again.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a server may say nothing before the connection is taken for dead; it says how far it is three times as often.
const SILENCE: Duration = Duration::from_secs(30);
/// Bytes of a line at most: the changes of one revision.
const LONGEST: usize = 64 << 20;

/// A watch at whichever server answers, which goes on where it broke off.
pub(super) async fn watch(caller: Arc<Caller>, request: WatchRequest) -> Result<Watch> {
    let (batches, received) = mpsc::channel(AHEAD);
    let (progress, asked) = mpsc::unbounded_channel();
    let (begun, started) = oneshot::channel();
    let follower = Follower { caller, request, asked, batches, begun: Some(begun), wants_progress: false };
    let task = tokio::spawn(follower.run());
    started.await.map_err(|_| Error::Closed)??;
    Ok(Watch::new(Remote { received, progress, task }))
}

struct Remote {
    received: mpsc::Receiver<Result<WatchBatch>>,
    progress: mpsc::UnboundedSender<()>,
    task: JoinHandle<()>,
}

impl WatchSource for Remote {
    fn poll_batch(&mut self, context: &mut Context<'_>) -> Poll<Result<WatchBatch>> {
        self.received.poll_recv(context).map(|batch| batch.unwrap_or(Err(Error::Closed)))
    }

    fn request_progress(&mut self) {
        // A watch that has ended says so when it is polled.
        let _ = self.progress.send(());
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads lines and gives batches, making the request again as often as it must.
struct Follower {
    caller: Arc<Caller>,
    request: WatchRequest,
    asked: mpsc::UnboundedReceiver<()>,
    batches: mpsc::Sender<Result<WatchBatch>>,
    /// Whoever waits for the watch to begin.
    begun: Option<oneshot::Sender<Result<()>>>,
    /// Whether to say how far it is, once that is known.
    wants_progress: bool,
}

/// Why one connection of a watch ended.
enum End {
    /// It is to be made again, so that it says how far it is.
    Progress,
    /// It broke off.
    Broken,
    /// Nobody watches any more, or the watch cannot go on.
    Over(Option<Error>),
}

impl Follower {
    async fn run(mut self) {
        loop {
            match self.once().await {
                End::Progress => self.wants_progress = true,
                End::Broken => sleep(PAUSE).await,
                End::Over(None) => return,
                End::Over(Some(error)) => {
                    match self.begun.take() {
                        // Who watches may have gone away.
                        Some(begun) => drop(begun.send(Err(error))),
                        None => drop(self.batches.send(Err(error)).await),
                    }
                    return;
                }
            }
        }
    }

    async fn once(&mut self) -> End {
        // Where it broke off before it could say how far it is, it is asked again.
        let create_request = WatchCreate { progress: self.wants_progress, progress_notify: true, ..WatchCreate::from(&self.request) };
        let body = serde_json::to_vec(&wire::WatchRequest { create_request }).expect("requests are plain data");
        let body = match self.caller.stream(Method::POST, "/v3/watch", Bytes::from(body)).await {
            Ok(body) => body,
            Err(error) if self.begun.is_none() && error.is_retryable() => return End::Broken,
            Err(error) => return End::Over(Some(error)),
        };
        let mut lines = Lines { body, read: Vec::new() };
        loop {
            let line = tokio::select! {
                line = timeout(SILENCE, lines.next()) => line,
                Some(()) = self.asked.recv() => return End::Progress,
                () = self.batches.closed() => return End::Over(None),
            };
            let response = match line.unwrap_or(Ok(None)) {
                Ok(Some(line)) => serde_json::from_slice::<Streamed<WatchResponse>>(&line).map(|line| line.result),
                Ok(None) | Err(_) => return End::Broken,
            };
            match response {
                Ok(response) => {
                    if let Some(end) = self.take(response).await {
                        return end;
                    }
                }
                Err(error) => return End::Over(Some(strange(error))),
            }
        }
    }

    async fn take(&mut self, response: WatchResponse) -> Option<End> {
        if response.canceled {
            let at = Revision(response.compact_revision.0);
            let compacted = at > Revision::ZERO;
            // Another server may go on, where it is not the history that is gone.
            return Some(if compacted { End::Over(Some(Refusal::Compacted { at }.into())) } else { End::Broken });
        }
        let next = Revision(response.header.revision.0).next();
        if response.created {
            self.request.from = self.request.from.or(Some(next));
            if let Some(begun) = self.begun.take() {
                // Who watches may have gone away, which is seen below.
                let _ = begun.send(Ok(()));
            }
            return None;
        }
        self.request.from = self.request.from.max(Some(next));
        if response.events.is_empty() && !std::mem::take(&mut self.wants_progress) {
            // A sign of life.
            return None;
        }
        match self.batches.send(Ok(response.batch())).await {
            Ok(()) => None,
            Err(_) => Some(End::Over(None)),
        }
    }
}

/// A body's lines.
struct Lines {
    body: Incoming,
    read: Vec<u8>,
}

impl Lines {
    /// The next line; `None` where the body has ended. May be dropped while it waits.
    async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let mut searched = 0;
        loop {
            if let Some(at) = self.read[searched..].iter().position(|byte| *byte == b'\n') {
                let rest = self.read.split_off(searched + at + 1);
                return Ok(Some(std::mem::replace(&mut self.read, rest)));
            }
            searched = self.read.len();
            if searched > LONGEST {
                return Err(strange("a line without an end"));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(part) = frame.into_data() {
                        self.read.extend_from_slice(&part);
                    }
                }
                Some(Err(error)) => return Err(Error::Unknown { reason: error.to_string() }),
                None => return Ok(None),
            }
        }
    }
}
