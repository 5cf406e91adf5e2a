use super::cursor::Cursor;

/// The quotes around a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quote {
    kind: Kind,
    /// The bytes of the opening quote.
    pub(super) length: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain(char),
    Curly,
    CurlySingle,
    Escaped(u8),
    Doubled(u8),
    Tripled(u8),
}

impl Quote {
    /// The quote that opens a string at a place.
    pub(super) fn opening(cursor: &Cursor<'_>, at: usize) -> Option<Self> {
        let character = cursor.character(at)?;
        let kind = match character {
            '"' | '\'' if cursor.starts(at, "\"\"\"") || cursor.starts(at, "'''") => {
                return Some(Self { kind: Kind::Tripled(character as u8), length: 3 });
            }
            '"' | '\'' if doubled(cursor, at) => return Some(Self { kind: Kind::Doubled(character as u8), length: 2 }),
            '"' | '\'' | '`' | '´' => Kind::Plain(character),
            '“' | '”' | '„' | '‟' | '«' | '»' | '＂' => Kind::Curly,
            '‘' | '’' | '‚' | '‛' => Kind::CurlySingle,
            '\\' => {
                let quote = cursor.byte(at + 1).filter(|quote| matches!(quote, b'"' | b'\''))?;
                return Some(Self { kind: Kind::Escaped(quote), length: 2 });
            }
            _ => return None,
        };
        Some(Self { kind, length: character.len_utf8() })
    }

    /// The length of a quote at a place that may close the string.
    pub(super) fn closing(self, cursor: &Cursor<'_>, at: usize) -> Option<usize> {
        let character = cursor.character(at)?;
        let fits = match self.kind {
            Kind::Plain('`') => matches!(character, '`' | '\''),
            Kind::Plain('´') => matches!(character, '´' | '\''),
            Kind::Plain(quote) => character == quote,
            Kind::Curly => matches!(character, '”' | '“' | '„' | '‟' | '«' | '»' | '＂' | '"'),
            Kind::CurlySingle => matches!(character, '’' | '‘' | '‚' | '‛' | '\''),
            Kind::Escaped(quote) => return (character == '\\' && cursor.byte(at + 1) == Some(quote)).then_some(2),
            Kind::Doubled(quote) => return (0..2).all(|dot| cursor.byte(at + dot) == Some(quote)).then_some(2),
            Kind::Tripled(quote) => return (0..3).all(|dot| cursor.byte(at + dot) == Some(quote)).then_some(3),
        };
        fits.then_some(character.len_utf8())
    }

    /// The quotes of JSON.
    pub(super) fn standard(self) -> bool {
        self.kind == Kind::Plain('"')
    }

    /// Whether the string stands in a text whose quotes and backslashes are escaped once more.
    pub(super) fn escaped(self) -> bool {
        matches!(self.kind, Kind::Escaped(_))
    }

    /// Whether nothing but itself can close it.
    pub(super) fn sure(self) -> bool {
        matches!(self.kind, Kind::Tripled(_))
    }
}

/// Whether a string in doubled quotes begins at a place, and not an empty one: a word follows, and the next quotes are two.
fn doubled(cursor: &Cursor<'_>, at: usize) -> bool {
    let quote = cursor.byte(at);
    if cursor.byte(at + 1) != quote || !cursor.character(at + 2).is_some_and(char::is_alphanumeric) {
        return false;
    }
    let next = (at + 2..at + 2 + LOOK).find(|&place| cursor.byte(place) == quote);
    next.is_some_and(|next| cursor.byte(next + 1) == quote)
}

/// How far the end of a string in doubled quotes is looked for.
const LOOK: usize = 128;
