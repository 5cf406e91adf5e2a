use std::{ops::ControlFlow, sync::Arc, time::Duration};

use etcd_client::{EventType, WatchOptions, WatchResponse, WatchStream};
use tokio::{
    sync::{Notify, mpsc},
    time::{sleep, timeout},
};

use super::{
    caller::Caller,
    failure::{Failure, Kind, refused},
    keys,
};
use crate::{Error, Event, Refusal, Result, Revision, WatchBatch, WatchRequest};

/// The pause before a stream is opened again, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// What reads from etcd.
pub(super) struct Follower {
    caller: Arc<Caller>,
    request: WatchRequest,
    /// The first revision that was not delivered.
    next: Revision,
    /// The revision that progress was asked up to. Until it is there the whole store is watched, of which the marker is a part: what comes
    /// before it in the stream is all there is before it. (etcd's own answer to that question comes too early up to 3.4.24 and 3.5.7.)
    marker: Option<Revision>,
    out: mpsc::Sender<Result<WatchBatch>>,
    progress: Arc<Notify>,
}

/// How a stream ended.
enum Ended {
    /// Another is to be opened at once.
    Again,
    /// It broke; another is to be opened after a pause.
    Broken(String),
    /// Nobody listens any more.
    Unheard,
    Failed(Error),
}

impl Follower {
    /// Delivers the changes from `next` on to `out`.
    pub(super) fn new(
        caller: Arc<Caller>,
        request: WatchRequest,
        next: Revision,
        out: mpsc::Sender<Result<WatchBatch>>,
        progress: Arc<Notify>,
    ) -> Self {
        Self { caller, request, next, marker: None, out, progress }
    }

    pub(super) async fn run(mut self) {
        let mut pause = PAUSE.0;
        loop {
            let before = self.next;
            match self.follow().await {
                Ended::Unheard => return,
                Ended::Again => {}
                Ended::Failed(error) => {
                    // Who listened may have gone away.
                    let _ = self.out.send(Err(error)).await;
                    return;
                }
                Ended::Broken(reason) => {
                    tracing::debug!(reason, "a watch of etcd is opened again");
                    pause = if self.next > before { PAUSE.0 } else { (pause * 2).min(PAUSE.1) };
                    tokio::select! {
                        () = sleep(pause) => {}
                        () = self.out.closed() => return,
                    }
                }
            }
        }
    }

    /// Opens a stream and delivers what comes.
    async fn follow(&mut self) -> Ended {
        let mut stream = match timeout(self.caller.options.timeout, self.open()).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return ended(&error),
            Err(_) => return Ended::Broken("there was no answer in time".to_owned()),
        };
        let (progress, out) = (Arc::clone(&self.progress), self.out.clone());
        loop {
            tokio::select! {
                answer = stream.message() => match answer {
                    Ok(Some(answer)) => {
                        if let ControlFlow::Break(ended) = self.take(&answer).await {
                            return ended;
                        }
                    }
                    Ok(None) => return Ended::Broken("the stream ended".to_owned()),
                    Err(error) => return ended(&error),
                },
                () = progress.notified(), if self.marker.is_none() => return self.mark().await,
                () = out.closed() => return Ended::Unheard,
            }
        }
    }

    /// From one revision earlier than needed: to etcd the last revision that was compacted is not too early, although it may be in pieces.
    async fn open(&self) -> Result<WatchStream, etcd_client::Error> {
        let from = Revision(self.next.0.saturating_sub(1).max(1));
        let narrow = self.caller.keys.bounds(&self.request.range).filter(|_| self.marker.is_none());
        let (start, end) = narrow.unwrap_or_else(|| self.caller.keys.all());
        let options = WatchOptions::new().with_range(end).with_start_revision(keys::number(from));
        let options = if self.request.prev { options.with_prev_key() } else { options };
        let mut client = self.caller.client.watch_client().max_decoding_message_size(i32::MAX as usize);
        client.watch(start, Some(options)).await
    }

    /// Writes the marker, which says to what revision progress is wanted.
    async fn mark(&mut self) -> Ended {
        let marked = self.caller.call(Kind::Change, || {
            let (mut kv, marker) = (self.caller.kv(), self.caller.keys.marker());
            async move { kv.put(marker, "", None).await }
        });
        match marked.await {
            Ok(marked) => self.marked(keys::revision(marked.header().map_or(0, etcd_client::ResponseHeader::revision))).await,
            Err(Failure::Refused(error)) => Ended::Failed(error),
            Err(failure) => {
                // Once more then; a second marker does no harm.
                self.progress.notify_one();
                Ended::Broken(format!("{failure:?}"))
            }
        }
    }

    async fn marked(&mut self, marker: Revision) -> Ended {
        if marker >= self.next {
            self.marker = Some(marker);
            return Ended::Again;
        }
        // No change until then is wanted.
        match self.send(WatchBatch { revision: marker, events: Vec::new() }).await {
            ControlFlow::Continue(()) => Ended::Again,
            ControlFlow::Break(ended) => ended,
        }
    }

    /// Delivers the changes of an answer, a revision at a time.
    async fn take(&mut self, answer: &WatchResponse) -> ControlFlow<Ended> {
        if answer.compact_revision() > 0 {
            let at = keys::revision(answer.compact_revision());
            self.caller.known.compacted_at(at);
            return ControlFlow::Break(Ended::Failed(Refusal::Compacted { at }.into()));
        }
        if answer.canceled() {
            return ControlFlow::Break(canceled(answer.cancel_reason()));
        }
        for events in answer.events().chunk_by(|one, other| revision_of(one) == revision_of(other)) {
            let revision = events.first().map_or(Revision::ZERO, revision_of);
            self.deliver(revision, events).await?;
        }
        ControlFlow::Continue(())
    }

    async fn deliver(&mut self, revision: Revision, events: &[etcd_client::Event]) -> ControlFlow<Ended> {
        let reached = self.marker.filter(|marker| *marker <= revision);
        if revision >= self.next {
            let events: Vec<Event> = events.iter().filter_map(|event| self.event(event)).collect();
            if !events.is_empty() {
                self.send(WatchBatch { revision, events }).await?;
            }
            self.next = revision.next();
        }
        if let Some(marker) = reached {
            self.marker = None;
            self.send(WatchBatch { revision: marker, events: Vec::new() }).await?;
            return ControlFlow::Break(Ended::Again);
        }
        ControlFlow::Continue(())
    }

    async fn send(&self, batch: WatchBatch) -> ControlFlow<Ended> {
        match self.out.send(Ok(batch)).await {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(Ended::Unheard),
        }
    }

    /// The event, where it is of a key that is watched.
    fn event(&self, event: &etcd_client::Event) -> Option<Event> {
        let keys = &self.caller.keys;
        let found = event.kv()?;
        let key = keys.strip(found.key()).filter(|key| self.request.range.contains(key))?;
        let prev = event.prev_kv().and_then(|prev| keys.entry(prev.clone()));
        Some(match event.event_type() {
            EventType::Put => Event::Put { entry: keys.entry(found.clone())?, prev },
            EventType::Delete => Event::Delete { key, prev },
        })
    }
}

fn revision_of(event: &etcd_client::Event) -> Revision {
    keys::revision(event.kv().map_or(0, etcd_client::KeyValue::mod_revision))
}

/// Whether another stream may do better.
fn ended(error: &etcd_client::Error) -> Ended {
    match Failure::of(error) {
        Failure::Refused(error) => Ended::Failed(error),
        failure => Ended::Broken(format!("{failure:?}")),
    }
}

fn canceled(reason: &str) -> Ended {
    if reason.contains("permission denied") {
        return Ended::Failed(refused(std::io::ErrorKind::PermissionDenied, reason));
    }
    Ended::Broken(reason.to_owned())
}
