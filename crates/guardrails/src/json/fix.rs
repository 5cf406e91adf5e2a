use serde::{Deserialize, Serialize};

/// One thing that was mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    /// What was wrong.
    pub kind: FixKind,
    /// The byte of the text at which it was.
    pub at: usize,
}

/// What was wrong with the text of a document, and how it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FixKind {
    /// A space that JSON does not know, a byte-order mark or a written-out `\n` between tokens: left out.
    Space,
    /// A comment (`//`, `/* */`, `#`): left out.
    Comment,
    /// A comma before a closing bracket: left out.
    TrailingComma,
    /// Other quotes than `"`: single, typographic, backtick, tripled or escaped ones.
    Quotes,
    /// A line break, tab or other control character inside a string: kept.
    ControlCharacter,
    /// A key without quotes.
    UnquotedKey,
    /// A literal of another language: `True`, `None`, `undefined`. What has no value is null.
    Literal,
    /// A number as other languages write it: `+1`, `.5`, `1.`, `0x1F`, `1_000`, `10n`.
    Number,
    /// A tuple: an array.
    Tuple,
    /// Pieces of a string with `+` between them, or side by side on lines of their own: one string.
    Pieces,
    /// A value in a call, as `ObjectId("..")`: the value.
    Call,
    /// `NaN` or an infinity: null, which `JSON.stringify` makes of them.
    NotANumber,
    /// An escape that JSON does not know (the character itself), or half a surrogate pair (U+FFFD).
    Escape,
    /// Commas too many: one.
    ExtraComma,
    /// Two values with no comma between them, or with `;`.
    MissingComma,
    /// No colon after a key, or another sign in its place.
    MissingColon,
    /// A bracket that was never closed: closed where its surroundings end.
    MissingClose,
    /// A bracket that was never opened: opened at the start.
    MissingOpen,
    /// A closing bracket that nothing is open for: left out.
    ExtraClose,
    /// A closing bracket of the wrong kind: the right one.
    WrongClose,
    /// `...` for more members or elements: left out.
    Ellipsis,
    /// Documents one after the other: an array of them.
    Documents,
    /// A text without quotes.
    UnquotedValue,
    /// A quote that belongs to the text of a string.
    InnerQuote,
    /// A string without its opening or closing quote.
    MissingQuote,
    /// A key that came before: the last value counts.
    DuplicateKey,
    /// The text ends inside a value, which is kept as far as it goes, or in a member without a value, which is dropped.
    Truncated,
}

impl FixKind {
    /// What reading it so costs: 1 where nothing else can be meant, 2 to 5 where structure or text was guessed, 10 where something may be
    /// lost.
    pub const fn price(self) -> u32 {
        match self {
            Self::Space
            | Self::Comment
            | Self::TrailingComma
            | Self::Quotes
            | Self::ControlCharacter
            | Self::UnquotedKey
            | Self::Literal
            | Self::Number
            | Self::Tuple
            | Self::Pieces
            | Self::Call => 1,
            Self::NotANumber
            | Self::Escape
            | Self::ExtraComma
            | Self::MissingComma
            | Self::MissingColon
            | Self::MissingClose
            | Self::MissingOpen => 2,
            Self::ExtraClose | Self::WrongClose | Self::Ellipsis | Self::Documents | Self::UnquotedValue => 3,
            Self::InnerQuote | Self::MissingQuote => 5,
            Self::DuplicateKey | Self::Truncated => 10,
        }
    }
}
