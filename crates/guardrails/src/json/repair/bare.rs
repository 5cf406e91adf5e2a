//! Words without quotes: literals, numbers, calls, texts and keys.

use serde_json::Value;

use super::{
    closing::Role,
    cursor::in_word,
    frame::Frame,
    number::{self, Spelling},
    quote::Quote,
    reader::{Expect, Next, Reader},
};
use crate::json::{FixKind, Reason, Refusal};

/// Calls that stand for their only argument, and whether that is a number.
const CALLS: [(&str, bool); 8] = [
    ("ObjectId", false),
    ("ISODate", false),
    ("UUID", false),
    ("Decimal", true),
    ("NumberDecimal", true),
    ("NumberInt", true),
    ("NumberLong", true),
    ("Long", true),
];

impl Reader<'_> {
    /// A value that begins with no bracket and no quote.
    pub(super) fn bare(&mut self) -> Next {
        let at = self.cursor.at;
        let end = self.bare_end(at);
        let word = &self.cursor.text[at..end];
        if let Some(quote) = Quote::opening(&self.cursor, end).filter(|_| matches!(word, "u" | "U" | "b" | "B")) {
            self.cursor.at = end;
            return self.text(quote);
        }
        let cut = end == self.cursor.text.len();
        if !word.is_empty() && self.word_ends(end) {
            if let Some((value, kind)) = literal(word, cut && !self.stack.is_empty()) {
                return self.word(end, value, kind.filter(|_| !cut || exact(word)).or(kind.map(|_| FixKind::Truncated)));
            }
            match number::read(word, cut).map_err(|reason| self.refuse(reason))? {
                Spelling::Standard(number) => return self.number(end, number.into(), None),
                Spelling::Other(number) => return self.number(end, number.into(), Some(FixKind::Number)),
                Spelling::None => {}
            }
        }
        if cut && matches!(word, "-" | "+" | ".") && !self.stack.is_empty() {
            self.cursor.at = end;
            self.fix(FixKind::Truncated, at)?;
            return self.cut();
        }
        match self.cursor.byte(end) {
            Some(b'(') if !word.is_empty() => self.call(end),
            _ if word == "new" => Err(self.refuse(Reason::Call)),
            _ => self.unquoted(),
        }
    }

    fn bare_end(&self, mut at: usize) -> usize {
        while let Some(character) = self.cursor.character(at).filter(|&character| in_word(character) || character == '+') {
            at += character.len_utf8();
        }
        at
    }

    fn number(&mut self, end: usize, value: Value, kind: Option<FixKind>) -> Next {
        if self.role() == Role::Member && self.thousands(end) {
            return Err(Refusal { reason: Reason::AmbiguousNumber, at: self.cursor.at });
        }
        let cut = end == self.cursor.text.len() && !self.stack.is_empty();
        if cut && kind.is_some() {
            self.fix(FixKind::Number, self.cursor.at)?;
        }
        self.word(end, value, if cut { Some(FixKind::Truncated) } else { kind })
    }

    /// Whether a comma at a place goes on with digits that are no key.
    fn thousands(&self, comma: usize) -> bool {
        let digit = |at| self.cursor.byte(at).is_some_and(|byte| byte.is_ascii_digit());
        self.cursor.byte(comma) == Some(b',') && digit(comma + 1) && !self.key_stands(comma + 1)
    }

    fn word(&mut self, end: usize, value: Value, kind: Option<FixKind>) -> Next {
        let at = self.cursor.at;
        self.cursor.at = end;
        if let Some(kind) = kind {
            self.fix(kind, at)?;
        }
        self.put(value)
    }

    /// Whether a word that ends at a place is the whole value.
    fn word_ends(&self, end: usize) -> bool {
        let next = self.cursor.blank(end);
        match self.cursor.byte(next) {
            None | Some(b',' | b'}' | b']' | b')' | b';') => true,
            Some(b'#' | b'/') => {
                self.cursor.comment(next) && next > end || self.cursor.byte(next) == Some(b'/') && self.cursor.comment(next)
            }
            _ if self.line_between(end, next) => true,
            _ if next == end => false,
            Some(b'{' | b'[' | b'0'..=b'9' | b'-') => self.in_array(),
            _ => self.cursor.ellipsis(next).is_some() || Quote::opening(&self.cursor, next).is_some() || self.key_stands(next),
        }
    }

    /// A call with its name before `bracket`.
    fn call(&mut self, bracket: usize) -> Next {
        let name = &self.cursor.text[self.cursor.at..bracket];
        let known = CALLS.iter().find(|(known, _)| *known == name);
        let Some(&(_, numeric)) = known else { return Err(self.refuse(Reason::Call)) };
        self.fix(FixKind::Call, self.cursor.at)?;
        self.cursor.at = bracket;
        self.open(Frame::Call { numeric, value: None }, Expect::Value)
    }

    /// A text without quotes, or without its opening quote.
    fn unquoted(&mut self) -> Next {
        let at = self.cursor.at;
        if matches!(self.role(), Role::Root) || matches!(self.stack.last(), Some(Frame::Call { .. })) {
            return Err(self.refuse(if self.stack.is_empty() { Reason::Unexpected } else { Reason::Call }));
        }
        let (end, after, kind) = self.unquoted_end(at)?;
        let text = self.cursor.text[at..end].trim();
        if text.is_empty() {
            return Err(self.refuse(Reason::Unexpected));
        }
        let value = Value::from(text);
        self.fix(kind, at)?;
        self.cursor.at = after;
        if after == self.cursor.text.len() {
            self.fix(FixKind::Truncated, after)?;
        }
        self.put(value)
    }

    /// Where a text without quotes ends, what comes after it, and what it lacks.
    fn unquoted_end(&self, start: usize) -> Result<(usize, usize, FixKind), Refusal> {
        let role = self.role();
        let mut at = start;
        loop {
            let here = Ok((at, at, FixKind::UnquotedValue));
            let Some(byte) = self.cursor.byte(at) else { return here };
            match byte {
                b'\n' | b'}' | b']' | b';' => return here,
                b')' if self.stack.last().is_some_and(|frame| frame.closer() == b')') => return here,
                b',' if role == Role::Element || self.member_follows(at + 1) => return here,
                b'/' | b'#' if at > start && self.space_before(at) && self.cursor.comment(at) => return here,
                b'{' | b'[' => return Err(Refusal { reason: Reason::AmbiguousText, at }),
                b':' if self.cursor.space(at + 1).is_some() => return Err(Refusal { reason: Reason::AmbiguousText, at }),
                b'"' if self.key_named(at) => return here,
                b'"' if self.closes(role, at + 1) => return Ok((at, at + 1, FixKind::MissingQuote)),
                _ => at += if byte.is_ascii() { 1 } else { self.cursor.character(at).map_or(1, char::len_utf8) },
            }
        }
    }

    fn space_before(&self, at: usize) -> bool {
        at.checked_sub(1).and_then(|before| self.cursor.byte(before)).is_some_and(|byte| byte.is_ascii_whitespace())
    }

    fn key_named(&self, at: usize) -> bool {
        self.role() == Role::Member && self.space_before(at) && self.key_follows(at)
    }

    /// A key without quotes, or without its opening quote.
    pub(super) fn bare_key(&mut self) -> Result<String, Refusal> {
        let start = self.cursor.at;
        let mut at = start;
        let mut kind = FixKind::UnquotedKey;
        let end = loop {
            match self.cursor.character(at) {
                None | Some(':' | '=' | '：') => break at,
                Some(space) if space.is_whitespace() && space != '\n' => at += space.len_utf8(),
                Some(character) if in_word(character) => at += character.len_utf8(),
                Some('"' | '\'') if at > start && self.cursor.byte(self.cursor.blank(at + 1)) == Some(b':') => {
                    kind = FixKind::MissingQuote;
                    break at;
                }
                Some(',' | '}' | ']') if at > start => return Err(Refusal { reason: Reason::MissingKey, at: start }),
                Some(_) => return Err(Refusal { reason: Reason::Unexpected, at }),
            }
        };
        let key = self.cursor.text[start..end].trim_end();
        if key.is_empty() {
            return Err(self.refuse(Reason::Unexpected));
        }
        self.cursor.at = end + usize::from(kind == FixKind::MissingQuote);
        let key = key.to_owned();
        self.fix(kind, start)?;
        Ok(key)
    }
}

/// Whether a word is a literal in full.
fn exact(word: &str) -> bool {
    LITERALS.iter().any(|(known, _, _)| known.eq_ignore_ascii_case(word))
}

const LITERALS: [(&str, Option<bool>, FixKind); 8] = [
    ("true", Some(true), FixKind::Literal),
    ("false", Some(false), FixKind::Literal),
    ("null", None, FixKind::Literal),
    ("none", None, FixKind::Literal),
    ("nil", None, FixKind::Literal),
    ("undefined", None, FixKind::Literal),
    ("nan", None, FixKind::NotANumber),
    ("infinity", None, FixKind::NotANumber),
];

/// What a word stands for in JSON or in another language; `cut` says that its end may be missing.
fn literal(word: &str, cut: bool) -> Option<(Value, Option<FixKind>)> {
    match word {
        "true" => return Some((true.into(), None)),
        "false" => return Some((false.into(), None)),
        "null" => return Some((Value::Null, None)),
        _ => {}
    }
    let name = word.trim_start_matches(['-', '+']);
    let begins = |known: &str| known.len() >= name.len() && known.as_bytes()[..name.len()].eq_ignore_ascii_case(name.as_bytes());
    let fits = |known: &&(&str, _, _)| known.0.eq_ignore_ascii_case(name) || cut && !name.is_empty() && begins(known.0);
    let (known, value, kind) = LITERALS.iter().find(fits).or_else(|| LITERALS.last().filter(|_| name == "inf"))?;
    let signed = name.len() < word.len();
    (!signed || *known == "infinity").then(|| (value.map_or(Value::Null, Value::Bool), Some(*kind)))
}
