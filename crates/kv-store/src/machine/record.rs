use serde::{Deserialize, Serialize};

use crate::{Entry, LeaseId, Revision};

/// What the store as a whole is at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) revision: Revision,
    /// The last revision whose history was given up.
    pub(crate) compacted: Revision,
    /// The index of the last command that was carried out.
    pub(crate) applied: u64,
    /// The number that the next lease or session without a name gets.
    pub(crate) next_id: u64,
    /// Keys that exist.
    pub(crate) keys: u64,
    pub(crate) sessions: u64,
    pub(crate) leases: u64,
}

impl Default for State {
    fn default() -> Self {
        Self { revision: Revision::FIRST, compacted: Revision::ZERO, applied: 0, next_id: 1, keys: 0, sessions: 0, leases: 0 }
    }
}

/// What a revision made of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) created: Revision,
    /// How often the key was put since it came to be.
    pub(crate) puts: u64,
    pub(crate) lease: Option<LeaseId>,
    /// `None` where it was deleted.
    #[serde(with = "serde_bytes")]
    pub(crate) value: Option<Vec<u8>>,
}

impl Version {
    pub(crate) const DELETED: Self = Self { created: Revision::ZERO, puts: 0, lease: None, value: None };

    /// The entry of `key`, last modified at `revision`; `None` where that deleted it.
    pub(crate) fn into_entry(self, key: Vec<u8>, revision: Revision) -> Option<Entry> {
        let Self { created, puts, lease, value } = self;
        Some(Entry { key, value: value?, create_revision: created, mod_revision: revision, version: puts, lease })
    }
}

/// A key that a revision changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Change {
    #[serde(with = "serde_bytes")]
    pub(crate) key: Vec<u8>,
}

/// A lease that has not ended. When it will is known only to who keeps time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LeaseRecord {
    pub(crate) ttl_millis: u64,
    /// The index of the command that granted it, which tells it from an earlier lease of the same name.
    pub(crate) granted: u64,
}

/// The last request of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionRecord {
    pub(crate) sequence: u64,
    /// The index of the last command that used it.
    pub(crate) used: u64,
    /// The answer, as it is encoded on the wire.
    #[serde(with = "serde_bytes")]
    pub(crate) answer: Vec<u8>,
}
