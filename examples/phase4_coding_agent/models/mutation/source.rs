use std::ops::Range;

use crate::tasks::Language;

/// What a piece of a program is, as far as small changes need to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Number,
    Sign,
}

/// A piece of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) at: Range<usize>,
    /// From 1.
    pub(super) line: usize,
}

/// Signs of more than one character, longest first.
const SIGNS: [&str; 24] = [
    "..=", "**=", "//=", "<<=", ">>=", "...", "->", "=>", "::", "==", "!=", "<=", ">=", "&&", "||", "+=", "-=", "*=", "/=", "%=", "**",
    "//", "..", ":=",
];

/// The words, numbers and signs of `text`; strings, characters and comments are passed over.
pub(super) fn tokens(text: &str, language: Language) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    let mut line = 1;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (length, kind) = if let Some(length) = skipped(rest, language) {
            (length, None)
        } else if first.is_alphabetic() || first == '_' {
            (run(rest, |c| c.is_alphanumeric() || c == '_'), Some(Kind::Word))
        } else if first.is_ascii_digit() {
            (number(rest), Some(Kind::Number))
        } else {
            (sign(rest, language).unwrap_or(first.len_utf8()), Some(Kind::Sign))
        };
        if let Some(kind) = kind {
            tokens.push(Token { kind, at: at..at + length, line });
        }
        line += text[at..at + length].matches('\n').count();
        at += length;
    }
    tokens
}

/// The length of a space, a comment, a string or a character that `rest` begins with.
fn skipped(rest: &str, language: Language) -> Option<usize> {
    let spaces = run(rest, char::is_whitespace);
    if spaces > 0 {
        return Some(spaces);
    }
    match language {
        Language::Python if rest.starts_with('#') => Some(line(rest)),
        Language::Python => ["\"\"\"", "'''", "\"", "'"].into_iter().find_map(|quote| quoted(rest, quote)),
        Language::Rust if rest.starts_with("//") => Some(line(rest)),
        Language::Rust if rest.starts_with("/*") => Some(rest.find("*/").map_or(rest.len(), |end| end + 2)),
        Language::Rust if rest.starts_with("r#\"") => Some(rest.find("\"#").map_or(rest.len(), |end| end + 2)),
        Language::Rust => quoted(rest, "\"").or_else(|| character(rest)),
    }
}

fn line(rest: &str) -> usize {
    rest.find('\n').unwrap_or(rest.len())
}

fn run(rest: &str, holds: impl Fn(char) -> bool) -> usize {
    rest.find(|c| !holds(c)).unwrap_or(rest.len())
}

fn quoted(rest: &str, quote: &str) -> Option<usize> {
    let inside = rest.strip_prefix(quote)?;
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        if !escaped && inside[at..].starts_with(quote) {
            return Some(at + 2 * quote.len());
        }
        escaped = c == '\\' && !escaped;
    }
    Some(rest.len())
}

/// A character of Rust, which a lifetime is not.
fn character(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix('\'')?;
    let first = inside.chars().next()?;
    if first == '\\' {
        let escaped = inside[1..].chars().next()?;
        let rest = 1 + escaped.len_utf8();
        return inside[rest..].find('\'').map(|end| 1 + rest + end + 1);
    }
    inside[first.len_utf8()..].starts_with('\'').then_some(first.len_utf8() + 2)
}

fn number(rest: &str) -> usize {
    let whole = run(rest, |c| c.is_alphanumeric() || c == '_');
    // A range of Rust is two dots, a method of a number begins with a letter.
    match rest[whole..].strip_prefix('.') {
        Some(after) if after.starts_with(|c: char| c.is_ascii_digit()) => whole + 1 + run(after, |c| c.is_alphanumeric() || c == '_'),
        _ => whole,
    }
}

fn sign(rest: &str, language: Language) -> Option<usize> {
    let own = |sign: &&str| language == Language::Python || !matches!(*sign, "**" | "**=" | "//=" | "//");
    SIGNS.iter().copied().filter(own).find(|sign| rest.starts_with(sign)).map(str::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, language: Language) -> Vec<&str> {
        tokens(text, language).into_iter().map(|token| &text[token.at]).collect()
    }

    #[test]
    fn strings_comments_and_characters_are_no_code() {
        let python = "def f(a):\n    \"\"\"x + 1\"\"\"\n    return a // 2 # no\n    s = 'a\\'b' + \"<\"";
        assert_eq!(read(python, Language::Python), ["def", "f", "(", "a", ")", ":", "return", "a", "//", "2", "s", "=", "+"]);
        let rust = "fn f<'a>(c: &'a str) { /* 1 */ c.find('+'); c != '\\n'; 0..=9; 1.5 } // 2";
        let signs = [
            "fn", "f", "<", "'", "a", ">", "(", "c", ":", "&", "'", "a", "str", ")", "{", "c", ".", "find", "(", ")", ";", "c", "!=", ";",
            "0", "..=", "9", ";", "1.5", "}",
        ];
        assert_eq!(read(rust, Language::Rust), signs);
    }

    #[test]
    fn lines_are_counted_and_nothing_panics() {
        let lines: Vec<usize> = tokens("a\n\n\"\"\"\n\"\"\"b", Language::Python).into_iter().map(|token| token.line).collect();
        assert_eq!(lines, [1, 4]);
        for hostile in ["'", "'\\", "'\\é", "\"", "r#\"", "/*", "é'é", "1.", "\u{1F600}<\u{1F600}"] {
            for language in [Language::Python, Language::Rust] {
                for end in (0..=hostile.len()).filter(|end| hostile.is_char_boundary(*end)) {
                    tokens(&hostile[..end], language);
                }
            }
        }
    }
}
