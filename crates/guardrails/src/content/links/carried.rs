use std::collections::HashSet;

use jarre_core::base64;

use super::{LinkConfig, url::Target};
use crate::Context;

/// Letters of a word that tells what a conversation was about.
const TELLING: usize = 5;
/// Bytes from which a word without sense may be data.
const LONG: usize = 24;

/// The words of a conversation.
#[derive(Debug, Default)]
pub(super) struct Words(HashSet<Box<str>>);

impl Words {
    pub(super) fn of(context: &Context) -> Self {
        let texts = context.system.iter().chain(&context.question).chain(&context.sources);
        Self(texts.flat_map(|text| telling(text)).map(|word| word.to_lowercase().into()).collect())
    }

    /// How many of them stand in `text`, each once.
    fn held_by(&self, text: &str) -> usize {
        if self.0.is_empty() {
            return 0;
        }
        let held: HashSet<String> = telling(text).map(str::to_lowercase).filter(|word| self.0.contains(word.as_str())).collect();
        held.len()
    }
}

fn telling(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric()).filter(|word| word.chars().nth(TELLING - 1).is_some())
}

/// Whether the address carries what somebody wrote: much of it, words of the conversation, or something encoded.
pub(super) fn carries(target: &Target, words: &Words, config: &LinkConfig) -> bool {
    let name = target.host.as_deref().unwrap_or_default();
    target.query.len() > config.longest_query
        || words.held_by(&target.query) > config.words
        || words.held_by(name) > config.words
        || words.held_by(&target.path) > 3 * config.words
        || values(target).any(|value| is_encoded(value) || hidden(value).is_some_and(|text| words.held_by(&text) > 0 || is_prose(&text)))
}

/// What can hold data: labels of the host, parts of the path, values of the query.
fn values(target: &Target) -> impl Iterator<Item = &str> {
    let labels = target.host.as_deref().unwrap_or_default().split('.');
    labels.chain(target.path.split('/')).chain(target.query.split(['&', '=', ';'])).filter(|value| value.len() >= 8)
}

/// The text that a value holds in base64 or in hexadecimal digits.
fn hidden(value: &str) -> Option<String> {
    let bytes = from_hex(value).or_else(|| from_base64(value))?;
    String::from_utf8(bytes).ok().filter(|text| text.chars().all(|character| !character.is_control() || character.is_whitespace()))
}

fn from_hex(value: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = value.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

/// Base64 in either alphabet (RFC 4648), padded or not.
fn from_base64(value: &str) -> Option<Vec<u8>> {
    let standard = value.trim_end_matches('=').replace('-', "+").replace('_', "/");
    let padding = ["", "", "==", "="][standard.len() % 4];
    base64::decode(format!("{standard}{padding}").as_bytes())
}

/// Whether what was hidden is text that someone wrote: letters for the most part.
fn is_prose(text: &str) -> bool {
    let letters = text.chars().filter(|character| character.is_alphabetic() || *character == ' ').count();
    text.chars().count() >= 6 && letters * 10 >= text.chars().count() * 8
}

/// Whether a value is a long run of characters as even as chance would make it. Names of files and titles are words, and identifiers
/// of 32 or 40 hexadecimal digits, as of commits, are common.
fn is_encoded(value: &str) -> bool {
    let dense = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'_' | b'=' | b'~'));
    let identifier = matches!(value.len(), 32 | 36 | 40) && value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let (digit, upper, lower) = (u8::is_ascii_digit, u8::is_ascii_uppercase, u8::is_ascii_lowercase);
    let kinds = [digit, upper, lower].iter().filter(|kind| value.as_bytes().iter().any(kind)).count();
    value.len() >= LONG && dense && !identifier && kinds >= 2 && entropy(value) >= 3.5
}

/// Bits a byte.
fn entropy(value: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in value.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let length = value.len() as f64;
    let shares = counts.iter().filter(|&&count| count > 0).map(|&count| f64::from(count) / length);
    shares.map(|share| -share * share.log2()).sum()
}
