use serde::{Deserialize, Serialize};

use crate::{Error, Refusal};

/// An error: etcd's gateway's fields, with the code and status of gRPC, and what it is here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ErrorBody {
    pub(crate) error: String,
    pub(crate) code: u32,
    pub(crate) message: String,
    /// Not etcd's.
    pub(crate) kind: Option<Kind>,
}

/// Which of this crate's errors it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    NotLeader { hint: Option<String> },
    NoQuorum,
    Unknown,
    Refused(Refusal),
    TooLarge { what: String, size: usize, limit: usize },
    Invalid(String),
    Unsupported(String),
    Membership(String),
    Corrupt,
    Closed,
    Unauthorized,
    Other,
}

impl ErrorBody {
    /// What a client is told of `error`, and with which status of HTTP.
    pub(crate) fn of(error: &Error) -> (u16, Self) {
        let (status, code, kind) = match error {
            Error::NotLeader { hint } => (503, 14, Kind::NotLeader { hint: hint.clone() }),
            Error::NoQuorum => (503, 14, Kind::NoQuorum),
            Error::Unknown { .. } => (504, 4, Kind::Unknown),
            Error::Refused(refusal @ Refusal::NoLease { .. }) => (404, 5, Kind::Refused(refusal.clone())),
            Error::Refused(refusal @ (Refusal::Compacted { .. } | Refusal::FutureRevision { .. })) => {
                (400, 11, Kind::Refused(refusal.clone()))
            }
            Error::Refused(refusal) => (400, 9, Kind::Refused(refusal.clone())),
            Error::TooLarge { what, size, limit } => (400, 3, Kind::TooLarge { what: what.to_string(), size: *size, limit: *limit }),
            Error::Invalid(why) => (400, 3, Kind::Invalid(why.to_string())),
            Error::Unsupported(what) => (501, 12, Kind::Unsupported(what.to_string())),
            Error::Membership(why) => (400, 9, Kind::Membership(why.clone())),
            Error::Corrupt { .. } => (500, 15, Kind::Corrupt),
            Error::Closed => (503, 14, Kind::Closed),
            _ => (500, 13, Kind::Other),
        };
        (status, Self::new(code, error.to_string(), kind))
    }

    pub(crate) fn new(code: u32, message: String, kind: Kind) -> Self {
        Self { error: message.clone(), code, message, kind: Some(kind) }
    }

    /// The error that a client's caller gets.
    pub(crate) fn error(self) -> Error {
        match self.kind {
            Some(Kind::NotLeader { hint }) => Error::NotLeader { hint },
            Some(Kind::NoQuorum) => Error::NoQuorum,
            Some(Kind::Refused(refusal)) => Error::Refused(refusal),
            Some(Kind::TooLarge { what, size, limit }) => Error::TooLarge { what: what.into(), size, limit },
            Some(Kind::Invalid(why)) => Error::Invalid(why.into()),
            Some(Kind::Unsupported(what)) => Error::Unsupported(what.into()),
            Some(Kind::Membership(why)) => Error::Membership(why),
            Some(Kind::Corrupt) => Error::corrupt("the server's store", self.message),
            Some(Kind::Closed) => Error::Closed,
            Some(Kind::Unauthorized) => Error::Unauthorized(self.message),
            Some(Kind::Unknown | Kind::Other) | None => Error::Unknown { reason: self.message },
        }
    }
}
