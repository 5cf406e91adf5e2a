use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{Revision, SessionId};

/// What is remembered of what etcd said.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// When the last linearizable answer was asked for, and what revision it was of.
    fresh: Mutex<Option<(Duration, Revision)>>,
    /// A revision that is known to be compacted: the last, unless others compacted since.
    compacted: AtomicU64,
    /// When sessions of this process last had their whole time.
    renewed: Mutex<BTreeMap<SessionId, Duration>>,
}

impl Known {
    /// That a linearizable call, which was begun at `sent`, was answered at `revision`.
    pub(super) fn answered(&self, sent: Duration, revision: Revision) {
        let mut fresh = lock(&self.fresh);
        if fresh.is_none_or(|(before, _)| before < sent) {
            *fresh = Some((sent, revision));
        }
    }

    /// The revision that any answer must have reached which is to be no older than `max_age` at `now`; `None` where that is not known.
    pub(super) fn fresh_enough(&self, now: Duration, max_age: Duration) -> Option<Revision> {
        lock(&self.fresh).filter(|(sent, _)| now.saturating_sub(*sent) <= max_age).map(|(_, revision)| revision)
    }

    pub(super) fn compacted(&self) -> Revision {
        Revision(self.compacted.load(Ordering::Relaxed))
    }

    pub(super) fn compacted_at(&self, at: Revision) {
        self.compacted.fetch_max(at.0, Ordering::Relaxed);
    }

    /// Whether it is time at `now` to give a session, which lasts `ttl`, its whole time again; if so, the caller sees to that.
    pub(super) fn is_to_renew(&self, id: SessionId, now: Duration, ttl: Duration) -> bool {
        let mut renewed = lock(&self.renewed);
        let due = renewed.get(&id).is_none_or(|last| now.saturating_sub(*last) > ttl / 4);
        if due {
            // Of those that were idle for as long as they last nothing is left in etcd either.
            renewed.retain(|_, last| now.saturating_sub(*last) <= ttl);
            renewed.insert(id, now);
        }
        due
    }

    pub(super) fn forget_session(&self, id: SessionId) {
        lock(&self.renewed).remove(&id);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that holds the lock can panic half-way.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_is_fresh_enough_is_measured_from_when_it_was_asked_for() {
        let known = Known::default();
        assert_eq!(known.fresh_enough(seconds(9), Duration::MAX), None, "nothing was asked yet");
        known.answered(seconds(10), Revision(5));
        known.answered(seconds(8), Revision(7));
        assert_eq!(known.fresh_enough(seconds(12), seconds(2)), Some(Revision(5)), "what was asked earlier says less");
        assert_eq!(known.fresh_enough(seconds(13), seconds(2)), None);
    }

    #[test]
    fn a_session_is_renewed_now_and_then() {
        let (known, id) = (Known::default(), SessionId(1));
        let due = |now| known.is_to_renew(id, seconds(now), seconds(40));
        assert!(due(0), "whose it was before is not known");
        assert!(!due(10) && due(11) && !due(21));
        known.forget_session(id);
        assert!(due(22));
    }
}
