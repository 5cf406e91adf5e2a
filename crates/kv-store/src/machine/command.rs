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
    /// Ends leases whose time is over, as who keeps time has found: those that were granted by the command of that index.
    Expire(Vec<(LeaseId, u64)>),
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
            Self::Expire(due) => due.len() * 16,
            _ => 16,
        }
    }
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
