use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use jarre_kv_store::{
    Error, Event, Result, Revision, WatchBatch,
    testing::linearizability::{BankInput, BankOutput, History, ListInput, ListOutput, RegisterInput, RegisterOutput, SetInput, SetOutput},
};

/// What clients saw, shared by all of them.
#[derive(Clone, Default)]
pub(crate) struct Record(Arc<Mutex<Seen>>);

#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) registers: History<(u64, RegisterInput), RegisterOutput>,
    pub(crate) lists: History<(u64, ListInput), ListOutput>,
    pub(crate) sets: History<(u64, SetInput), SetOutput>,
    pub(crate) bank: History<BankInput, BankOutput>,
    /// Values that were put once each, and what became of that.
    pub(crate) puts: Vec<Put>,
    pub(crate) holds: Vec<Hold>,
    /// Puts of the key whose reads may be stale: when they were acknowledged.
    pub(crate) ages: Vec<(u64, Revision)>,
    pub(crate) journal: BTreeMap<Revision, Vec<Event>>,
    /// Up to here watches were told that the history is gone.
    pub(crate) compacted: Revision,
    pub(crate) problems: Vec<String>,
    pub(crate) counts: Counts,
    next_value: u64,
}

/// How much there was to check.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) acknowledged: u64,
    pub(crate) unknown: u64,
    pub(crate) failed: u64,
    pub(crate) reads: u64,
    pub(crate) kept_alive: u64,
    pub(crate) stale: u64,
}

pub(crate) struct Put {
    pub(crate) key: Vec<u8>,
    pub(crate) value: u64,
    pub(crate) end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Acknowledged(Revision),
    Unknown,
    Failed,
}

/// A lock that somebody holds by a lease, in milliseconds of the simulation.
pub(crate) struct Hold {
    pub(crate) value: u64,
    pub(crate) revision: Revision,
    /// When it was known to be held.
    pub(crate) from: u64,
    /// Until when the lease lasts at least, or the lock was given back.
    pub(crate) until: u64,
}

impl Record {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap()
    }

    /// A value that nobody has put.
    pub(crate) fn fresh_value(&self) -> u64 {
        let mut seen = self.lock();
        seen.next_value += 1;
        seen.next_value
    }
}

impl Seen {
    pub(crate) fn problem(&mut self, problem: String) {
        if self.problems.len() < 20 {
            self.problems.push(problem);
        }
    }

    pub(crate) fn put(&mut self, key: &[u8], value: u64, end: End) {
        match end {
            End::Acknowledged(_) => self.counts.acknowledged += 1,
            End::Unknown => self.counts.unknown += 1,
            End::Failed => self.counts.failed += 1,
        }
        self.puts.push(Put { key: key.to_vec(), value, end });
    }

    /// Takes what a watch of everything told, which had seen all before `next`. Returns where it goes on.
    pub(crate) fn follow(&mut self, mut next: Revision, batches: Vec<WatchBatch>) -> Revision {
        for WatchBatch { revision, events } in batches {
            if revision != next {
                self.problem(format!("a watch that was at {next} was told of {revision}"));
            }
            match self.journal.get(&revision) {
                Some(known) if *known != events => {
                    self.problem(format!("two watches differ at {revision}: {known:?} and {events:?}"));
                }
                Some(_) => {}
                None => drop(self.journal.insert(revision, events)),
            }
            next = revision.next();
        }
        next
    }
}

/// What the end of a mutation says: nothing was done unless it says that nobody knows.
pub(crate) fn end_of<T>(result: &Result<T>, revision: impl FnOnce(&T) -> Option<Revision>) -> End {
    match result {
        Ok(done) => revision(done).map_or(End::Failed, End::Acknowledged),
        Err(Error::Unknown { .. }) => End::Unknown,
        Err(_) => End::Failed,
    }
}
