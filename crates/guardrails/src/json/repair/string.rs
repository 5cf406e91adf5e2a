use super::{closing::Role, frame::Frame, quote::Quote, reader::Reader};
use crate::json::{FixKind, Refusal};

/// A string as far as it is read.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) read: String,
    /// From where on the text is not yet in `read`.
    pub(super) from: usize,
    /// Where it begins.
    start: usize,
    /// How many fixes there were before it.
    fixes: usize,
    quote: Quote,
    role: Role,
    /// Where the string would have ended if its closing quote was forgotten.
    end: Option<End>,
    /// The quotes that were taken for text.
    inner: usize,
    told: Vec<FixKind>,
}

/// A place where a string may end, and how long it is then.
#[derive(Clone, Copy, Debug)]
struct End {
    at: usize,
    length: usize,
}

impl Reader<'_> {
    /// Reads the string at the cursor.
    pub(super) fn string(&mut self, quote: Quote, role: Role) -> Result<String, Refusal> {
        let fixes = self.fixes.len();
        if !quote.standard() {
            self.fix(FixKind::Quotes, self.cursor.at)?;
        }
        self.cursor.at += quote.length;
        let from = self.cursor.at;
        let mut text = Text { read: String::new(), from, start: from, fixes, quote, role, end: None, inner: 0, told: Vec::new() };
        loop {
            let at = self.cursor.at;
            let Some(byte) = self.cursor.peek() else { return self.string_cut(text) };
            if (byte == b':' || byte == b'=') && role == Role::Key && text.end.is_none() {
                text.end = Some(End { at, length: text.read.len() + at - text.from });
            }
            match quote.closing(&self.cursor, at) {
                Some(length) if self.quote_ends(&mut text, at, length)? => return Ok(text.read),
                Some(_) => {}
                None if byte == b'\\' => self.escape(&mut text)?,
                None if byte < b' ' => {
                    if byte == b'\n' && role == Role::Key && text.end.is_some() {
                        return self.split(text);
                    }
                    self.tell(&mut text, FixKind::ControlCharacter, at)?;
                    self.cursor.at += 1;
                }
                None => self.cursor.at += if byte.is_ascii() { 1 } else { self.cursor.character(at).map_or(1, char::len_utf8) },
            }
        }
    }

    /// Decides about a quote in a string: whether the string ends, with it or before it.
    fn quote_ends(&mut self, text: &mut Text, at: usize, length: usize) -> Result<bool, Refusal> {
        let after = at + length;
        let next = self.cursor.byte(self.cursor.blank(after));
        let closes = text.quote.sure() || self.closes(text.role, after);
        let forgotten = match text.role {
            Role::Key => !self.colon_at(self.cursor.blank(after)),
            Role::Member => closes && next == Some(b':'),
            Role::Element => closes && text.inner % 2 == 1,
            Role::Root => false,
        };
        if forgotten && text.end.is_some() {
            self.take_split(text)?;
            return Ok(true);
        }
        if closes {
            text.read.push_str(&self.cursor.text[text.from..at]);
            if text.role == Role::Key && text.end.is_some() && text.read.trim_end().ends_with([':', '=']) {
                self.doubt(text.start);
            }
            self.cursor.at = after;
            return Ok(true);
        }
        self.tell(text, FixKind::InnerQuote, at)?;
        text.inner += 1;
        if text.role != Role::Key {
            text.end = self.end_before(at, text);
        }
        self.cursor.at = after;
        Ok(false)
    }

    /// Where the string would end if the quote at a place opened the next one: before a comma, or a line's end, and the brackets there.
    fn end_before(&self, at: usize, text: &Text) -> Option<End> {
        let mut end = self.spaces_before(at, text.from);
        let mut line = self.line_between(end, at);
        if end > text.from && self.cursor.byte(end - 1) == Some(b',') {
            end -= 1;
        } else if !line {
            return None;
        }
        let mut closers = end;
        loop {
            let blank = self.spaces_before(closers, text.from);
            line |= self.line_between(blank, closers);
            if line {
                end = blank;
            }
            if blank > text.from && matches!(self.cursor.byte(blank - 1), Some(b'}' | b']')) {
                closers = blank - 1;
            } else {
                return Some(End { at: end, length: text.read.len() + end - text.from });
            }
        }
    }

    fn spaces_before(&self, mut at: usize, from: usize) -> usize {
        while at > from && self.cursor.byte(at - 1).is_some_and(|byte| byte.is_ascii_whitespace()) {
            at -= 1;
        }
        at
    }

    fn split(&mut self, mut text: Text) -> Result<String, Refusal> {
        self.take_split(&mut text)?;
        Ok(text.read)
    }

    /// Ends the string where its closing quote was forgotten.
    fn take_split(&mut self, text: &mut Text) -> Result<(), Refusal> {
        let end = text.end.expect("a string is split only where it may end");
        if end.length >= text.read.len() {
            text.read.push_str(&self.cursor.text[text.from..end.at]);
        }
        text.read.truncate(end.length);
        self.cursor.at = end.at;
        // What was told of the text after it did not happen.
        let after = self.fixes[text.fixes..].iter().filter(|fix| fix.at >= end.at).count();
        self.fixes.truncate(self.fixes.len() - after);
        self.fix(FixKind::MissingQuote, end.at)
    }

    /// Ends a string where the text ends.
    fn string_cut(&mut self, mut text: Text) -> Result<String, Refusal> {
        let end = self.cursor.text.len();
        if text.role == Role::Key && text.end.is_some() {
            return self.split(text);
        }
        if let Some(closers) = self.closers_before_end(&text) {
            text.end = Some(End { at: closers, length: text.read.len() + closers - text.from });
            return self.split(text);
        }
        if text.role != Role::Key {
            self.fix(FixKind::Truncated, end)?;
        }
        text.read.push_str(&self.cursor.text[text.from..end]);
        Ok(text.read)
    }

    /// Where the brackets begin that close, at the end of the text, all that is open.
    fn closers_before_end(&self, text: &Text) -> Option<usize> {
        let mut at = self.cursor.text.len();
        for bracket in self.stack.iter().map(Frame::closer) {
            at = self.spaces_before(at, text.from);
            if at == text.from || self.cursor.byte(at - 1) != Some(bracket) {
                return None;
            }
            at -= 1;
        }
        Some(self.spaces_before(at, text.from)).filter(|_| !self.stack.is_empty() && text.role != Role::Key)
    }

    /// The place of the next piece of a string: after a `+`, or on a line of its own where no key can be meant.
    pub(super) fn piece(&self) -> Option<usize> {
        let next = self.cursor.blank(self.cursor.at);
        if self.cursor.byte(next) == Some(b'+') {
            let place = self.cursor.blank(next + 1);
            return Quote::opening(&self.cursor, place).map(|_| place);
        }
        let beside = !self.in_array()
            && self.line_between(self.cursor.at, next)
            && Quote::opening(&self.cursor, next).is_some()
            && !self.key_stands(next);
        (beside && !self.stack.is_empty()).then_some(next)
    }

    /// Tells of something once a string.
    pub(super) fn tell(&mut self, text: &mut Text, kind: FixKind, at: usize) -> Result<(), Refusal> {
        if text.told.contains(&kind) {
            return Ok(());
        }
        text.told.push(kind);
        self.fix(kind, at)
    }

    pub(super) fn double_escaped(&self, text: &Text) -> bool {
        text.quote.escaped() && self.cursor.byte(self.cursor.at + 1) == Some(b'\\')
    }
}
