use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use super::{LOOK, member::Member};
use crate::{
    deployment::Micros,
    record::{Claim, Record},
};

/// What clients and those who look share.
pub(super) struct Shared {
    pub(super) began: Instant,
    pub(super) slots: Vec<Mutex<Slot>>,
    pub(super) record: Mutex<Record>,
}

/// Where a member runs, or not.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) member: Option<Arc<dyn Member>>,
    /// How often it died.
    pub(super) life: u64,
}

impl Shared {
    pub(super) fn new(nodes: usize) -> Self {
        Self { began: Instant::now(), slots: (0..nodes).map(|_| Mutex::default()).collect(), record: Mutex::default() }
    }

    pub(super) fn now(&self) -> Micros {
        self.began.elapsed().as_micros() as Micros
    }

    /// A member that runs, and which life of it that is.
    pub(super) fn at(&self, node: usize) -> Option<(Arc<dyn Member>, u64)> {
        let slot = lock(&self.slots[node]);
        Some((Arc::clone(slot.member.as_ref()?), slot.life))
    }

    pub(super) fn life(&self, node: usize) -> u64 {
        lock(&self.slots[node]).life
    }

    pub(super) fn claim(&self, node: usize) -> Option<Claim> {
        self.at(node)?.0.claim()
    }
}

/// Notes who believes to lead, again and again.
pub(super) async fn look(shared: Arc<Shared>) {
    loop {
        for node in 0..shared.slots.len() {
            let claim = shared.claim(node);
            let now = shared.now();
            lock(&shared.record).believes(now, node, claim);
        }
        tokio::time::sleep(LOOK).await;
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
