use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
};

/// Ends a run from outside, at any point: what is being waited for is given up, and the run ends with what it has.
///
/// Clones are one handle.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    reason: Option<String>,
    wakers: Vec<Waker>,
}

impl Cancel {
    /// A handle that nobody has used yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for the end; the first reason stands.
    pub fn cancel(&self, reason: impl Into<String>) {
        let wakers = {
            let mut state = self.lock();
            state.reason.get_or_insert_with(|| reason.into());
            std::mem::take(&mut state.wakers)
        };
        for waker in wakers {
            waker.wake();
        }
    }

    /// Why the end was asked for, where it was.
    pub fn reason(&self) -> Option<String> {
        self.lock().reason.clone()
    }

    /// As [`reason`](Self::reason), and wakes `waker` once there is one.
    pub(super) fn poll(&self, waker: &Waker) -> Option<String> {
        let mut state = self.lock();
        if state.reason.is_none() && !state.wakers.iter().any(|known| known.will_wake(waker)) {
            state.wakers.push(waker.clone());
        }
        state.reason.clone()
    }

    /// Forgets who waits, once nobody does.
    pub(super) fn forget(&self) {
        self.lock().wakers.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
