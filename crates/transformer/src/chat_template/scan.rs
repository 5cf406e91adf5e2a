//! Finding the tags of a template, and their tokens.
//!
//! Reads as the engine does, or stricter: what is doubtful is refused here, so that no tag can mean one thing to
//! [`guard`](super::guard) and another to the engine.

use std::ops::Range;

/// Brackets in brackets; published templates have four.
const MAX_BRACKETS: usize = 12;

/// `{{ ... }}` or `{% ... %}`.
#[derive(Debug)]
pub(super) struct Tag<'s> {
    /// Where it stands, from its first brace to behind its last.
    pub(super) span: Range<usize>,
    /// `{%`.
    pub(super) block: bool,
    pub(super) tokens: Vec<Token<'s>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'s> {
    pub(super) text: &'s str,
    /// Byte offset in the source.
    pub(super) start: usize,
    pub(super) kind: Kind,
}

impl Token<'_> {
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Keywords too.
    Name,
    /// A number or a string.
    Literal,
    /// An opening bracket, and which token closes it.
    Open(usize),
    /// A closing bracket.
    Close,
    /// An operator or a separator.
    Symbol,
}

/// What cannot be read, and its byte offset.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) offset: usize,
    pub(super) what: &'static str,
}

type Result<T, E = Unreadable> = std::result::Result<T, E>;

/// The first tag at or after `from`; comments and raw blocks hold none.
pub(super) fn next_tag(source: &str, from: usize) -> Result<Option<Tag<'_>>> {
    let mut at = from;
    while let Some((start, marker)) = find_marker(source, at) {
        let body = &source[start + 2..];
        if marker == b'#' {
            at = start + 2 + close_of(start, body.find("#}").map(|end| end + 2))?;
        } else if let Some(raw) = plain_tag(body, "raw").filter(|_| marker == b'%') {
            at = start + 2 + raw;
            at += close_of(start, end_of_raw(&source[at..]))?;
        } else {
            return Lexer::new(source, start, marker).tag().map(Some);
        }
    }
    Ok(None)
}

/// Tokens of a range that stand in no bracket of it; of a bracket, the opening one.
pub(super) fn outermost(tokens: &[Token<'_>], range: Range<usize>) -> impl Iterator<Item = usize> {
    let mut next = range.start;
    std::iter::from_fn(move || {
        let at = next;
        next = match tokens.get(at)?.kind {
            Kind::Open(close) => close + 1,
            _ => at + 1,
        };
        (at < range.end).then_some(at)
    })
}

fn close_of(start: usize, close: Option<usize>) -> Result<usize> {
    close.ok_or(Unreadable { offset: start, what: "what begins here is not closed" })
}

fn find_marker(source: &str, from: usize) -> Option<(usize, u8)> {
    let bytes = source.as_bytes();
    let starts = source[from..].match_indices('{').map(|(offset, _)| from + offset);
    starts.filter_map(|start| Some((start, *bytes.get(start + 1)?))).find(|(_, marker)| b"{%#".contains(marker))
}

/// Length of the rest of a tag that is only `name`, behind its `{%`.
fn plain_tag(body: &str, name: &str) -> Option<usize> {
    let blank = |text: &'_ str| text.len() - text.trim_ascii_start().len();
    let mut length = usize::from(body.starts_with(['-', '+']));
    length += blank(&body[length..]);
    length += body[length..].starts_with(name).then_some(name.len())?;
    length += blank(&body[length..]);
    length += usize::from(body[length..].starts_with(['-', '+']));
    body[length..].starts_with("%}").then_some(length + 2)
}

fn end_of_raw(text: &str) -> Option<usize> {
    text.match_indices("{%").find_map(|(offset, _)| Some(offset + 2 + plain_tag(&text[offset + 2..], "endraw")?))
}

struct Lexer<'s> {
    source: &'s str,
    start: usize,
    block: bool,
    at: usize,
    tokens: Vec<Token<'s>>,
    open: Vec<usize>,
}

impl<'s> Lexer<'s> {
    fn new(source: &'s str, start: usize, marker: u8) -> Self {
        let control = usize::from(source[start + 2..].starts_with(['-', '+']));
        Self { source, start, block: marker == b'%', at: start + 2 + control, tokens: Vec::new(), open: Vec::new() }
    }

    fn tag(mut self) -> Result<Tag<'s>> {
        loop {
            self.at = self.source.len() - self.rest().trim_ascii_start().len();
            if let Some(length) = self.closing() {
                return Ok(Tag { span: self.start..self.at + length, block: self.block, tokens: self.tokens });
            }
            self.token()?;
        }
    }

    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    fn fail<T>(&self, what: &'static str) -> Result<T> {
        Err(Unreadable { offset: self.at, what })
    }

    /// Length of the end of the tag, where it stands here and no bracket is open.
    fn closing(&self) -> Option<usize> {
        let control = usize::from(self.rest().starts_with(['-', '+']));
        let close = if self.block { "%}" } else { "}}" };
        (self.open.is_empty() && self.rest()[control..].starts_with(close)).then_some(control + 2)
    }

    fn token(&mut self) -> Result<()> {
        let Some(&first) = self.rest().as_bytes().first() else {
            return Err(Unreadable { offset: self.start, what: "the tag that begins here is not closed" });
        };
        let (length, kind) = match first {
            b'\'' | b'"' => (self.string(first)?, Kind::Literal),
            b'0'..=b'9' => (self.number()?, Kind::Literal),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => (run_of_name(self.rest()), Kind::Name),
            b'(' | b'[' | b'{' => (1, Kind::Open(usize::MAX)),
            b')' | b']' | b'}' => (1, Kind::Close),
            _ => (self.symbol()?, Kind::Symbol),
        };
        self.balance(kind, first)?;
        self.tokens.push(Token { text: &self.rest()[..length], start: self.at, kind });
        self.at += length;
        Ok(())
    }

    fn balance(&mut self, kind: Kind, bracket: u8) -> Result<()> {
        match kind {
            Kind::Open(_) if self.open.len() == MAX_BRACKETS => return self.fail("brackets are nested too deeply"),
            Kind::Open(_) => self.open.push(self.tokens.len()),
            Kind::Close => {
                let close = self.tokens.len();
                match self.open.pop().map(|open| &mut self.tokens[open]) {
                    Some(token) if matches!((token.text, bracket), ("(", b')') | ("[", b']') | ("{", b'}')) => {
                        token.kind = Kind::Open(close);
                    }
                    _ => return self.fail("this bracket closes none"),
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn string(&self, quote: u8) -> Result<usize> {
        let mut escaped = false;
        for (offset, &byte) in self.rest().as_bytes().iter().enumerate().skip(1) {
            if byte == quote && !escaped {
                return Ok(offset + 1);
            }
            escaped = byte == b'\\' && !escaped;
        }
        self.fail("the string that begins here is not closed")
    }

    fn number(&self) -> Result<usize> {
        let bytes = self.rest().as_bytes();
        let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        let run = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'_').count();
        let radix = bytes.first() == Some(&b'0') && bytes.get(1).is_some_and(|byte| b"xXoObB".contains(byte));
        // `row.0.name`: what follows a dot is an index.
        let index = self.source[..self.at].ends_with('.');
        let mut length = if radix { 2 + run_of_name(&self.rest()[2..]) } else { run(0) };
        if !index && !radix && bytes.get(length) == Some(&b'.') && digit(length + 1) {
            length += 1 + run(length + 1);
        }
        if !radix && matches!(bytes.get(length), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
            length += if digit(length + 1 + sign) { 1 + sign + run(length + 1 + sign) } else { 0 };
        }
        let next = bytes.get(length).copied().unwrap_or(b' ');
        let runs_on = next.is_ascii_alphanumeric() || next == b'_' || (next == b'.' && !index);
        if runs_on { self.fail("the number that begins here runs into something else") } else { Ok(length) }
    }

    fn symbol(&self) -> Result<usize> {
        let rest = self.rest();
        if ["**", "//", "==", "!=", "<=", ">="].iter().any(|symbol| rest.starts_with(symbol)) {
            return Ok(2);
        }
        if rest.starts_with(['+', '-', '*', '/', '%', '.', ',', ':', '~', '|', '=', '<', '>']) {
            return Ok(1);
        }
        self.fail("this character has no meaning inside of a tag")
    }
}

fn run_of_name(text: &str) -> usize {
    text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<Vec<&str>> {
        let mut tags = Vec::new();
        let mut at = 0;
        while let Some(tag) = next_tag(source, at).unwrap() {
            at = tag.span.end;
            tags.push(tag.tokens.iter().map(|token| token.text).collect());
        }
        tags
    }

    #[test]
    fn tags_are_found_among_braces_comments_and_raw_text() {
        let source = "{ {x} {# {{ a }} #}{{- b -}}{%+ raw -%}{{ c }}{% endraw %}{% if d|e('}}') +%}{{ {'f': {}} }}{#-#}{";
        assert_eq!(texts(source), [vec!["b"], vec!["if", "d", "|", "e", "(", "'}}'", ")"], vec!["{", "'f'", ":", "{", "}", "}"]]);
    }

    #[test]
    fn numbers_end_where_the_engine_ends_them() {
        assert_eq!(texts("{{ 1.5e-3*row.0.1+0x1e+5 }}"), [["1.5e-3", "*", "row", ".", "0", ".", "1", "+", "0x1e", "+", "5"]]);
        assert_eq!(texts(r#"{{ "a\"b" ~ 'c\\' }}"#), [[r#""a\"b""#, "~", r"'c\\'"]]);
        for doubtful in ["{{ 1if x else [y] }}", "{{ 1.x }}", "{{ 1. }}", "{{ 2else }}", "{{ ä }}", "{{ a ! b }}"] {
            assert!(next_tag(doubtful, 0).is_err(), "{doubtful}");
        }
    }

    #[test]
    fn what_is_not_closed_is_refused_where_it_begins() {
        for (source, offset) in [("ab{{ c", 2), ("{# x", 0), ("{% raw %}{% endraw", 0), ("a{{ ')}}", 4), ("{{ (a] }}", 5), ("{{ a) }}", 4)]
        {
            assert_eq!(next_tag(source, 0).unwrap_err().offset, offset, "{source}");
        }
    }
}
