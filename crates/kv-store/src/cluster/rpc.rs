//! What members say to each other, each message in a frame: a request, or the answer to the request of the same id.

use std::time::Duration;

use openraft::{
    Vote,
    error::{Fatal, RaftError},
    raft::{AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::consensus::{SnapshotMeta, Types};
use crate::{
    Error, LeaseId, Member, Result,
    frame::{FIRST_KIND, Frame},
    machine::{Answer, Command},
};

/// The kind of a frame that asks.
pub(super) const ASK: u8 = FIRST_KIND;
/// The kind of a frame that answers.
pub(super) const REPLY: u8 = FIRST_KIND + 1;

/// Bytes of a message at most: a batch of commands and what is around it.
pub(super) const LONGEST: u32 = 64 << 20;

/// A request.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Ask {
    /// Who calls, which life of it: the first thing said on a connection.
    Meet {
        life: u64,
    },
    Append(AppendEntriesRequest<Types>),
    Vote(VoteRequest<u64>),
    /// A snapshot follows on this connection.
    SnapshotBegins {
        vote: Vote<u64>,
        meta: SnapshotMeta,
    },
    SnapshotPart(#[serde(with = "serde_bytes")] Vec<u8>),
    SnapshotEnds,
    /// The leader is to do the following.
    Lead(LeaderAsk),
    /// Stand for election.
    Elect,
}

/// What only a leader can do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum LeaderAsk {
    CarryOut(Command),
    /// How far a state must be to be read.
    ReadIndex,
    KeepAlive(LeaseId),
    Remaining(LeaseId),
    Add(Member),
    Promote(u64),
    Remove(u64),
    StepDown,
}

/// An answer.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    Met {
        life: u64,
        /// Whether it belongs to a cluster that was founded.
        is_founded: bool,
        /// The members that it knows of, with their lives.
        knows: Vec<(u64, u64)>,
    },
    Append(Result<AppendEntriesResponse<u64>, RaftError<u64>>),
    Vote(Result<VoteResponse<u64>, RaftError<u64>>),
    Snapshot(Result<SnapshotResponse<u64>, Fatal<u64>>),
    Led(LeaderReply),
    Done,
    /// It was not done.
    Failed(Failure),
}

/// What a leader did.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum LeaderReply {
    Answer(Answer),
    /// The index behind the last entry that must have been carried out.
    ReadFrom(u64),
    KeptAlive(Option<Duration>),
    Remaining(Option<(Duration, Duration)>),
    Changed,
}

/// Why a member did not do what another asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Failure {
    /// It does not lead; nothing was done.
    NotLeader,
    /// Nothing was done.
    NoQuorum,
    /// Nobody knows whether it was or will be done.
    Unknown(String),
    /// It is not to be done; nothing was.
    Invalid(String),
}

impl Failure {
    /// What it is to those who call.
    pub(super) fn error(self, hint: Option<String>) -> Error {
        match self {
            Self::NotLeader => Error::NotLeader { hint },
            Self::NoQuorum => Error::NoQuorum,
            Self::Unknown(reason) => Error::Unknown { reason },
            Self::Invalid(reason) => Error::Membership(reason),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::NotLeader { .. } => Self::NotLeader,
            Error::NoQuorum => Self::NoQuorum,
            Error::Unknown { reason } => Self::Unknown(reason),
            Error::Membership(reason) => Self::Invalid(reason),
            error => Self::Unknown(error.to_string()),
        }
    }
}

pub(super) fn frame<T: Serialize>(kind: u8, id: u64, message: &T) -> Frame {
    let payload = postcard::to_allocvec(message).expect("messages are plain data, which postcard can always write");
    Frame { kind, id, payload }
}

pub(super) fn message<T: DeserializeOwned>(frame: &Frame) -> Result<T, postcard::Error> {
    postcard::from_bytes(&frame.payload)
}
