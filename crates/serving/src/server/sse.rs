use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_core::Stream;
use jarre_core::Usage;
use jarre_openai::{ApiError, sse};
use serde::Serialize;
use tokio::time::{Instant, Sleep, sleep};

use super::answers::Answers;
use super::failure::Failure;
use crate::Output;

/// Turns outputs into events of an answer's form.
pub(super) trait Events: Send + Unpin + 'static {
    /// The event that an output of a prompt is worth, where it is worth one.
    fn write(&mut self, prompt: usize, output: Output) -> Option<String>;

    /// The event after all outputs, where the client asked for one.
    fn usage(&mut self, usage: Usage) -> Option<String>;
}

/// A stream of events: it ends with `[DONE]`, or with an event that holds an error.
pub(super) fn respond(answers: Answers, events: impl Events) -> Response {
    let keep_alive = answers.app().config.keep_alive;
    let silence = Box::pin(sleep(keep_alive));
    let stream = EventStream { answers: Some(answers), events, pending: VecDeque::new(), keep_alive, silence };
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
    (headers, [("x-accel-buffering", "no")], Body::from_stream(stream)).into_response()
}

/// The event that holds `value`.
pub(super) fn event(value: &impl Serialize) -> String {
    sse::data(value).expect("wire types can be written as JSON")
}

struct EventStream<E> {
    /// None once there is nothing more to come.
    answers: Option<Answers>,
    events: E,
    pending: VecDeque<String>,
    keep_alive: Duration,
    silence: Pin<Box<Sleep>>,
}

impl<E: Events> EventStream<E> {
    fn take(&mut self, output: Option<(usize, Output)>) {
        match output {
            Some((_, Output::Failed(error))) => {
                let ApiError { body, .. } = Failure::from(error).0;
                self.pending.push_back(event(&jarre_openai::ErrorResponse { error: body }));
                self.answers = None;
            }
            Some((prompt, output)) => self.pending.extend(self.events.write(prompt, output)),
            None => {
                let usage = self.answers.take().map(|answers| answers.usage()).unwrap_or_default();
                self.pending.extend(self.events.usage(usage));
                self.pending.push_back(sse::DONE.to_owned());
            }
        }
    }
}

impl<E: Events> Stream for EventStream<E> {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                let next = Instant::now() + self.keep_alive;
                self.silence.as_mut().reset(next);
                return Poll::Ready(Some(Ok(event.into())));
            }
            let Some(answers) = &mut self.answers else { return Poll::Ready(None) };
            match answers.poll_next(context) {
                Poll::Ready(output) => self.take(output),
                Poll::Pending => {
                    std::task::ready!(self.silence.as_mut().poll(context));
                    self.pending.push_back(sse::comment("keep-alive"));
                }
            }
        }
    }
}
