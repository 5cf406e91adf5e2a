use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// What a store has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// Ranges and transactions that changed nothing.
    pub reads: u64,
    /// Commands carried out: transactions, leases, sessions, compactions.
    pub commands: u64,
    /// Commands that the state did not allow.
    pub refused: u64,
    /// Commits; each makes a group of commands durable.
    pub commits: u64,
    /// Commands of the largest group.
    pub largest_group: u64,
    /// Time spent in commits.
    pub commit_time: Duration,
    /// Leases that ran out.
    pub leases_expired: u64,
    /// Batches delivered to watches.
    pub watch_batches: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) reads: AtomicU64,
    pub(crate) commands: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) commits: AtomicU64,
    pub(crate) largest_group: AtomicU64,
    pub(crate) commit_nanos: AtomicU64,
    pub(crate) leases_expired: AtomicU64,
    pub(crate) watch_batches: AtomicU64,
}

impl Counters {
    pub(crate) fn count(counter: &AtomicU64, more: usize) {
        counter.fetch_add(more as u64, Relaxed);
    }

    /// That a group of so many commands was committed in that time.
    pub(crate) fn committed(&self, commands: usize, took: Duration) {
        Self::count(&self.commands, commands);
        Self::count(&self.commits, 1);
        self.largest_group.fetch_max(commands as u64, Relaxed);
        self.commit_nanos.fetch_add(took.as_nanos() as u64, Relaxed);
    }

    pub(crate) fn read(&self) -> Metrics {
        Metrics {
            reads: self.reads.load(Relaxed),
            commands: self.commands.load(Relaxed),
            refused: self.refused.load(Relaxed),
            commits: self.commits.load(Relaxed),
            largest_group: self.largest_group.load(Relaxed),
            commit_time: Duration::from_nanos(self.commit_nanos.load(Relaxed)),
            leases_expired: self.leases_expired.load(Relaxed),
            watch_batches: self.watch_batches.load(Relaxed),
        }
    }
}
