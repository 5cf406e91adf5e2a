use serde::{Deserialize, Serialize};

use crate::{LeaseId, Refusal, Revision, SessionId, Txn, TxnOutcome};

/// What changes the state. Replicas that carry out the same commands in the same order are the same to the byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Command {
    Txn(Txn),
    /// A lease of this name, or of the next number.
    Grant {
        id: Option<LeaseId>,
        ttl_millis: u64,
    },
    Revoke(LeaseId),
    /// Ends leases whose time is over, as who keeps time has found.
    Expire(Due),
    OpenSession,
    CloseSession(SessionId),
    Compact(Revision),
    /// Goes on removing what was compacted.
    Sweep,
}

impl Command {
    /// Bytes of the keys and values in it, about.
    #[cfg(feature = "cluster")]
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Txn(txn) => {
                let compares: usize = txn.compares.iter().map(crate::Compare::size).sum();
                compares + txn.then.iter().chain(&txn.otherwise).map(crate::Op::size).sum::<usize>()
            }
            Self::Expire(due) => due.leases.len() * 16,
            _ => 16,
        }
    }
}

/// Leases whose time is over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Due {
    /// Each with the index of the command that granted it: another lease of the same name goes on.
    pub(crate) leases: Vec<(LeaseId, u64)>,
    /// The term in which who found them has kept their time since it began; 0 where nobody is elected to. In another term somebody else may
    /// have let them go on.
    pub(crate) kept_in: u64,
}

/// What a command did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Response {
    Txn(TxnOutcome),
    Granted {
        id: LeaseId,
        granted: u64,
    },
    Revoked,
    /// How many leases ended.
    Expired(u64),
    SessionOpened(SessionId),
    SessionClosed,
    /// Compacted, or swept: whether more is to be swept.
    Swept {
        more: bool,
    },
}

/// What a command did, or why the state did not allow it.
pub(crate) type Answer = Result<Response, Refusal>;
