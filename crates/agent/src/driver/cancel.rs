use std::{
    collections::BTreeMap,
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
    /// Who waits, each under a number of its own.
    wakers: BTreeMap<u64, Waker>,
    next: u64,
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
        for waker in wakers.into_values() {
            waker.wake();
        }
    }

    /// Why the end was asked for, where it was.
    pub fn reason(&self) -> Option<String> {
        self.lock().reason.clone()
    }

    /// A place among those who wait.
    pub(super) fn wait(&self) -> Waiting<'_> {
        let mut state = self.lock();
        let id = state.next;
        state.next += 1;
        Waiting { cancel: self, id }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of those who wait; others' places stay when it is dropped.
pub(super) struct Waiting<'a> {
    cancel: &'a Cancel,
    id: u64,
}

impl Waiting<'_> {
    /// As [`Cancel::reason`], and wakes `waker` once there is one.
    pub(super) fn poll(&self, waker: &Waker) -> Option<String> {
        let mut state = self.cancel.lock();
        if state.reason.is_none() {
            state.wakers.entry(self.id).or_insert_with(|| waker.clone()).clone_from(waker);
        }
        state.reason.clone()
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.cancel.lock().wakers.remove(&self.id);
    }
}
