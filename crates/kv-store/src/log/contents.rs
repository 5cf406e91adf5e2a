use std::{collections::VecDeque, sync::Arc};

use super::{
    LogError, Result,
    record::{Kind, Op},
};

/// An entry of the log: where it stands, under which leader's term, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Its place; places follow one another without a hole.
    pub index: u64,
    /// The term in which it was proposed.
    pub term: u64,
    /// Opaque to the log.
    pub payload: Arc<[u8]>,
}

impl LogEntry {
    /// An entry.
    pub fn new(index: u64, term: u64, payload: &[u8]) -> Self {
        Self { index, term, payload: payload.into() }
    }
}

/// A point that the log remembers: the last purged entry, the last committed one, or a vote (whose `index` is 0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The entry's place.
    pub index: u64,
    /// Its term, or the vote's.
    pub term: u64,
    /// Opaque to the log: the entry's full identity, or the vote.
    pub payload: Arc<[u8]>,
}

impl Mark {
    /// A mark.
    pub fn new(index: u64, term: u64, payload: &[u8]) -> Self {
        Self { index, term, payload: payload.into() }
    }
}

/// What a log holds, without its entries' payloads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogState {
    /// The index of the first entry; where there is none, the index that the next one should have.
    pub first: u64,
    /// The index after the last entry.
    pub next: u64,
    /// The term of the last entry; `None` where there is none.
    pub last_term: Option<u64>,
    /// The last purged entry.
    pub purged: Option<Mark>,
    /// The last mark given to [`RaftLog::save_committed`](super::RaftLog::save_committed).
    pub committed: Option<Mark>,
    /// The last vote.
    pub vote: Option<Mark>,
}

/// Where a record's header begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub sequence: u64,
    pub offset: u64,
    /// Of the segment's checksums.
    pub seed: u32,
}

/// What is known of one entry.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub term: u64,
    serial: u64,
    /// `None` until it was written.
    pub place: Option<Place>,
    /// `None` once it was written and is no longer among the latest.
    pub payload: Option<Arc<[u8]>>,
}

/// The log as a fold of its operations: the same whether they come from a caller or from the disk.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub marks: Marks,
    first: u64,
    slots: VecDeque<Slot>,
    /// Entries before this one have no payload in memory.
    cached_from: u64,
    cached_bytes: usize,
}

/// What a later segment must repeat of earlier ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    pub purged: Option<Mark>,
    pub committed: Option<Mark>,
    pub vote: Option<Mark>,
}

impl Contents {
    /// An empty log whose segments before one that begins with `first` are gone.
    pub(super) fn starting_at(first: u64) -> Self {
        Self { first, cached_from: first, ..Self::default() }
    }

    pub(super) fn first(&self) -> u64 {
        self.first
    }

    pub(super) fn next(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    pub(super) fn slot(&self, index: u64) -> Option<&Slot> {
        self.slots.get(usize::try_from(index.checked_sub(self.first)?).ok()?)
    }

    pub(super) fn state(&self) -> LogState {
        let Marks { purged, committed, vote } = self.marks.clone();
        LogState { first: self.first, next: self.next(), last_term: self.slots.back().map(|slot| slot.term), purged, committed, vote }
    }

    /// Whether [`apply`](Self::apply) would take it.
    ///
    /// # Errors
    /// [`LogError::Gap`], [`LogError::TruncatesPurged`] or [`LogError::VoteReversal`].
    pub(super) fn check(&self, op: &Op) -> Result<()> {
        match (op.kind, &self.marks) {
            (Kind::Entry, marks) => {
                let anywhere = self.slots.is_empty() && marks.purged.is_none();
                let fits = op.index < u64::MAX && (anywhere || op.index == self.next());
                if fits { Ok(()) } else { Err(LogError::Gap { index: op.index, expected: self.next() }) }
            }
            (Kind::Truncate, Marks { purged: Some(purged), .. }) if op.index <= purged.index => {
                Err(LogError::TruncatesPurged { index: op.index, purged: purged.index })
            }
            (Kind::Purge, _) if op.index == u64::MAX => Err(LogError::Gap { index: op.index, expected: self.next() }),
            (Kind::Vote, Marks { vote: Some(vote), .. }) if op.term < vote.term => {
                Err(LogError::VoteReversal { term: op.term, saved: vote.term })
            }
            _ => Ok(()),
        }
    }

    /// Whether a caller may ask for it. The disk may say more: segments that a later purge removed are missing in front of an earlier one.
    ///
    /// # Errors
    /// As [`check`](Self::check), and [`LogError::Gap`] where a purge would leave a hole before a log that begins anywhere.
    pub(super) fn check_new(&self, op: &Op) -> Result<()> {
        let begins_later = self.marks.purged.is_none() && !self.slots.is_empty() && op.index.saturating_add(1) < self.first;
        if op.kind == Kind::Purge && begins_later {
            return Err(LogError::Gap { index: op.index, expected: self.first });
        }
        self.check(op)
    }

    /// Changes the log. Entries whose `place` is known need no payload in memory.
    ///
    /// # Errors
    /// As [`check`](Self::check); the log is unchanged then.
    pub(super) fn apply(&mut self, op: &Op, place: Option<Place>) -> Result<()> {
        self.check(op)?;
        match op.kind {
            Kind::Entry => self.push(op, place),
            Kind::Truncate => self.truncate(op.index),
            Kind::Purge => self.purge(op),
            Kind::Vote | Kind::Committed => self.marks.set(op),
            Kind::Seal => {}
        }
        Ok(())
    }

    /// Notes where an entry was written, if it still stands.
    pub(super) fn place(&mut self, op: &Op, place: Place) {
        let Some(at) = op.index.checked_sub(self.first) else { return };
        // A truncated entry may have been replaced by another at the same index, which is still to be written.
        if let Some(slot) = self.slots.get_mut(at as usize)
            && slot.serial == op.serial
        {
            slot.place = Some(place);
        }
    }

    /// Forgets payloads that are on disk, oldest first, until at most `limit` bytes are in memory.
    pub(super) fn shrink_cache(&mut self, limit: usize) {
        while self.cached_bytes > limit {
            let Some(slot) = self.slots.get_mut((self.cached_from - self.first) as usize).filter(|slot| slot.place.is_some()) else {
                return;
            };
            self.cached_bytes -= slot.payload.take().map_or(0, |payload| payload.len());
            self.cached_from += 1;
        }
    }

    fn push(&mut self, op: &Op, place: Option<Place>) {
        if self.slots.is_empty() {
            (self.first, self.cached_from) = (op.index, op.index);
        }
        let payload = place.is_none().then(|| op.payload.clone());
        match &payload {
            Some(payload) => self.cached_bytes += payload.len(),
            None => self.cached_from = op.index + 1,
        }
        self.slots.push_back(Slot { term: op.term, serial: op.serial, place, payload });
    }

    fn truncate(&mut self, from: u64) {
        while self.next() > from {
            match self.slots.pop_back() {
                Some(slot) => self.forget(&slot),
                // The segments that held what is truncated were purged after it was.
                None => self.first = from,
            }
        }
        self.cached_from = self.cached_from.clamp(self.first, self.next());
    }

    fn purge(&mut self, op: &Op) {
        // A mark below the first entry says less than what is known already.
        if self.marks.purged.as_ref().is_some_and(|purged| purged.index >= op.index) {
            return;
        }
        self.marks.set(op);
        let next = op.index + 1;
        while self.first < next {
            match self.slots.pop_front() {
                Some(slot) => {
                    self.forget(&slot);
                    self.first += 1;
                }
                None => self.first = next,
            }
        }
        self.cached_from = self.cached_from.max(self.first);
    }

    fn forget(&mut self, slot: &Slot) {
        self.cached_bytes -= slot.payload.as_ref().map_or(0, |payload| payload.len());
    }
}

impl Marks {
    /// The operations that say the same.
    pub(super) fn ops(&self) -> Vec<Op> {
        let marks = [(Kind::Vote, &self.vote), (Kind::Purge, &self.purged), (Kind::Committed, &self.committed)];
        marks.into_iter().filter_map(|(kind, mark)| mark.as_ref().map(|m| Op::new(kind, m.index, m.term, m.payload.clone()))).collect()
    }

    /// Takes a mark's operation; of others there is nothing to remember.
    pub(super) fn set(&mut self, op: &Op) {
        let mark = Mark { index: op.index, term: op.term, payload: op.payload.clone() };
        match op.kind {
            Kind::Vote => self.vote = Some(mark),
            Kind::Committed => self.committed = Some(mark),
            Kind::Purge if self.purged.as_ref().is_none_or(|purged| purged.index < mark.index) => self.purged = Some(mark),
            _ => {}
        }
    }
}
