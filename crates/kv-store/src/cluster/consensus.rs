//! The boundary to openraft: what its log holds, what its members are, and the names of its types with ours filled in. Nothing outside this
//! folder, and the log's store, knows which library agrees on the log.

use std::fmt;

use openraft::{Entry, raft::responder::OneshotResponder};
use serde::{Deserialize, Serialize};

use super::snapshot::SnapshotData;
use crate::machine::{Answer, Command};

/// openraft's types with ours filled in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Types;

impl openraft::RaftTypeConfig for Types {
    type D = Proposal;
    type R = Answers;
    type NodeId = u64;
    type Node = Address;
    type Entry = Entry<Self>;
    type SnapshotData = SnapshotData;
    type AsyncRuntime = super::runtime::Runtime;
    type Responder = OneshotResponder<Self>;
}

pub(crate) type Raft = openraft::Raft<Types>;
pub(crate) type LogId = openraft::LogId<u64>;
pub(crate) type Membership = openraft::StoredMembership<u64, Address>;
pub(crate) type SnapshotMeta = openraft::SnapshotMeta<u64, Address>;
pub(crate) type Snapshot = openraft::Snapshot<Types>;
pub(crate) type StorageError = openraft::StorageError<u64>;
pub(crate) type Metrics = openraft::RaftMetrics<u64, Address>;

/// Commands that were proposed together: one entry of the log, carried out in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Proposal {
    /// Which of its proposer, since that was started. By it the proposer knows whether it was ever appended.
    pub(crate) number: u64,
    pub(crate) commands: Vec<Command>,
}

/// The answers to a proposal's commands; none to entries that are not a proposal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answers(pub(crate) Vec<Answer>);

/// Where a member is, and which life of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Address {
    pub(crate) peer: String,
    pub(crate) client: Option<String>,
    /// Drawn when its folder was made: a member whose folder was lost is another one, even under the same name.
    pub(crate) life: u64,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.peer)
    }
}
