use serde::{Deserialize, Serialize};

/// One value that was changed to fit a schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Where it stands in the document that came out: a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What was done.
    pub kind: ChangeKind,
}

/// What was done to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChangeKind {
    /// A text that is a number became it.
    Number,
    /// A text that is `true` or `false` in any case became it.
    Boolean,
    /// A number, or true or false, became its text.
    Text,
    /// A text became the one choice that differs from it in case, accents and space around it alone; or a number its text, or the reverse.
    Choice,
    /// The text of a document became the document.
    Parsed,
    /// `""` or `"null"` became null.
    Null,
    /// A value became an array of it.
    Wrapped,
    /// An array of one became its element.
    Unwrapped,
    /// A property got the name that differs from its own in case, accents and `_`, `-` or space alone.
    Renamed,
    /// A required property that was missing got its default.
    Default,
    /// A null where none may be, of a property that need not be there, was dropped.
    DroppedNull,
    /// A property that may not be there was dropped.
    Dropped,
}

impl ChangeKind {
    /// What it costs: 1 where the value says the same, more where something is added or lost.
    pub const fn price(self) -> u32 {
        match self {
            Self::Number | Self::Boolean | Self::Text | Self::Choice | Self::Parsed => 1,
            Self::Null | Self::Wrapped | Self::Unwrapped | Self::DroppedNull => 2,
            Self::Renamed | Self::Default => 3,
            Self::Dropped => 5,
        }
    }
}
