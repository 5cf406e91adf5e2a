use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{LeaseId, Revision};

/// The keys from `start` on, up to and without `end`; keys are in the order of their bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeyRange {
    /// The first key.
    #[serde(with = "serde_bytes")]
    pub start: Vec<u8>,
    /// The first key that is not in it; `None` where there is no end.
    #[serde(with = "serde_bytes")]
    pub end: Option<Vec<u8>>,
}

impl KeyRange {
    /// Every key.
    pub const fn all() -> Self {
        Self { start: Vec::new(), end: None }
    }

    /// One key alone.
    pub fn key(key: impl Into<Vec<u8>>) -> Self {
        let start = key.into();
        let mut end = start.clone();
        end.push(0);
        Self { start, end: Some(end) }
    }

    /// The keys that begin with `prefix`.
    ///
    /// ```
    /// use jarre_kv_store::KeyRange;
    ///
    /// assert!(KeyRange::prefix("run/").contains(b"run/7"));
    /// assert!(!KeyRange::prefix("run/").contains(b"run"));
    /// assert_eq!(KeyRange::prefix([0xff]).end, None);
    /// ```
    pub fn prefix(prefix: impl Into<Vec<u8>>) -> Self {
        let start = prefix.into();
        let mut end = start.clone();
        while end.pop_if(|last| *last == 0xff).is_some() {}
        if let Some(last) = end.last_mut() {
            *last += 1;
        }
        Self { start, end: (!end.is_empty()).then_some(end) }
    }

    /// The keys from `start` on, up to and without `end`.
    pub fn new(start: impl Into<Vec<u8>>, end: impl Into<Vec<u8>>) -> Self {
        Self { start: start.into(), end: Some(end.into()) }
    }

    /// The keys from `start` on.
    pub fn from(start: impl Into<Vec<u8>>) -> Self {
        Self { start: start.into(), end: None }
    }

    /// Whether `key` is in it.
    pub fn contains(&self, key: &[u8]) -> bool {
        *self.start <= *key && self.end.as_ref().is_none_or(|end| *key < **end)
    }

    /// Whether no key can be in it.
    pub fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| *end <= self.start)
    }

    /// What of the range is left behind `key` in the direction of a scan.
    pub(crate) fn after(&self, key: &[u8], reverse: bool) -> Self {
        if reverse {
            return Self { start: self.start.clone(), end: Some(key.to_vec()) };
        }
        let mut start = key.to_vec();
        start.push(0);
        Self { start, end: self.end.clone() }
    }

    pub(crate) fn size(&self) -> usize {
        self.start.len() + self.end.as_ref().map_or(0, Vec::len)
    }
}

/// How fresh a read must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ReadLevel {
    /// The read sees every write that was acknowledged before it began.
    #[default]
    Linearizable,
    /// The same, promised by a clock: the member that answers holds a lease as leader. A store that cannot promise it refuses.
    Lease,
    /// The read may see an older state, as old as `max_age` at most; what it sees is durable.
    Stale {
        /// The greatest age.
        max_age: Duration,
    },
}

/// A read of the keys in a range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangeRequest {
    /// Which keys.
    pub range: KeyRange,
    /// The most entries to return; `None` leaves it to the store's [`Limits`](crate::Limits).
    pub limit: Option<usize>,
    /// From the last key to the first.
    pub reverse: bool,
    /// Leaves values out.
    pub keys_only: bool,
    /// As the store was at this revision; `None` for its current state.
    pub revision: Option<Revision>,
    /// How fresh the state must be.
    pub level: ReadLevel,
}

impl RangeRequest {
    /// The current state of the keys in `range`, in ascending order.
    pub const fn new(range: KeyRange) -> Self {
        Self { range, limit: None, reverse: false, keys_only: false, revision: None, level: ReadLevel::Linearizable }
    }

    /// At most so many entries on a page.
    pub const fn with_limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// From the last key to the first.
    pub const fn reversed(mut self) -> Self {
        self.reverse = true;
        self
    }

    /// Without values.
    pub const fn keys_only(mut self) -> Self {
        self.keys_only = true;
        self
    }

    /// As the store was at `revision`.
    pub const fn at(mut self, revision: Revision) -> Self {
        self.revision = Some(revision);
        self
    }

    /// As fresh as `level` says.
    pub const fn with_level(mut self, level: ReadLevel) -> Self {
        self.level = level;
        self
    }
}

impl From<KeyRange> for RangeRequest {
    fn from(range: KeyRange) -> Self {
        Self::new(range)
    }
}

/// A key with its value and history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The key.
    #[serde(with = "serde_bytes")]
    pub key: Vec<u8>,
    /// The value; empty where only keys were asked for.
    #[serde(with = "serde_bytes")]
    pub value: Vec<u8>,
    /// When the key came to be, after it was last deleted.
    pub create_revision: Revision,
    /// When it was last put.
    pub mod_revision: Revision,
    /// How often it was put since it came to be, from 1.
    pub version: u64,
    /// The lease that it ends with.
    pub lease: Option<LeaseId>,
}

/// Entries of a range, and how to go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Where the store was when it was read; of a read at a revision too.
    pub revision: Revision,
    /// The entries in the order asked for.
    pub entries: Vec<Entry>,
    /// The request for the next page, of the same state of the store; `None` after the last page.
    pub next: Option<RangeRequest>,
}
