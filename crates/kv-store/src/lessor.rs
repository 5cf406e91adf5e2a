use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    LeaseId,
    machine::{Due, LeaseRecord},
};

/// Keeps the time of leases: when each ends, for as long as its owner is the one who decides. The state knows no time.
///
/// Times are those of a clock that never goes back, since its origin.
#[derive(Debug, Default)]
pub(crate) struct Lessor {
    leases: BTreeMap<LeaseId, Kept>,
    deadlines: BTreeSet<(Duration, LeaseId)>,
    /// Leases whose time is over, with the commands that granted them, until they are ended.
    over: BTreeMap<LeaseId, u64>,
    /// The term of its owner.
    term: u64,
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    granted: u64,
    ttl: Duration,
    /// `None` once it was found to be over: from then on nothing keeps it alive.
    deadline: Option<Duration>,
}

impl Lessor {
    /// Keeps no lease yet; `term` is the one in which its owner came to decide, 0 where nobody is elected to.
    pub(crate) fn new(term: u64) -> Self {
        Self { term, ..Self::default() }
    }

    /// Keeps a lease that was granted, or that was there when its owner came to decide: from `now` it lasts its whole TTL.
    pub(crate) fn keep(&mut self, id: LeaseId, record: &LeaseRecord, now: Duration) {
        self.ended(id);
        let ttl = Duration::from_millis(record.ttl_millis);
        let deadline = now.saturating_add(ttl);
        self.leases.insert(id, Kept { granted: record.granted, ttl, deadline: Some(deadline) });
        self.deadlines.insert((deadline, id));
    }

    /// Lets a lease last its whole TTL again, which is returned; `None` where there is none or its time is over.
    pub(crate) fn keep_alive(&mut self, id: LeaseId, now: Duration) -> Option<Duration> {
        let kept = self.leases.get_mut(&id)?;
        let old = kept.deadline?;
        if old <= now {
            return None;
        }
        let deadline = now.saturating_add(kept.ttl);
        kept.deadline = Some(deadline);
        self.deadlines.remove(&(old, id));
        self.deadlines.insert((deadline, id));
        Some(kept.ttl)
    }

    /// Forgets a lease that was ended.
    pub(crate) fn ended(&mut self, id: LeaseId) {
        self.over.remove(&id);
        if let Some(deadline) = self.leases.remove(&id).and_then(|kept| kept.deadline) {
            self.deadlines.remove(&(deadline, id));
        }
    }

    /// The TTL of a lease and what is left of it; `None` where there is none or its time is over.
    pub(crate) fn remaining(&self, id: LeaseId, now: Duration) -> Option<(Duration, Duration)> {
        let kept = self.leases.get(&id)?;
        let left = kept.deadline?.checked_sub(now).filter(|left| !left.is_zero())?;
        Some((kept.ttl, left))
    }

    /// The leases whose time is over, until they are ended; `None` where there are none. Whoever must not see their keys ends them
    /// first, even if another is about to.
    pub(crate) fn due(&mut self, now: Duration) -> Option<Due> {
        while let Some(&(deadline, id)) = self.deadlines.first()
            && deadline <= now
        {
            self.deadlines.pop_first();
            if let Some(kept) = self.leases.get_mut(&id) {
                kept.deadline = None;
                self.over.insert(id, kept.granted);
            }
        }
        let leases: Vec<_> = self.over.iter().map(|(id, granted)| (*id, *granted)).collect();
        (!leases.is_empty()).then_some(Due { leases, kept_in: self.term })
    }

    /// When the next lease is due.
    #[cfg(any(feature = "embedded", test))]
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn record(ttl_millis: u64) -> LeaseRecord {
        LeaseRecord { ttl_millis, granted: 7 }
    }

    fn due(lessor: &mut Lessor, now: Duration) -> Vec<(LeaseId, u64)> {
        lessor.due(now).map(|due| due.leases).unwrap_or_default()
    }

    #[test]
    fn a_lease_is_due_after_its_ttl_and_no_earlier() {
        let mut lessor = Lessor::new(3);
        lessor.keep(LeaseId(1), &record(10), millis(5));
        assert_eq!(lessor.remaining(LeaseId(1), millis(6)), Some((millis(10), millis(9))));
        assert!(due(&mut lessor, millis(14)).is_empty());
        assert_eq!(lessor.next_deadline(), Some(millis(15)));
        assert_eq!(lessor.due(millis(15)), Some(Due { leases: vec![(LeaseId(1), 7)], kept_in: 3 }));
        assert_eq!(due(&mut lessor, millis(99)), [(LeaseId(1), 7)], "until it is ended");
        lessor.ended(LeaseId(1));
        assert!(due(&mut lessor, millis(99)).is_empty());
    }

    #[test]
    fn what_is_due_cannot_be_kept_alive_any_more() {
        let mut lessor = Lessor::default();
        lessor.keep(LeaseId(1), &record(10), millis(0));
        assert_eq!(lessor.keep_alive(LeaseId(1), millis(9)), Some(millis(10)));
        assert_eq!(lessor.keep_alive(LeaseId(1), millis(19)), None, "its time is over, whoever looks first");
        assert_eq!(due(&mut lessor, millis(19)), [(LeaseId(1), 7)]);
        assert_eq!((lessor.keep_alive(LeaseId(1), millis(19)), lessor.remaining(LeaseId(1), millis(19))), (None, None));
    }

    #[test]
    fn a_lease_that_was_ended_is_never_due() {
        let mut lessor = Lessor::default();
        lessor.keep(LeaseId(1), &record(10), millis(0));
        lessor.keep(LeaseId(1), &record(20), millis(0));
        assert_eq!(lessor.next_deadline(), Some(millis(20)), "granted anew, it has one deadline");
        lessor.ended(LeaseId(1));
        assert_eq!((lessor.next_deadline(), due(&mut lessor, Duration::MAX)), (None, Vec::new()));
        lessor.keep(LeaseId(2), &record(10), millis(0));
        assert_eq!(due(&mut lessor, millis(10)), [(LeaseId(2), 7)]);
        lessor.keep(LeaseId(2), &record(10), millis(10));
        assert!(due(&mut lessor, millis(19)).is_empty(), "granted anew, it is not over");
    }
}
