use serde::{Deserialize, Serialize};

/// Why a text is not read as a document, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason} at byte {at}")]
pub struct Refusal {
    /// What is in the way.
    pub reason: Reason,
    /// The byte of the text at which it is.
    pub at: usize,
}

/// What cannot be decided about a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// There is nothing to read.
    #[error("no document begins")]
    Empty,
    /// A character that no document has there.
    #[error("nothing of a document can stand")]
    Unexpected,
    /// A member has a key and no value.
    #[error("a value is missing")]
    MissingValue,
    /// A value has no key, as in a set.
    #[error("a key without a value stands")]
    MissingKey,
    /// `1,234` may be one number or two, and `007` a number, an octal one or a text.
    #[error("a number that can be read in two ways stands")]
    AmbiguousNumber,
    /// A number that does not fit.
    #[error("a number out of range stands")]
    NumberRange,
    /// Text without quotes, or strings side by side, whose end cannot be known.
    #[error("a text whose end cannot be known stands")]
    AmbiguousText,
    /// `...` stands for a value.
    #[error("a placeholder stands for a value")]
    Placeholder,
    /// An expression that would have to be run, as `new Date(..)`.
    #[error("an expression that would have to be run stands")]
    Call,
    /// More documents or other text after the document.
    #[error("text after the document stands")]
    Trailing,
    /// Brackets nested deeper than the limit.
    #[error("brackets are nested too deep")]
    Depth,
    /// More to mend than the limit.
    #[error("too much has to be mended")]
    Fixes,
}
