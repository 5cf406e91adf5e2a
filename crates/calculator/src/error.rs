/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an expression has no answer. Places are characters, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is not an expression of the grammar.
    #[error("at character {at}: {message}")]
    Syntax {
        /// Where.
        at: usize,
        /// What is wrong, and what to write.
        message: String,
    },
    /// A name that is neither a function nor a constant.
    #[error("at character {at}: `{name}` is not known{}", .near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default())]
    UnknownName {
        /// Where.
        at: usize,
        /// The name.
        name: String,
        /// A name that is known and close to it.
        near: Option<&'static str>,
    },
    /// A function was given too many or too few arguments.
    #[error("at character {at}: `{name}` takes {takes}, it was given {given}")]
    Arity {
        /// Where.
        at: usize,
        /// The function.
        name: &'static str,
        /// How many it takes, in words.
        takes: String,
        /// How many it was given.
        given: usize,
    },
    /// What is asked for is not defined among the real numbers.
    #[error("at character {at}: {message}")]
    Undefined {
        /// Where.
        at: usize,
        /// What is not defined.
        message: String,
    },
    /// A division by zero.
    #[error("at character {at}: division by zero")]
    DivisionByZero {
        /// Where.
        at: usize,
    },
    /// A number beyond both [`MAX_BITS`](crate::MAX_BITS) and the range of a double.
    #[error("at character {at}: the number is too large to be told")]
    TooLarge {
        /// Where.
        at: usize,
    },
    /// The expression asks for more than is allowed.
    #[error("the expression has more than {limit} {what}, write it in parts")]
    Limit {
        /// Of what.
        what: &'static str,
        /// How much is allowed.
        limit: usize,
    },
}

impl Error {
    /// The character that is at fault, counted from 1, where it is one.
    pub fn at(&self) -> Option<usize> {
        match self {
            Self::Syntax { at, .. }
            | Self::UnknownName { at, .. }
            | Self::Arity { at, .. }
            | Self::Undefined { at, .. }
            | Self::DivisionByZero { at }
            | Self::TooLarge { at } => Some(*at),
            Self::Limit { .. } => None,
        }
    }
}

/// What an operation can fail of, before its place is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Undefined(&'static str),
    DivisionByZero,
    TooLarge,
}

impl Fault {
    pub(crate) fn at(self, at: usize) -> Error {
        match self {
            Self::Undefined(message) => Error::Undefined { at, message: message.into() },
            Self::DivisionByZero => Error::DivisionByZero { at },
            Self::TooLarge => Error::TooLarge { at },
        }
    }
}
