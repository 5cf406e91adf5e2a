use std::{
    pin::Pin,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use jarre_core::BoxFuture;

/// Lets time pass: with it a driver waits between tries of a model, and gives up what does not end within the time of the run.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a timer",
    note = "use `jarre_agent::ThreadTimer`, or wrap the sleep of your runtime"
)]
pub trait Timer: Send + Sync {
    /// A future that is ready after `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// A timer without a runtime: a thread for each sleep, which ends with it.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThreadTimer;

impl Timer for ThreadTimer {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let shared = Arc::new(Shared::default());
        let thread = Arc::clone(&shared);
        // Where there can be no thread there is no waiting either.
        if thread::Builder::new().name("timer".into()).spawn(move || thread.wait(duration)).is_err() {
            shared.lock().over = true;
        }
        Box::pin(Sleep(shared))
    }
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    given_up: Condvar,
}

#[derive(Debug, Default)]
struct State {
    over: bool,
    given_up: bool,
    waker: Option<Waker>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, duration: Duration) {
        let waited = self.given_up.wait_timeout_while(self.lock(), duration, |state| !state.given_up);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.over = true;
        if let Some(waker) = state.waker.take() {
            drop(state);
            waker.wake();
        }
    }
}

struct Sleep(Arc<Shared>);

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock();
        if state.over {
            return Poll::Ready(());
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        (state.given_up, state.waker) = (true, None);
        self.0.given_up.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_ends_and_can_be_given_up() {
        pollster::block_on(ThreadTimer.sleep(Duration::from_millis(1)));
        let sleep = ThreadTimer.sleep(Duration::MAX);
        drop(sleep);
    }
}
