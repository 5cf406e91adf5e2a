use std::{convert::Infallible, pin::Pin, sync::Arc, task::Poll, time::Duration};

use axum::{body::Body, extract::State, response::Response};
use futures_core::Stream;
use serde::Serialize;
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use super::{App, connections::stopped, failure::Failure, router::Json};
use crate::{
    Error, KeyRange, RangeRequest, Refusal, Result, Revision, Watch,
    wire::{Header, Number, Streamed, WatchRequest, WatchResponse},
};

/// Answers that a slow reader may leave unread before the watch stops reading the store for it.
const AHEAD: usize = 4;
/// How often a watch that asked for it is told how far it is, where nothing changes. Another is sent an empty line: who has gone while more of
/// what was sent lay unread, or without a word, is noticed by writing alone.
const PROGRESS: Duration = Duration::from_secs(10);

/// A line of JSON for each revision, for as long as the client stays.
pub(super) async fn watch(State(app): State<Arc<App>>, Json(body): Json<WatchRequest>) -> Result<Response, Failure> {
    let progress = body.create_request.progress_notify.then_some(PROGRESS);
    let is_asked = body.create_request.progress;
    let mut request = body.create_request.request()?;
    // Where it begins is said at once, so that a client that loses the connection can go on there.
    let from = match request.from {
        Some(from) => from,
        None => now(&app).await?.next(),
    };
    request.from = Some(from);
    let watch = match app.store.watch(request).await {
        Ok(mut watch) => {
            if is_asked {
                watch.request_progress();
            }
            watch
        }
        Err(error @ Error::Refused(Refusal::Compacted { .. })) => {
            let (lines, body) = lines();
            // There is room for the first line.
            let _ = lines.send(line(&canceled(app.header_now().await?, &error))).await;
            return Ok(Response::new(body));
        }
        Err(error) => return Err(error.into()),
    };
    let (lines, body) = lines();
    tokio::spawn(follow(app, watch, Revision(from.0.saturating_sub(1)), progress, lines));
    Ok(Response::new(body))
}

/// Where the store is.
async fn now(app: &App) -> Result<Revision> {
    let nothing = RangeRequest::new(KeyRange::key("a")).keys_only();
    Ok(app.store.range(nothing).await?.revision)
}

async fn follow(app: Arc<App>, mut watch: Watch, after: Revision, progress: Option<Duration>, lines: mpsc::Sender<Vec<u8>>) {
    let created = WatchResponse { header: app.header(after), created: true, ..WatchResponse::default() };
    let mut next = line(&created);
    let mut stop = std::pin::pin!(stopped(app.stopping.subscribe()));
    // Ends when the client goes, the server stops, or the watch does.
    while !next.is_empty() {
        tokio::select! {
            () = &mut stop => return,
            sent = lines.send(std::mem::take(&mut next)) => if sent.is_err() { return },
        }
        let batch = tokio::select! {
            () = &mut stop => return,
            () = lines.closed() => return,
            () = sleep(PROGRESS), if progress.is_none() => {
                next.push(b'\n');
                continue;
            }
            batch = following(&mut watch, progress) => batch,
        };
        match batch {
            Some(Ok(batch)) => next = line(&WatchResponse::of(app.header(batch.revision), batch)),
            Some(Err(error)) => {
                // The store may have stopped, and the client gone away.
                let header = app.header_now().await.unwrap_or_else(|_| app.header(Revision::ZERO));
                let _ = lines.send(line(&canceled(header, &error))).await;
            }
            None => {}
        }
    }
}

/// The next batch, or one that says how far the watch is.
async fn following(watch: &mut Watch, progress: Option<Duration>) -> Option<Result<crate::WatchBatch>> {
    let Some(progress) = progress else { return watch.next().await };
    if let Ok(batch) = timeout(progress, watch.next()).await {
        return batch;
    }
    watch.request_progress();
    watch.next().await
}

fn canceled(header: Header, error: &Error) -> WatchResponse {
    let compact_revision = if let Error::Refused(Refusal::Compacted { at }) = error { Number(at.0) } else { Number(0) };
    WatchResponse { header, canceled: true, compact_revision, cancel_reason: error.to_string(), ..WatchResponse::default() }
}

fn line<T: Serialize>(result: &T) -> Vec<u8> {
    let mut line = serde_json::to_vec(&Streamed { result }).expect("answers are plain data, which JSON can always write");
    line.push(b'\n');
    line
}

/// A body that is what is sent.
pub(super) fn lines() -> (mpsc::Sender<Vec<u8>>, Body) {
    let (sender, lines) = mpsc::channel(AHEAD);
    (sender, Body::from_stream(Lines(lines)))
}

struct Lines(mpsc::Receiver<Vec<u8>>);

impl Stream for Lines {
    type Item = Result<Vec<u8>, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut std::task::Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|line| line.map(Ok))
    }
}
