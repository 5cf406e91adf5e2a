use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_core::Stream;
use jarre_core::{BoxStream, ChatChunk, Result, Usage};
use jarre_openai::{ApiError, ChunkWriter, sse};
use serde::Serialize;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::failure::defect;
use super::gate::Seat;
use super::ledger::Entry;
use super::{App, chat, verdict};

/// What all pieces of an answer begin with.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) id: String,
    /// The model, as the client calls it.
    pub(super) asked: String,
    pub(super) created: u64,
}

/// What a stream is made of, and what it holds until it ends.
pub(super) struct Parts {
    pub(super) app: Arc<App>,
    pub(super) chunks: BoxStream<'static, Result<ChatChunk>>,
    pub(super) entry: Entry,
    pub(super) seat: Seat,
    pub(super) deadline: Instant,
}

/// A stream of events: it ends with a comment that tells what the guards did, and `[DONE]` or an event that holds an error. Where the client
/// goes away, it is dropped, and the upstream with it.
pub(super) fn respond(parts: Parts, head: &Head, include_usage: bool) -> Response {
    let Parts { app, chunks, entry, seat, deadline } = parts;
    let events = Events {
        chunks: Some(chunks),
        writer: Err(head.clone()),
        pending: VecDeque::new(),
        usage: include_usage.then(Usage::default),
        silence: Box::pin(sleep(app.config.keep_alive)),
        deadline: Box::pin(sleep_until(deadline)),
        app,
        entry,
        _seat: seat,
    };
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
    (headers, [("x-accel-buffering", "no")], Body::from_stream(events)).into_response()
}

struct Events {
    app: Arc<App>,
    /// None once there is nothing more to come.
    chunks: Option<BoxStream<'static, Result<ChatChunk>>>,
    /// What it is made of, until the first piece tells which model answers.
    writer: std::result::Result<ChunkWriter, Head>,
    pending: VecDeque<String>,
    /// The tokens used, where the client wants to know.
    usage: Option<Usage>,
    silence: Pin<Box<Sleep>>,
    deadline: Pin<Box<Sleep>>,
    entry: Entry,
    _seat: Seat,
}

impl Events {
    fn take(&mut self, next: Option<Result<ChatChunk>>) {
        match next {
            Some(Ok(chunk)) => {
                if let (Some(usage), Some(told)) = (&mut self.usage, chunk.usage) {
                    *usage = told;
                }
                match self.writer(&chunk).write(chunk) {
                    Ok(chunk) => self.pending.extend(chunk.map(|chunk| event(&chunk))),
                    Err(_) => self.fail(&defect()),
                }
            }
            Some(Err(error)) => self.fail(&self.app.upstream.failure(&error)),
            None => {
                self.end();
                let usage = self.usage.and_then(|usage| Some(event(&self.writer.as_ref().ok()?.usage(usage))));
                self.pending.extend(usage);
                self.pending.push_back(sse::DONE.to_owned());
            }
        }
    }

    fn writer(&mut self, first: &ChatChunk) -> &mut ChunkWriter {
        if let Err(head) = &self.writer {
            let model = self.app.upstream.name_of(&head.asked, first.model.clone());
            self.writer = Ok(ChunkWriter::new(&head.id, model, head.created, 0));
        }
        self.writer.as_mut().expect("it was made if it was not there")
    }

    fn fail(&mut self, error: &ApiError) {
        self.end();
        self.pending.push_back(event(&error.response()));
    }

    /// The guards have had their say once the stream is dropped.
    fn end(&mut self) {
        self.chunks = None;
        self.pending.push_back(sse::comment(&format!("{} {}", verdict::HEADER, self.entry.summary().json())));
    }
}

fn event(value: &impl Serialize) -> String {
    sse::data(value).expect("wire types can be written as JSON")
}

impl Stream for Events {
    type Item = std::result::Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                let next = Instant::now() + self.app.config.keep_alive;
                self.silence.as_mut().reset(next);
                return Poll::Ready(Some(Ok(event.into())));
            }
            let Some(chunks) = &mut self.chunks else { return Poll::Ready(None) };
            match chunks.as_mut().poll_next(context) {
                Poll::Ready(next) => self.take(next),
                Poll::Pending if self.deadline.as_mut().poll(context).is_ready() => self.fail(&chat::late()),
                Poll::Pending => {
                    ready!(self.silence.as_mut().poll(context));
                    self.pending.push_back(sse::comment("keep-alive"));
                }
            }
        }
    }
}
