//! Boxed futures and streams, so that traits that wait stay object-safe without a runtime.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;

/// A future on the heap that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A stream on the heap that may move between threads.
pub type BoxStream<'a, T> = Pin<Box<dyn Stream<Item = T> + Send + 'a>>;

/// A stream of `items` that is always ready.
pub fn iter<'a, I>(items: I) -> BoxStream<'a, I::Item>
where
    I: IntoIterator<IntoIter: Send + 'a>,
{
    Box::pin(Iter(items.into_iter()))
}

/// The next item of `stream`; `None` once it has ended.
pub async fn next<T>(stream: &mut BoxStream<'_, T>) -> Option<T> {
    std::future::poll_fn(|context| stream.as_mut().poll_next(context)).await
}

struct Iter<I>(I);

// The iterator is never pinned, so it may move whatever it is.
impl<I> Unpin for Iter<I> {}

impl<I: Iterator> Stream for Iter<I> {
    type Item = I::Item;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<I::Item>> {
        Poll::Ready(self.0.next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_iterator_streams_in_order_and_stays_ended() {
        let mut stream = iter([1, 2]);
        let seen = [(); 4].map(|()| pollster::block_on(next(&mut stream)));
        assert_eq!(seen, [Some(1), Some(2), None, None]);
    }
}
