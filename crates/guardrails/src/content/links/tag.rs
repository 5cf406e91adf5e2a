use std::ops::Range;

use super::syntax::{Ahead, LONGEST_URL, Link, Step};
use crate::scan::boundary_before;

/// Attributes that hold addresses.
const ADDRESSES: [&str; 14] = [
    "src",
    "href",
    "srcset",
    "action",
    "formaction",
    "data",
    "poster",
    "background",
    "xlink:href",
    "ping",
    "lowsrc",
    "style",
    "content",
    "code",
];
/// Tags whose addresses wait for a click.
const CLICKED: [&str; 4] = ["a", "area", "form", "button"];

/// `<scheme:address>`, or a tag of HTML with addresses among its attributes.
pub(super) fn read(ahead: Ahead<'_>) -> Step {
    let bytes = ahead.text.as_bytes();
    match bytes.get(1) {
        None => return ahead.at_the_end(),
        Some(byte) if !byte.is_ascii_alphabetic() => return Step::Nothing,
        Some(_) => {}
    }
    match close(bytes) {
        Close::At(end) => tag(ahead.text, end),
        Close::Never => Step::Nothing,
        Close::Beyond => match ahead.at_the_end() {
            Step::Wait => Step::Wait,
            _ if bytes.len() > LONGEST_URL => overlong(ahead.text),
            _ => Step::Nothing,
        },
    }
}

enum Close {
    At(usize),
    Never,
    Beyond,
}

/// Where a tag ends: at a `>` that stands in no quotes.
fn close(bytes: &[u8]) -> Close {
    let mut quote = None;
    let mut before = b' ';
    for (at, &byte) in bytes.iter().enumerate().skip(1) {
        match (byte, quote) {
            (b'>', None) => return Close::At(at),
            (b'<', None) => return Close::Never,
            (byte, Some(open)) if byte == open => quote = None,
            (b'"' | b'\'', None) if before == b'=' => quote = Some(byte),
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            before = byte;
        }
    }
    Close::Beyond
}

fn tag(text: &str, end: usize) -> Step {
    let inner = &text[1..end];
    let name_end =
        inner.find(|character: char| !(character.is_ascii_alphanumeric() || matches!(character, '+' | '.' | '-'))).unwrap_or(inner.len());
    if inner[name_end..].starts_with(':') {
        if inner.contains(char::is_whitespace) {
            return Step::Nothing;
        }
        return Step::Found(Link::bare(end + 1, 1..end));
    }
    let targets = addresses(text, 1 + name_end, end);
    if targets.is_empty() {
        return Step::Nothing;
    }
    let loads = !CLICKED.contains(&inner[..name_end].to_ascii_lowercase().as_str());
    Step::Found(Link { loads, ..Link::marked(end + 1, targets, 0..0) })
}

/// A tag that does not end where an address would have to: what can be seen of it is one.
fn overlong(text: &str) -> Step {
    let end = boundary_before(text, LONGEST_URL);
    let targets = addresses(text, 1, end);
    if targets.is_empty() {
        return Step::Nothing;
    }
    Step::Found(Link { overlong: true, ..Link::marked(end, targets, 0..0) })
}

/// The addresses in the attributes that stand between two places.
fn addresses(text: &str, from: usize, to: usize) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = from;
    while let Some(equals) = text[at..to].find('=').map(|equals| at + equals) {
        let name = text[at..equals].trim_end().rsplit([' ', '\t', '\n', '\r', '/', '\x0c']).next().unwrap_or_default();
        let value = value(text, equals + 1, to);
        at = (value.end + 1).min(to);
        while !text.is_char_boundary(at) {
            at += 1;
        }
        match name.to_ascii_lowercase().as_str() {
            "srcset" | "ping" => found.extend(parts(text, value)),
            "style" | "content" => found.extend(inside(text, value)),
            name if ADDRESSES.contains(&name) => found.push(value),
            _ => {}
        }
    }
    found
}

/// The value that begins at or after `from`, without its quotes.
fn value(text: &str, from: usize, to: usize) -> Range<usize> {
    let start = to - text[from..to].trim_start().len();
    let rest = &text[start..to];
    match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => start + 1..rest[1..].find(quote).map_or(to, |end| start + 1 + end),
        _ => start..rest.find(char::is_whitespace).map_or(to, |end| start + end),
    }
}

/// The addresses of a list of them.
fn parts(text: &str, value: Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = value.start;
    for part in text[value].split([',', ' ', '\n', '\t']) {
        if part.contains(['/', ':', '\\']) {
            found.push(at..at + part.len());
        }
        at += part.len() + 1;
    }
    found
}

/// The addresses of `url(...)` in a style, and of `url=...` in what a page is told to do next.
fn inside(text: &str, value: Range<usize>) -> Vec<Range<usize>> {
    let lower = text[value.clone()].to_ascii_lowercase();
    let starts = lower.match_indices("url").map(|(at, _)| at + 3);
    let found = starts.filter_map(|from| {
        let open = lower[from..].trim_start();
        let rest = open.strip_prefix(['(', '='])?.trim_start_matches([' ', '"', '\'']);
        let start = value.start + lower.len() - rest.len();
        Some(start..start + rest.find([')', '"', '\'', ' ']).unwrap_or(rest.len()))
    });
    found.collect()
}
