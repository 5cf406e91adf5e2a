use serde::{Deserialize, Serialize};

use crate::{Entry, KeyRange, LeaseId, Page, Revision, SessionTag};

/// Compares, and one of two lists of operations: `then` where all compares hold, `otherwise` where one does not. Carried out as a whole,
/// at one revision. Operations see what those before them did; a key may be changed once.
///
/// ```
/// use jarre_kv_store::{Compare, Op, Txn};
///
/// let take = Txn::new().when(Compare::missing("lock")).then(Op::put("lock", "me")).otherwise(Op::get("lock"));
/// assert_eq!((take.then.len(), take.otherwise.len()), (1, 1));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Txn {
    /// What must hold.
    pub compares: Vec<Compare>,
    /// What is done where it holds.
    pub then: Vec<Op>,
    /// What is done where it does not.
    pub otherwise: Vec<Op>,
    /// Whose request this is, so that a retry is not carried out twice.
    pub session: Option<SessionTag>,
}

impl Txn {
    /// A transaction that does nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a condition.
    pub fn when(mut self, compare: Compare) -> Self {
        self.compares.push(compare);
        self
    }

    /// Adds an operation for where all conditions hold.
    pub fn then(mut self, op: Op) -> Self {
        self.then.push(op);
        self
    }

    /// Adds an operation for where a condition does not hold.
    pub fn otherwise(mut self, op: Op) -> Self {
        self.otherwise.push(op);
        self
    }

    /// Whether no branch can change anything.
    pub fn is_read_only(&self) -> bool {
        self.then.iter().chain(&self.otherwise).all(|op| matches!(op, Op::Get { .. }))
    }
}

/// A condition on a key. A key that does not exist has version, creation and modification zero, no lease, and no value that compares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compare {
    /// The key.
    #[serde(with = "serde_bytes")]
    pub key: Vec<u8>,
    /// How its property must stand to that of `target`.
    pub operator: Operator,
    /// Which property, and what it is compared with.
    pub target: Target,
}

impl Compare {
    /// That `key`'s property stands to `target`'s as `operator` says.
    pub fn new(key: impl Into<Vec<u8>>, operator: Operator, target: Target) -> Self {
        Self { key: key.into(), operator, target }
    }

    /// That `key` exists.
    pub fn exists(key: impl Into<Vec<u8>>) -> Self {
        Self::new(key, Operator::Greater, Target::Version(0))
    }

    /// That `key` does not exist.
    pub fn missing(key: impl Into<Vec<u8>>) -> Self {
        Self::new(key, Operator::Equal, Target::Version(0))
    }

    /// That `key` has this value.
    pub fn value(key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        Self::new(key, Operator::Equal, Target::Value(value.into()))
    }

    /// That `key` was last modified at `revision`.
    pub fn unchanged(key: impl Into<Vec<u8>>, revision: Revision) -> Self {
        Self::new(key, Operator::Equal, Target::Modified(revision))
    }

    pub(crate) fn size(&self) -> usize {
        self.key.len() + if let Target::Value(value) = &self.target { value.len() } else { 0 }
    }

    /// Whether it holds for `entry`, what is known of its key.
    pub(crate) fn holds(&self, entry: Option<&Entry>) -> bool {
        let ordering = match &self.target {
            Target::Value(value) => match entry {
                Some(entry) => entry.value.cmp(value),
                None => return false,
            },
            Target::Version(version) => entry.map_or(0, |entry| entry.version).cmp(version),
            Target::Created(revision) => entry.map_or(Revision::ZERO, |entry| entry.create_revision).cmp(revision),
            Target::Modified(revision) => entry.map_or(Revision::ZERO, |entry| entry.mod_revision).cmp(revision),
            Target::Lease(lease) => entry.and_then(|entry| entry.lease).cmp(lease),
        };
        match self.operator {
            Operator::Equal => ordering.is_eq(),
            Operator::NotEqual => ordering.is_ne(),
            Operator::Less => ordering.is_lt(),
            Operator::Greater => ordering.is_gt(),
        }
    }
}

/// How two values must stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    /// They are the same.
    Equal,
    /// They differ.
    NotEqual,
    /// The key's is the smaller.
    Less,
    /// The key's is the greater.
    Greater,
}

/// A property of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Target {
    /// Its value, in the order of bytes.
    Value(#[serde(with = "serde_bytes")] Vec<u8>),
    /// How often it was put since it came to be.
    Version(u64),
    /// When it came to be.
    Created(Revision),
    /// When it was last put.
    Modified(Revision),
    /// The lease that it ends with.
    Lease(Option<LeaseId>),
}

/// An operation of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Op {
    /// Writes a value.
    Put {
        /// The key, not empty.
        #[serde(with = "serde_bytes")]
        key: Vec<u8>,
        /// The value.
        #[serde(with = "serde_bytes")]
        value: Vec<u8>,
        /// The lease that the key ends with; `None` takes it off any lease.
        lease: Option<LeaseId>,
        /// Whether to return what the key held.
        prev: bool,
    },
    /// Deletes the keys in a range.
    Delete {
        /// Which.
        range: KeyRange,
        /// Whether to return what they held.
        prev: bool,
    },
    /// Reads the keys in a range.
    Get {
        /// Which.
        range: KeyRange,
        /// The most entries.
        limit: Option<usize>,
        /// From the last key to the first.
        reverse: bool,
    },
}

impl Op {
    /// Writes `value`, for good.
    pub fn put(key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        Self::Put { key: key.into(), value: value.into(), lease: None, prev: false }
    }

    /// Writes `value` until `lease` ends.
    pub fn put_with_lease(key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>, lease: LeaseId) -> Self {
        Self::Put { key: key.into(), value: value.into(), lease: Some(lease), prev: false }
    }

    /// Deletes one key.
    pub fn delete(key: impl Into<Vec<u8>>) -> Self {
        Self::Delete { range: KeyRange::key(key), prev: false }
    }

    /// Deletes the keys in `range`.
    pub const fn delete_range(range: KeyRange) -> Self {
        Self::Delete { range, prev: false }
    }

    /// Reads one key.
    pub fn get(key: impl Into<Vec<u8>>) -> Self {
        Self::get_range(KeyRange::key(key))
    }

    /// Reads the keys in `range`, a page of them at most.
    pub const fn get_range(range: KeyRange) -> Self {
        Self::Get { range, limit: None, reverse: false }
    }

    /// Returns what the changed keys held.
    pub const fn with_prev(mut self) -> Self {
        if let Self::Put { prev, .. } | Self::Delete { prev, .. } = &mut self {
            *prev = true;
        }
        self
    }

    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Put { key, value, .. } => key.len() + value.len(),
            Self::Delete { range, .. } | Self::Get { range, .. } => range.size(),
        }
    }
}

/// What a transaction did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TxnOutcome {
    /// Where the store is afterwards: the revision of the change, where something changed.
    pub revision: Revision,
    /// Whether all compares held.
    pub succeeded: bool,
    /// What the operations of the branch did, in their order.
    pub results: Vec<OpResult>,
}

/// What an operation did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum OpResult {
    /// Written.
    Put {
        /// What the key held, where that was asked for and it existed.
        prev: Option<Entry>,
    },
    /// Deleted.
    Delete {
        /// How many keys there were.
        deleted: u64,
        /// What they held, where that was asked for.
        prev: Vec<Entry>,
    },
    /// Read.
    Get(Page),
}
