use std::{borrow::Cow, path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{LeaseId, Revision};

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a store did not do what it was asked for.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another member leads; nothing was done.
    #[error("this member does not lead: ask {}", hint.as_deref().unwrap_or("another"))]
    NotLeader {
        /// Where the leader is, as far as is known.
        hint: Option<String>,
    },
    /// Fewer members than a majority can be reached; nothing was done.
    #[error("no quorum of members can be reached: try again later")]
    NoQuorum,
    /// Whether a mutation was or will be carried out is not known. Only a [`Session`](crate::Session) may repeat it safely.
    #[error("the outcome is unknown: {reason}")]
    Unknown {
        /// What happened on the way.
        reason: String,
    },
    /// The store refused the request by its state; nothing was done.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A compare-and-swap found something else than was expected; nothing was done.
    #[error("the key is at {actual:?}, which is not what was expected: read it again")]
    Conflict {
        /// When the key was last modified; `None` where it does not exist.
        actual: Option<Revision>,
    },
    /// A change of a cluster's members is not to be made; nothing was done.
    #[error("the members stay as they are: {0}")]
    Membership(String),
    /// A key, a value or a request is larger than the store's [`Limits`](crate::Limits); nothing was done.
    #[error("{what} of {size} is over the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: Cow<'static, str>,
        /// How large it is: bytes, or operations.
        size: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// The request contradicts itself; nothing was done.
    #[error("the request is not sound: {0}")]
    Invalid(Cow<'static, str>),
    /// This store does not offer that.
    #[error("this store does not offer {0}")]
    Unsupported(Cow<'static, str>),
    /// The stored bytes are not what was written.
    #[error("{place} is damaged: {reason}; restore a snapshot")]
    Corrupt {
        /// Where: a file and a position, or a row.
        place: String,
        /// What is wrong there.
        reason: String,
    },
    /// Another store, of this process or of another, has the file open.
    #[error("{} is in use: close the store that has it open", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file is of a format that this version does not read.
    #[error("the format of {place} is {found}, and this version reads {known}")]
    Format {
        /// The file.
        place: String,
        /// The format of the file.
        found: u32,
        /// The format that is read.
        known: u32,
    },
    /// A file could not be read or written; where it was to be changed, nothing was done.
    #[error("cannot {action}")]
    Io {
        /// What was tried, as a verb and its object.
        action: String,
        /// Why not.
        source: Arc<std::io::Error>,
    },
    /// An earlier write failed in a way that leaves the file's state unknown. The store does nothing more; open it again.
    #[error("the store stopped after a failure: {reason}; open it again")]
    Poisoned {
        /// The failure.
        reason: String,
    },
    /// The server asks for a token, or for another one; nothing was done.
    #[error("the server refused: {0}")]
    Unauthorized(String),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// A key or a value of a [`Namespace`](crate::Namespace) is not of its type.
    #[error("cannot {action}: {reason}")]
    Codec {
        /// What was tried, as a verb and its object.
        action: &'static str,
        /// Why not.
        reason: String,
    },
}

impl Error {
    /// Whether the same call, unchanged, can succeed later. After [`Unknown`](Self::Unknown) it can also be carried out twice, unless it is
    /// made through a [`Session`](crate::Session).
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::NotLeader { .. } | Self::NoQuorum | Self::Unknown { .. })
    }

    pub(crate) fn io(action: impl Into<String>, source: std::io::Error) -> Self {
        Self::Io { action: action.into(), source: Arc::new(source) }
    }

    pub(crate) fn corrupt(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Corrupt { place: place.into(), reason: reason.into() }
    }
}

/// Why the state of a store does not allow a request: part of what replicas agree on, and kept for a session's retries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The revision was compacted away.
    #[error("revisions up to {at} were compacted: read the current state")]
    Compacted {
        /// The last revision that was compacted.
        at: Revision,
    },
    /// The revision is not there yet.
    #[error("the store is at revision {current}, not yet there")]
    FutureRevision {
        /// Where the store is.
        current: Revision,
    },
    /// There is no such lease; it may have run out.
    #[error("there is no lease {id}")]
    NoLease {
        /// The lease asked for.
        id: LeaseId,
    },
    /// There is a lease of that name already.
    #[error("there is a lease {id} already")]
    LeaseExists {
        /// The lease asked for.
        id: LeaseId,
    },
    /// The session was closed, or forgotten for many younger ones. Whether its last request was carried out is not known.
    #[error("the session is not known any more: open another")]
    SessionExpired,
    /// The session has made later requests, whose answers replaced the one asked for.
    #[error("the session is at request {last} already")]
    SessionMovedOn {
        /// Its last request.
        last: u64,
    },
    /// The store has counted as far as it can.
    #[error("the store has no further revisions")]
    Exhausted,
}
