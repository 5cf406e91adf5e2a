//! Ctrl-C: stops the answer that is being written; where none is, the second time in a row it ends the program.

use std::future::poll_fn;
use std::pin::pin;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

use anyhow::{Context, Result};

/// What shells say of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

#[derive(Clone, Default)]
pub(super) struct Interrupt(Arc<State>);

#[derive(Default)]
struct State {
    /// Whether an answer is being written.
    answering: AtomicBool,
    raised: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Interrupt {
    pub(super) fn install(&self) -> Result<()> {
        let handler = self.clone();
        ctrlc::set_handler(move || handler.strike()).context("cannot watch for Ctrl-C")
    }

    fn strike(&self) {
        if self.raise() {
            process::exit(INTERRUPTED);
        }
        if !self.0.answering.load(Ordering::SeqCst) {
            eprint!("\nCtrl-C again, Ctrl-D or /quit ends\n> ");
        }
    }

    /// Raises the flag, and whether it was up.
    pub(super) fn raise(&self) -> bool {
        let before = self.0.raised.swap(true, Ordering::SeqCst);
        if let Some(waker) = self.0.waker.lock().unwrap_or_else(PoisonError::into_inner).take() {
            waker.wake();
        }
        before
    }

    /// An answer begins, or ends: what was raised before counts no more.
    pub(super) fn answering(&self, answering: bool) {
        self.0.raised.store(false, Ordering::SeqCst);
        self.0.answering.store(answering, Ordering::SeqCst);
    }

    /// What comes of `future`; nothing once the flag is up.
    pub(super) async fn or<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        poll_fn(|context| {
            // Left before the look at the flag, so that nobody raises it unseen.
            *self.0.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.waker().clone());
            if self.0.raised.load(Ordering::SeqCst) {
                return Poll::Ready(None);
            }
            future.as_mut().poll(context).map(Some)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_waits_is_woken() {
        let interrupt = Interrupt::default();
        assert_eq!(pollster::block_on(interrupt.or(std::future::ready(3))), Some(3));
        let other = interrupt.clone();
        let raiser = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            assert!(!other.raise());
        });
        assert_eq!(pollster::block_on(interrupt.or(std::future::pending::<()>())), None);
        raiser.join().unwrap();
        assert!(interrupt.raise());
        interrupt.answering(true);
        assert_eq!(pollster::block_on(interrupt.or(std::future::ready(3))), Some(3));
    }
}
