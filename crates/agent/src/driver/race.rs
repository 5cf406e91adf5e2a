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
    let waiting = cancel.wait();
    let ended = poll_fn(|context| {
        if let Poll::Ready(value) = work.as_mut().poll(context) {
            return Poll::Ready(Ended::With(value));
        }
        if waiting.poll(context.waker()).is_some() {
            return Poll::Ready(Ended::Cancelled);
        }
        match time.as_mut().map(|time| time.as_mut().poll(context)) {
            Some(Poll::Ready(())) => Poll::Ready(Ended::TimeUp),
            _ => Poll::Pending,
        }
    });
    ended.await
}

#[cfg(test)]
mod tests {
    use std::{
        future::{pending, ready},
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        task::{Context, Wake},
    };

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_wait_that_ends_leaves_the_places_of_others() {
        let (cancel, woken) = (Cancel::new(), Arc::new(Woken::default()));
        let waker = woken.clone().into();
        let mut context = Context::from_waker(&waker);
        let mut waits: BoxFuture<'_, Ended<()>> = Box::pin(race(Box::pin(pending()), &cancel, None));
        assert!(waits.as_mut().poll(&mut context).is_pending());
        {
            let mut given_up: BoxFuture<'_, Ended<()>> = Box::pin(race(Box::pin(pending()), &cancel, None));
            assert!(given_up.as_mut().poll(&mut Context::from_waker(&Arc::new(Woken::default()).into())).is_pending());
        }
        pollster::block_on(race(Box::pin(ready(())), &cancel, None));
        cancel.cancel("enough");
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        assert!(matches!(waits.as_mut().poll(&mut context), Poll::Ready(Ended::Cancelled)));
    }
}
