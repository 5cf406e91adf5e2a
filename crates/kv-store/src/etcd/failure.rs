use std::io;

use crate::{Error, Revision};

/// Why etcd did not answer as it should.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing was asked, or it was turned away before anything began: it may be asked again.
    NotAsked(String),
    /// Whether it was done is not known.
    Lost(String),
    Compacted,
    FutureRevision,
    NoLease,
    /// The answer was larger than this end takes; what was asked for was done.
    AnswerTooLarge,
    /// It was refused; nothing was done.
    Refused(Error),
}

/// Whether a call may change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Change,
}

// The numbers of gRPC's status codes.
const OUT_OF_RANGE: i32 = 11;
const INVALID_ARGUMENT: i32 = 3;
const NOT_FOUND: i32 = 5;
const PERMISSION_DENIED: i32 = 7;
const RESOURCE_EXHAUSTED: i32 = 8;
const FAILED_PRECONDITION: i32 = 9;
const UNIMPLEMENTED: i32 = 12;
const UNAUTHENTICATED: i32 = 16;

impl Failure {
    /// What a client's error says about what was done.
    pub(super) fn of(error: &etcd_client::Error) -> Self {
        match error {
            etcd_client::Error::GRpcStatus(status) if refused_to_connect(status) => Self::NotAsked(status.message().to_owned()),
            etcd_client::Error::GRpcStatus(status) => Self::of_status(i32::from(status.code()), status.message()),
            etcd_client::Error::LeaseKeepAliveError(message) if message == "lease not found" => Self::NoLease,
            etcd_client::Error::TransportError(error) if refused_to_connect(error) => Self::NotAsked(error.to_string()),
            etcd_client::Error::InvalidUri(_) | etcd_client::Error::InvalidArgs(_) => {
                Self::Refused(Error::Invalid("an endpoint is no URL".into()))
            }
            other => Self::Lost(other.to_string()),
        }
    }

    /// etcd is told from what lies between by its messages.
    pub(super) fn of_status(code: i32, message: &str) -> Self {
        const NOT_BEGUN: [&str; 3] = ["etcdserver: no leader", "etcdserver: too many requests", "rpc not supported for learner"];
        const TURNED_AWAY: [&str; 2] = ["etcdserver: user name is empty", "etcdserver: authentication failed"];
        let says = |part: &str| message.contains(part);
        if says("required revision has been compacted") {
            Self::Compacted
        } else if says("required revision is a future revision") {
            Self::FutureRevision
        } else if says("requested lease not found") {
            Self::NoLease
        } else if NOT_BEGUN.into_iter().any(says) {
            Self::NotAsked(message.to_owned())
        } else if says("request is too large") {
            Self::Refused(Error::TooLarge { what: "a request to etcd".into(), size: 0, limit: 0 })
        } else if says("too many operations") {
            Self::Refused(Error::Invalid("a transaction has more operations than etcd is set to take".into()))
        } else if says("duplicate key given in txn") {
            Self::Refused(Error::Invalid("a transaction changes a key twice".into()))
        } else if says("database space exceeded") {
            Self::Refused(refused(io::ErrorKind::StorageFull, message))
        } else if TURNED_AWAY.into_iter().any(says) {
            Self::Refused(refused(io::ErrorKind::PermissionDenied, message))
        } else if says("corrupt") {
            Self::Refused(Error::corrupt("the etcd cluster", message))
        } else {
            Self::of_code(code, message)
        }
    }

    fn of_code(code: i32, message: &str) -> Self {
        match code {
            OUT_OF_RANGE if message.contains("decoded message length too large") => Self::AnswerTooLarge,
            PERMISSION_DENIED | UNAUTHENTICATED => Self::Refused(refused(io::ErrorKind::PermissionDenied, message)),
            INVALID_ARGUMENT | NOT_FOUND | FAILED_PRECONDITION | OUT_OF_RANGE | RESOURCE_EXHAUSTED | UNIMPLEMENTED
                if message.starts_with("etcdserver:") =>
            {
                Self::Refused(refused(io::ErrorKind::Other, message))
            }
            _ => Self::Lost(message.to_owned()),
        }
    }

    /// Whether a call of `kind` can be made again with no risk that it is done twice.
    pub(super) const fn may_try_again(&self, kind: Kind) -> bool {
        matches!((self, kind), (Self::NotAsked(_), _) | (Self::Lost(_), Kind::Read))
    }

    /// What the caller is told, where no more is to be asked of etcd: how far it compacted, or is.
    pub(super) fn told(self, kind: Kind, at: Revision) -> Error {
        match (self, kind) {
            (Self::NotAsked(reason) | Self::Lost(reason), Kind::Read) | (Self::NotAsked(reason), Kind::Change) => {
                tracing::debug!(reason, "etcd did not answer");
                Error::NoQuorum
            }
            (Self::Lost(reason), Kind::Change) => Error::Unknown { reason },
            (Self::Compacted, _) => crate::Refusal::Compacted { at }.into(),
            (Self::FutureRevision, _) => crate::Refusal::FutureRevision { current: at }.into(),
            (Self::NoLease, _) => refused(io::ErrorKind::NotFound, "etcd knows no such lease"),
            (Self::AnswerTooLarge, Kind::Read) => refused(io::ErrorKind::OutOfMemory, "an answer of etcd is too large"),
            (Self::AnswerTooLarge, Kind::Change) => Error::Unknown { reason: "the answer of etcd is too large".to_owned() },
            (Self::Refused(error), _) => error,
        }
    }
}

pub(super) fn refused(kind: io::ErrorKind, message: &str) -> Error {
    Error::io("do this in etcd", io::Error::new(kind, message.to_owned()))
}

/// Whether no connection could be made, so that nothing was sent.
fn refused_to_connect(error: &(dyn std::error::Error + 'static)) -> bool {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let kinds = causes.filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    kinds
        .into_iter()
        .any(|kind| matches!(kind, io::ErrorKind::ConnectionRefused | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Refusal;

    fn told(code: i32, message: &str, kind: Kind) -> Error {
        Failure::of_status(code, message).told(kind, Revision(9))
    }

    #[test]
    fn a_change_that_may_have_happened_is_unknown_and_nothing_else_is() {
        for (code, message) in [
            (14, "etcdserver: request timed out"),
            (14, "etcdserver: request timed out, possibly due to previous leader failure"),
            (14, "etcdserver: leader changed"),
            (14, "etcdserver: server stopped"),
            (14, "transport error"),
            (13, "h2 protocol error: error reading a body from connection"),
            (2, "transport error"),
            (1, "operation was canceled"),
        ] {
            assert!(matches!(told(code, message, Kind::Change), Error::Unknown { .. }), "{message}");
            assert!(matches!(told(code, message, Kind::Read), Error::NoQuorum), "{message}: a read is never unknown");
            assert!(
                !Failure::of_status(code, message).may_try_again(Kind::Change)
                    && Failure::of_status(code, message).may_try_again(Kind::Read)
            );
        }
        for (code, message) in [(14, "etcdserver: no leader"), (8, "etcdserver: too many requests")] {
            assert!(matches!(told(code, message, Kind::Change), Error::NoQuorum), "{message}");
            assert!(Failure::of_status(code, message).may_try_again(Kind::Change));
        }
    }

    #[test]
    fn a_refusal_says_what_was_refused() {
        let compacted = told(11, "etcdserver: mvcc: required revision has been compacted", Kind::Read);
        assert!(matches!(compacted, Error::Refused(Refusal::Compacted { at: Revision(9) })), "{compacted}");
        let future = told(11, "etcdserver: mvcc: required revision is a future revision", Kind::Read);
        assert!(matches!(future, Error::Refused(Refusal::FutureRevision { current: Revision(9) })), "{future}");
        assert!(matches!(Failure::of_status(5, "etcdserver: requested lease not found"), Failure::NoLease));
        let full = told(8, "etcdserver: mvcc: database space exceeded", Kind::Change);
        assert!(matches!(&full, Error::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull), "{full}");
        for (code, message) in [
            (7, "etcdserver: permission denied"),
            (3, "etcdserver: user name is empty"),
            (3, "etcdserver: authentication failed, invalid user ID or password"),
        ] {
            let denied = told(code, message, Kind::Change);
            assert!(matches!(&denied, Error::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied), "{denied}");
        }
        let large = Failure::of_status(11, "Error, decoded message length too large: found 5 bytes, the limit is: 4 bytes");
        assert!(matches!(large, Failure::AnswerTooLarge));
    }
}
