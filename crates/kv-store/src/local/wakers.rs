use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    task::Waker,
};

/// Tasks that wait for the next change.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    waiting: Mutex<(u64, BTreeMap<u64, Waker>)>,
}

impl Wakers {
    /// A number to wait under.
    pub(crate) fn number(&self) -> u64 {
        let mut waiting = self.lock();
        waiting.0 += 1;
        waiting.0
    }

    /// Wakes the task at the next change. What was changed before may be looked for afterwards and is not missed.
    pub(crate) fn wait(&self, number: u64, waker: &Waker) {
        self.lock().1.insert(number, waker.clone());
    }

    pub(crate) fn forget(&self, number: u64) {
        self.lock().1.remove(&number);
    }

    /// Wakes all that wait.
    pub(crate) fn wake(&self) {
        let waiting = std::mem::take(&mut self.lock().1);
        waiting.into_values().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, Waker>)> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
