use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use jarre_core::Clock;

use super::wakers::Wakers;
use crate::{
    Error, LeaseId, Limits, Result,
    lessor::Lessor,
    machine::{Answer, Command, Due, LeaseRecord, Response, Rows, leases},
    metrics::Counters,
};

/// What the callers of a store and the thread that writes have in common.
pub(crate) struct Shared {
    pub(crate) limits: Limits,
    pub(crate) counters: Counters,
    pub(crate) wakers: Wakers,
    clock: Arc<dyn Clock>,
    /// `None` while another member keeps the time of leases.
    lessor: Mutex<Option<Lessor>>,
    failure: OnceLock<String>,
}

impl Shared {
    /// For a store that has no leases, or whose leases are still to be kept.
    pub(crate) fn new(clock: Arc<dyn Clock>, limits: Limits) -> Self {
        let (counters, wakers, failure) = (Counters::default(), Wakers::default(), OnceLock::new());
        let lessor = Mutex::new(Some(Lessor::default()));
        Self { limits, counters, wakers, clock, lessor, failure }
    }

    /// Keeps the time of every lease in `rows`, each from its whole TTL.
    pub(crate) fn keep_leases(&self, rows: &dyn Rows) -> Result<()> {
        self.take_time_over(0, || leases(rows))
    }

    /// The same, of the leases that `load` finds, by who was elected to in `term`; what is observed from then on happened after it.
    pub(crate) fn take_time_over(&self, term: u64, load: impl FnOnce() -> Result<Vec<(LeaseId, LeaseRecord)>>) -> Result<()> {
        let now = self.now();
        let mut kept = self.lessor();
        let mut lessor = Lessor::new(term);
        for (id, record) in load()? {
            #[cfg(feature = "mutants")]
            let now = if crate::mutants::Mutant::LeaseShortenedByNewLeader.is_in() {
                now.saturating_sub(Duration::from_millis(record.ttl_millis / 2))
            } else {
                now
            };
            lessor.keep(id, &record, now);
        }
        *kept = Some(lessor);
        Ok(())
    }

    /// Whether it is this store that keeps the time of leases.
    #[cfg(feature = "cluster")]
    pub(crate) fn keeps_time(&self) -> bool {
        self.lessor().is_some()
    }

    /// Leaves the time of leases to another member.
    #[cfg(feature = "cluster")]
    pub(crate) fn give_time_up(&self) {
        *self.lessor() = None;
    }

    pub(crate) fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Learns what commands did to leases: once all of it is durable, and before anyone is told. Those who watch are to be woken then.
    pub(crate) fn observe<'a>(&self, carried_out: impl IntoIterator<Item = (&'a Command, &'a Answer)>) {
        let now = self.now();
        let mut kept = self.lessor();
        for (command, answer) in carried_out {
            Counters::count(&self.counters.refused, usize::from(answer.is_err()));
            let Some(lessor) = kept.as_mut() else { continue };
            match (command, answer) {
                (Command::Grant { ttl_millis, .. }, Ok(Response::Granted { id, granted })) => {
                    lessor.keep(*id, &LeaseRecord { ttl_millis: *ttl_millis, granted: *granted }, now);
                }
                (Command::Revoke(id), Ok(_)) => lessor.ended(*id),
                (Command::Expire(due), Ok(Response::Expired(ended))) => {
                    Counters::count(&self.counters.leases_expired, *ended as usize);
                    for (id, _) in &due.leases {
                        lessor.ended(*id);
                    }
                }
                _ => {}
            }
        }
    }

    /// Leases whose time is over and that are not ended; `None` where there are none, or another keeps their time.
    pub(crate) fn due(&self) -> Option<Due> {
        let now = self.now();
        self.lessor().as_mut()?.due(now)
    }

    /// How long nothing is due.
    #[cfg(feature = "embedded")]
    pub(crate) fn until_due(&self) -> Option<Duration> {
        let now = self.now();
        self.lessor().as_ref()?.next_deadline().map(|deadline| deadline.saturating_sub(now))
    }

    pub(crate) fn keep_alive(&self, id: LeaseId) -> Option<Duration> {
        let now = self.now();
        self.lessor().as_mut()?.keep_alive(id, now)
    }

    pub(crate) fn remaining(&self, id: LeaseId) -> Option<(Duration, Duration)> {
        let now = self.now();
        self.lessor().as_ref()?.remaining(id, now)
    }

    /// Stops the store for good.
    pub(crate) fn poison(&self, cause: &Error) {
        let reason = cause.to_string();
        tracing::error!(reason, "the store stops");
        // A later failure is a consequence of the first.
        let _ = self.failure.set(reason);
        self.wakers.wake();
    }

    /// Whether the store still works.
    pub(crate) fn sound(&self) -> Result<()> {
        self.failure.get().map_or(Ok(()), |reason| Err(Error::Poisoned { reason: reason.clone() }))
    }

    fn lessor(&self) -> MutexGuard<'_, Option<Lessor>> {
        // Nothing that holds the lock can panic half-way.
        self.lessor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
