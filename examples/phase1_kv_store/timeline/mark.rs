use crate::{
    record::Operation,
    request::{Answer, Input},
};

/// How an operation is shown. Later ones stand before earlier ones where there is no room for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    Read,
    Written,
    Refused,
    Unknown,
    Lost,
}

impl Mark {
    pub(crate) const ALL: [Self; 5] = [Self::Read, Self::Written, Self::Refused, Self::Unknown, Self::Lost];

    pub(crate) fn of(place: usize, operation: &Operation, lost: &[usize]) -> Self {
        match (operation.input, &operation.answer) {
            _ if lost.binary_search(&place).is_ok() => Self::Lost,
            (_, Answer::Refused { .. }) => Self::Refused,
            (_, Answer::Unknown) => Self::Unknown,
            (Input::Read(_), _) => Self::Read,
            (Input::Write(_), _) => Self::Written,
        }
    }

    pub(crate) fn letter(self) -> char {
        match self {
            Self::Read => 'r',
            Self::Written => 'w',
            Self::Refused => '-',
            Self::Unknown => '?',
            Self::Lost => 'X',
        }
    }

    pub(crate) fn says(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Written => "write acknowledged",
            Self::Refused => "refused",
            Self::Unknown => "outcome unknown",
            Self::Lost => "acknowledged and lost",
        }
    }
}
