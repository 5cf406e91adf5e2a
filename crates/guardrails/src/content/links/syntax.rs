use std::ops::Range;

use super::tag;
use crate::scan::boundary_before;

/// The longest address that is read.
pub(super) const LONGEST_URL: usize = 2048;
/// The longest text that a link shows.
const LONGEST_LABEL: usize = 512;
/// How far a link can reach: what it shows, its address, a title, and the marks between.
pub(super) const REACH: usize = 4096;

/// A link as it stands in a text; places count from its start.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) form: Form,
    pub(super) end: usize,
    /// The addresses in it.
    pub(super) targets: Vec<Range<usize>>,
    /// What is left of it when the addresses go.
    pub(super) shown: Range<usize>,
    /// Whether a page loads it unasked.
    pub(super) loads: bool,
    /// Whether the address goes on after `end`.
    pub(super) overlong: bool,
}

impl Link {
    /// A link that shows the text at `shown`, and is loaded.
    pub(super) fn marked(end: usize, targets: Vec<Range<usize>>, shown: Range<usize>) -> Self {
        Self { form: Form::Marked, end, targets, shown, loads: true, overlong: false }
    }

    /// An address that shows itself.
    pub(super) fn bare(end: usize, target: Range<usize>) -> Self {
        Self { form: Form::Bare, loads: false, ..Self::marked(end, Vec::from([target]), 0..0) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// It shows something else than its address.
    Marked,
    /// It shows its address.
    Bare,
}

pub(super) enum Step {
    /// More text is needed to tell.
    Wait,
    Nothing,
    Found(Link),
}

/// Text from a place where a link may begin, of which no more than [`REACH`] bytes are looked at.
#[derive(Clone, Copy)]
pub(super) struct Ahead<'a> {
    pub(super) text: &'a str,
    /// Whether there is no more to come that would be looked at.
    whole: bool,
}

impl Ahead<'_> {
    /// What the end of the text means where more was hoped for.
    pub(super) fn at_the_end(self) -> Step {
        if self.whole { Step::Nothing } else { Step::Wait }
    }

    fn byte(self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }
}

/// Reads the link that begins at the start of `text`, if one does.
pub(super) fn read(text: &str, ended: bool) -> Step {
    let ahead = Ahead { text: &text[..boundary_before(text, REACH)], whole: ended || text.len() >= REACH };
    match text.as_bytes() {
        [b'!', b'[', ..] => labelled(ahead, 2),
        [b'[', ..] => labelled(ahead, 1),
        [b']', ..] => {
            let shown = 0..1;
            destination(ahead, 2, |end, target, overlong| Link { overlong, ..Link::marked(end, vec![target], shown) })
        }
        [b'<', ..] => tag::read(ahead),
        _ => bare(ahead),
    }
}

/// `[label](address "title")`, `![label](address)` and `[label]: address`, whose label begins at `from`.
fn labelled(ahead: Ahead<'_>, from: usize) -> Step {
    let bytes = ahead.text.as_bytes();
    let limit = bytes.len().min(from + LONGEST_LABEL);
    let Some(close) = (from..limit).find(|&at| matches!(bytes[at], b'[' | b']')) else {
        return if limit == from + LONGEST_LABEL { Step::Nothing } else { ahead.at_the_end() };
    };
    // What is nested begins a link of its own.
    if bytes[close] == b'[' {
        return Step::Nothing;
    }
    match ahead.byte(close + 1) {
        None => ahead.at_the_end(),
        Some(b'(') => destination(ahead, close + 2, |end, target, overlong| Link {
            loads: from == 2,
            overlong,
            ..Link::marked(end, vec![target], from..close)
        }),
        Some(b':') => definition(ahead, close + 2),
        Some(_) => Step::Nothing,
    }
}

/// The address of a link, from behind its opening parenthesis to the closing one.
fn destination(ahead: Ahead<'_>, from: usize, link: impl FnOnce(usize, Range<usize>, bool) -> Link) -> Step {
    let (target, after) = match address(ahead, from) {
        Address::Unfinished => return ahead.at_the_end(),
        Address::Overlong(target) => return Step::Found(link(target.end, target, true)),
        Address::Of(target, after) => (target, after),
    };
    let bytes = ahead.text.as_bytes();
    let mut at = after;
    let mut quote = None;
    // A title may follow, and nothing else.
    while let Some(&byte) = bytes.get(at) {
        match (byte, quote) {
            (b')', None) => return Step::Found(link(at + 1, target, false)),
            (byte, Some(open)) if byte == open => quote = None,
            (b'"' | b'\'', None) => quote = Some(byte),
            (byte, None) if !byte.is_ascii_whitespace() => return Step::Nothing,
            _ => {}
        }
        if at > after + LONGEST_LABEL {
            return Step::Nothing;
        }
        at += 1;
    }
    ahead.at_the_end()
}

/// `[label]: address`, which links and images elsewhere in the text mean.
fn definition(ahead: Ahead<'_>, from: usize) -> Step {
    let link = |end, target, overlong| Link { overlong, ..Link::marked(end, vec![target], 0..0) };
    match address(ahead, from) {
        Address::Unfinished if ahead.whole && from < ahead.text.len() => {
            let start = from + ahead.text[from..].len() - ahead.text[from..].trim_start().len();
            let target = start..ahead.text.len();
            Step::Found(link(target.end, target, false))
        }
        Address::Unfinished => ahead.at_the_end(),
        Address::Overlong(target) => Step::Found(link(target.end, target, true)),
        Address::Of(target, after) => Step::Found(link(after, target, false)),
    }
}

enum Address {
    Unfinished,
    /// Its place, and what follows it.
    Of(Range<usize>, usize),
    Overlong(Range<usize>),
}

/// An address of Markdown: in angle brackets, or up to a space or a parenthesis that closes more than was opened.
fn address(ahead: Ahead<'_>, from: usize) -> Address {
    let bytes = ahead.text.as_bytes();
    let Some(start) = (from..bytes.len()).find(|&at| !bytes[at].is_ascii_whitespace()) else { return Address::Unfinished };
    let limit = bytes.len().min(start + LONGEST_URL + 1);
    let overlong = || Address::Overlong(start..boundary_before(ahead.text, start + LONGEST_URL));
    if bytes[start] == b'<' {
        return match (start..limit).find(|&at| matches!(bytes[at], b'>' | b'\n')) {
            Some(end) => Address::Of(start + 1..end, end + usize::from(bytes[end] == b'>')),
            None if limit == start + LONGEST_URL + 1 => overlong(),
            None => Address::Unfinished,
        };
    }
    let mut open = 0_usize;
    for (at, &byte) in bytes.iter().enumerate().take(limit).skip(start) {
        match byte {
            b'(' => open += 1,
            b')' if open == 0 => return Address::Of(start..at, at),
            b')' => open -= 1,
            byte if byte.is_ascii_whitespace() => return Address::Of(start..at, at),
            _ => {}
        }
    }
    if limit == start + LONGEST_URL + 1 { overlong() } else { Address::Unfinished }
}

/// An address without marks around it, up to a space or a character that none holds.
fn bare(ahead: Ahead<'_>) -> Step {
    let ends = |character: char| {
        character.is_whitespace() || character.is_control() || matches!(character, '<' | '>' | '"' | '`' | '|' | '{' | '}' | '[' | ']')
    };
    let (mut open, mut in_brackets) = (0_i32, false);
    let end = ahead.text.char_indices().find(|&(at, character)| {
        open += i32::from(character == '(') - i32::from(character == ')');
        // Addresses of IPv6 stand in brackets, and nothing else does.
        let opens = character == '[' && ahead.text[..at].ends_with("//");
        let closes = character == ']' && in_brackets;
        in_brackets = opens || (in_brackets && !closes);
        open < 0 || at > LONGEST_URL || (ends(character) && !opens && !closes)
    });
    let end = match end {
        None if !ahead.whole => return Step::Wait,
        None => ahead.text.len(),
        Some((at, _)) => at.min(boundary_before(ahead.text, LONGEST_URL)),
    };
    let overlong = end > LONGEST_URL - 4 && ahead.text[end..].chars().next().is_some_and(|character| !ends(character));
    let end = ahead.text[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*', '_', '~']).len();
    if !is_address(&ahead.text[..end]) {
        return Step::Nothing;
    }
    Step::Found(Link { overlong, ..Link::bare(end, 0..end) })
}

/// Whether something follows what an address begins with. `data:` and `javascript:` are words of prose too.
fn is_address(text: &str) -> bool {
    let lower = text.get(..12).unwrap_or(text).to_ascii_lowercase();
    if let Some(scheme) = ["javascript:", "vbscript:"].iter().find(|scheme| lower.starts_with(**scheme)) {
        return text.len() > scheme.len();
    }
    if lower.starts_with("data:") {
        let head = text[5..].split(',').next().unwrap_or_default();
        return text.len() > 5 + head.len() && (head.is_empty() || head.contains(['/', ';']));
    }
    let name = match (lower.starts_with("www."), text.split_once("://")) {
        (true, _) => &text[4..],
        (false, Some((_, rest))) => rest,
        (false, None) => text.split_once(":/").map_or("", |(_, rest)| rest),
    };
    name.starts_with(|character: char| character.is_alphanumeric() || matches!(character, '[' | '/' | '\\' | '%' | '@'))
}
