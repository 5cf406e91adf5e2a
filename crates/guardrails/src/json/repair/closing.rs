//! Whether a quote closes its string: told by what follows, as far as a few bytes can tell.

use super::{cursor::in_word, frame::Frame, quote::Quote, reader::Reader};

/// What a string is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The document.
    Root,
    Key,
    /// The value of a member.
    Member,
    /// A value in an array.
    Element,
}

/// How far a key is looked for. Each quote looks so far at most, which keeps the reading linear.
const LOOK: usize = 128;

impl Reader<'_> {
    /// Whether a quote that ends before `after` closes a string.
    pub(super) fn closes(&self, role: Role, after: usize) -> bool {
        let next = self.cursor.blank(after);
        let Some(byte) = self.cursor.byte(next) else { return true };
        if matches!(byte, b'/' | b'#') && self.cursor.comment(next) {
            return next > after || byte == b'/';
        }
        if byte == b'+' {
            return Quote::opening(&self.cursor, self.cursor.blank(next + 1)).is_some();
        }
        match role {
            Role::Root => self.root_ends(byte, after, next),
            // Between braces, a string with no colon is no key: that is for the colon to refuse.
            Role::Key => self.colon_at(next) || matches!(byte, b',' | b'}') || self.value_starts(next),
            Role::Member => self.member_ends(byte, after, next),
            Role::Element => self.element_ends(byte, after, next),
        }
    }

    fn root_ends(&self, byte: u8, after: usize, next: usize) -> bool {
        byte == b':' || self.line_between(after, next) && Quote::opening(&self.cursor, next).is_some()
    }

    fn member_ends(&self, byte: u8, after: usize, next: usize) -> bool {
        match byte {
            b'}' => self.closer_stands(next),
            b']' => self.closer_stands(next) && (next > after || self.holds(Frame::is_array)),
            b',' | b';' => self.member_follows(next + 1),
            b':' => true,
            b'{' => self.holds(Frame::is_array) && self.line_between(after, next),
            _ if self.key_follows(next) => true,
            _ if Quote::opening(&self.cursor, next).is_some() => self.line_between(after, next),
            _ => self.line_between(after, next) && self.word_key(next),
        }
    }

    fn element_ends(&self, byte: u8, after: usize, next: usize) -> bool {
        match byte {
            b']' | b')' => self.closer_stands(next),
            b'}' => self.closer_stands(next) && self.holds(Frame::is_object),
            b',' | b';' => self.element_follows(next + 1),
            b'{' | b'[' => true,
            b':' => self.holds(Frame::is_object),
            b'0'..=b'9' | b'-' => next > after,
            _ => self.cursor.ellipsis(next).is_some() || Quote::opening(&self.cursor, next).is_some(),
        }
    }

    /// Whether the bracket at a place closes something, and is not part of a sentence.
    fn closer_stands(&self, at: usize) -> bool {
        let next = self.cursor.blank(at + 1);
        self.stack.len() <= 1
            || self.line_between(at + 1, next)
            || self.cursor.comment(next)
            || Quote::opening(&self.cursor, next).is_some()
            || matches!(self.cursor.byte(next), None | Some(b',' | b'}' | b']' | b')' | b'{' | b'[' | b';'))
    }

    /// Whether what stands after a comma can be the next member, or the end of the object.
    pub(super) fn member_follows(&self, at: usize) -> bool {
        let next = self.cursor.blank(at);
        match self.cursor.byte(next) {
            None | Some(b'}' | b']' | b',') => true,
            Some(b'{') => self.holds(Frame::is_array),
            _ => self.cursor.comment(next) || self.cursor.ellipsis(next).is_some() || self.key_follows(next) || self.word_key(next),
        }
    }

    /// Whether what stands after a comma can be the next element, or the end of the array.
    pub(super) fn element_follows(&self, at: usize) -> bool {
        let next = self.cursor.blank(at);
        match self.cursor.byte(next) {
            None | Some(b'{' | b'[' | b'(' | b'}' | b']' | b')' | b',' | b'0'..=b'9' | b'-' | b'+' | b'.') => true,
            _ if self.cursor.comment(next) || self.cursor.ellipsis(next).is_some() => true,
            _ if Quote::opening(&self.cursor, next).is_some() => true,
            _ => {
                let end = self.word_end(next);
                end > next && matches!(self.cursor.byte(self.cursor.blank(end)), None | Some(b',' | b']' | b')'))
            }
        }
    }

    /// Whether a comma at a place is followed by a key in quotes and its colon.
    pub(super) fn named_follows(&self, at: usize) -> bool {
        let comma = self.cursor.blank(at);
        self.cursor.byte(comma) == Some(b',') && {
            let next = self.cursor.blank(comma + 1);
            self.quoted(next).is_some_and(|end| self.cursor.byte(self.cursor.blank(end)) == Some(b':'))
        }
    }

    /// Whether a key can stand at a place where no comma was.
    pub(super) fn key_stands(&self, at: usize) -> bool {
        self.key_follows(at) || self.word_key(at)
    }

    /// Whether a key in quotes stands at a place: followed by a colon or by a value, cut off, or without its closing quote.
    pub(super) fn key_follows(&self, at: usize) -> bool {
        let Some(quote) = Quote::opening(&self.cursor, at) else { return false };
        let Some(end) = self.quoted(at) else { return self.word_key(at + quote.length) || self.runs_long(at) };
        let next = self.cursor.blank(end);
        self.cursor.byte(next).is_none() || self.colon_at(next) || self.value_starts(next) && next > end || self.word_key(at + quote.length)
    }

    /// Whether a colon stands at a place, or a sign that is used for it.
    pub(super) fn colon_at(&self, at: usize) -> bool {
        matches!(self.cursor.byte(at), Some(b':' | b'=')) || self.cursor.starts(at, "：")
    }

    /// Whether the string at a place goes further than is looked.
    fn runs_long(&self, at: usize) -> bool {
        (at..at + LOOK).all(|place| self.cursor.byte(place) != Some(b'\n'))
    }

    /// Where the string that begins at a place ends at the first quote that can close it.
    fn quoted(&self, at: usize) -> Option<usize> {
        let quote = Quote::opening(&self.cursor, at)?;
        let mut place = at + quote.length;
        while place < at + LOOK {
            if let Some(length) = quote.closing(&self.cursor, place) {
                return Some(place + length);
            }
            place += match self.cursor.byte(place) {
                None | Some(b'\n') => return None,
                Some(b'\\') => 1 + usize::from(self.cursor.byte(place + 1).is_some_and(|byte| byte.is_ascii())),
                Some(_) => self.cursor.character(place).map_or(1, char::len_utf8),
            };
        }
        None
    }

    /// Whether a key without quotes, or without its opening quote, stands at a place with a colon.
    pub(super) fn word_key(&self, at: usize) -> bool {
        let end = self.word_end(at);
        let mut next = self.cursor.blank(end);
        if let Some(quote) = Quote::opening(&self.cursor, next) {
            next = self.cursor.blank(next + quote.length);
        }
        end > at && (self.cursor.byte(next) == Some(b':') && self.cursor.byte(next + 1) != Some(b'/'))
    }

    /// The end of the word at a place, looking so far and no further.
    fn word_end(&self, at: usize) -> usize {
        let mut end = at;
        while end < at + LOOK
            && let Some(character) = self.cursor.character(end).filter(|&character| in_word(character))
        {
            end += character.len_utf8();
        }
        end
    }

    /// Whether a value begins at a place in a way that words do not.
    fn value_starts(&self, at: usize) -> bool {
        match self.cursor.byte(at) {
            Some(b'{' | b'[' | b'-' | b'0'..=b'9') => true,
            Some(b'a'..=b'z' | b'A'..=b'Z') => {
                let end = self.word_end(at);
                matches!(&self.cursor.text[at..end], "true" | "false" | "null" | "True" | "False" | "None")
            }
            _ => Quote::opening(&self.cursor, at).is_some(),
        }
    }

    /// Whether a line ends between two places.
    pub(super) fn line_between(&self, from: usize, to: usize) -> bool {
        (from..to).any(|at| self.cursor.byte(at) == Some(b'\n'))
    }
}
