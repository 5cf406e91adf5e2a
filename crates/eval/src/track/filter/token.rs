use crate::{Error, Result};

/// A piece of a filter.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A word, and the quoted name that follows its last dot at once.
    Word(String, Option<String>),
    /// A text in single quotes.
    Text(String),
    /// A number as it is written.
    Number(String),
    /// A comparison, a parenthesis or a comma.
    Sign(&'static str),
}

/// Longer ones first, so that `<=` is not read as `<`.
const SIGNS: [&str; 11] = ["<=", ">=", "!=", "<>", "==", "=", "<", ">", "(", ")", ","];

/// The tokens of a filter, each with the byte where it begins.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (token, length) = token(text, at)?;
        found.push((at, token));
        at += length;
    }
    Ok(found)
}

/// That what stands at byte `at` is wrong.
pub(super) fn wrong(text: &str, at: usize, problem: impl Into<String>) -> Error {
    Error::Filter { at: text[..at].chars().count() + 1, problem: problem.into() }
}

/// The token at byte `at`, and its length in bytes.
fn token(text: &str, at: usize) -> Result<(Token, usize)> {
    let rest = &text[at..];
    let first = rest.chars().next().unwrap_or_default();
    if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        return Ok((Token::Sign(sign), sign.len()));
    }
    if first == '\'' {
        return quoted(text, at, '\'').map(|(content, length)| (Token::Text(content), length));
    }
    if first.is_ascii_digit() || matches!(first, '-' | '+' | '.') {
        let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'))).unwrap_or(rest.len());
        return Ok((Token::Number(rest[..length].to_owned()), length));
    }
    if first.is_alphabetic() || first == '_' {
        return word(text, at);
    }
    let shown = if first.is_control() { first.escape_default().to_string() } else { first.to_string() };
    Err(wrong(text, at, format!("`{shown}` has no meaning here")))
}

fn word(text: &str, at: usize) -> Result<(Token, usize)> {
    let rest = &text[at..];
    let of_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '@' | ':');
    let length = rest.find(|c| !of_word(c)).unwrap_or(rest.len());
    let word = &rest[..length];
    match rest[length..].chars().next() {
        Some(quote @ ('"' | '`')) if word.ends_with('.') => {
            let (name, more) = quoted(text, at + length, quote)?;
            Ok((Token::Word(word.to_owned(), Some(name)), length + more))
        }
        _ => Ok((Token::Word(word.to_owned(), None), length)),
    }
}

/// What stands between quotes from byte `at` on, where a quote is written twice, and the length of it all in bytes.
fn quoted(text: &str, at: usize, quote: char) -> Result<(String, usize)> {
    let mut content = String::new();
    let mut characters = text[at..].char_indices().skip(1).peekable();
    while let Some((index, character)) = characters.next() {
        if character != quote {
            content.push(character);
        } else if characters.next_if(|(_, next)| *next == quote).is_some() {
            content.push(quote);
        } else {
            return Ok((content, index + 1));
        }
    }
    Err(wrong(text, at, format!("what begins with {quote} does not end with it")))
}
