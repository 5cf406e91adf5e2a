use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use jarre_core::{BoxStream, ChatChunk, Result};

use super::answer::Answer;

/// A model's stream as it is read. Dropping it drops the model's.
pub(super) struct GuardedStream {
    /// Gone where nothing more is wanted of it.
    upstream: Option<BoxStream<'static, Result<ChatChunk>>>,
    answer: Answer,
}

impl GuardedStream {
    pub(super) fn new(upstream: BoxStream<'static, Result<ChatChunk>>, answer: Answer) -> Self {
        Self { upstream: Some(upstream), answer }
    }
}

impl Stream for GuardedStream {
    type Item = Result<ChatChunk>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let Some(upstream) = &mut self.upstream else { return Poll::Ready(None) };
            let read = match ready!(upstream.as_mut().poll_next(context)) {
                Some(Ok(chunk)) => self.answer.push(chunk),
                Some(Err(error)) => Err(error),
                None => {
                    self.upstream = None;
                    Ok(self.answer.break_off())
                }
            };
            if read.is_err() || self.answer.is_stopped() {
                self.upstream = None;
            }
            if let Some(item) = read.transpose() {
                return Poll::Ready(Some(item));
            }
        }
    }
}
