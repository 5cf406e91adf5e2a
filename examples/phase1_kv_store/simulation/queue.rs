use std::collections::BTreeMap;

use crate::deployment::Micros;

/// What is going to happen, by time; what falls on one time, in the order in which it was put.
pub(super) struct Queue<E> {
    events: BTreeMap<(Micros, u64), E>,
    pushed: u64,
}

impl<E> Queue<E> {
    pub(super) fn new() -> Self {
        Self { events: BTreeMap::new(), pushed: 0 }
    }

    pub(super) fn push(&mut self, at: Micros, event: E) {
        self.events.insert((at, self.pushed), event);
        self.pushed += 1;
    }

    /// The next event with its time, where that is not after `until`.
    pub(super) fn pop_until(&mut self, until: Micros) -> Option<(Micros, E)> {
        let next = self.events.first_entry().filter(|next| next.key().0 <= until)?;
        let ((at, _), event) = next.remove_entry();
        Some((at, event))
    }
}
