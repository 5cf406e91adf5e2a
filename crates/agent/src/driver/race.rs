use std::{future::poll_fn, task::Poll};

use jarre_core::BoxFuture;

use super::Cancel;

/// What ended a wait.
pub(super) enum Ended<T> {
    With(T),
    Cancelled,
    TimeUp,
}

/// Waits for `work` until the run is cancelled or `time` is up. What is given up is dropped.
pub(super) async fn race<T>(mut work: BoxFuture<'_, T>, cancel: &Cancel, mut time: Option<BoxFuture<'static, ()>>) -> Ended<T> {
    let ended = poll_fn(|context| {
        if let Poll::Ready(value) = work.as_mut().poll(context) {
            return Poll::Ready(Ended::With(value));
        }
        if cancel.poll(context.waker()).is_some() {
            return Poll::Ready(Ended::Cancelled);
        }
        match time.as_mut().map(|time| time.as_mut().poll(context)) {
            Some(Poll::Ready(())) => Poll::Ready(Ended::TimeUp),
            _ => Poll::Pending,
        }
    });
    let ended = ended.await;
    cancel.forget();
    ended
}
