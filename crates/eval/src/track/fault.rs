use rusqlite::{Error as Sqlite, ErrorCode};

use crate::Error;

/// What goes wrong inside a transaction: the errors of `SQLite` do not know which file they are about, ours do not need to.
#[derive(Debug)]
pub(super) enum Fault {
    Sqlite(Sqlite),
    Ours(Error),
}

/// A result inside a transaction.
pub(super) type Step<T> = Result<T, Fault>;

impl Fault {
    /// The error that a caller sees, about the file at `place`.
    pub(super) fn at(self, place: &str) -> Error {
        let place = place.to_owned();
        match self {
            Self::Ours(error) => error,
            Self::Sqlite(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::TrackingBusy { place },
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Error::TrackingDamaged { place, problem: error.to_string() },
                _ => Error::Tracking { place, source: error.into() },
            },
        }
    }
}

impl From<Sqlite> for Fault {
    fn from(error: Sqlite) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::Ours(Error::Refused(format!("a record is no JSON as it should be: {error}")))
    }
}

/// That there is no `what` of this name.
pub(super) fn missing(what: &'static str, name: &(impl ToString + ?Sized)) -> Fault {
    Fault::Ours(Error::NotFound { what, name: name.to_string() })
}

/// Says of a query for one row that found none what it looked for.
pub(super) fn or_missing<T>(found: Step<T>, what: &'static str, name: &(impl ToString + ?Sized)) -> Step<T> {
    match found {
        Err(Fault::Sqlite(Sqlite::QueryReturnedNoRows)) => Err(missing(what, name)),
        found => found,
    }
}

/// That an argument or the state of things does not allow it.
pub(super) fn refused(why: impl Into<String>) -> Fault {
    Fault::Ours(Error::Refused(why.into()))
}
