use super::{Encoding, View};

/// Words of which some stand in almost every sentence that asks for something; sorted.
const COMMON: [&str; 48] = [
    "a",
    "all",
    "and",
    "any",
    "are",
    "as",
    "be",
    "do",
    "everything",
    "follow",
    "for",
    "from",
    "give",
    "have",
    "how",
    "ignore",
    "in",
    "instructions",
    "is",
    "it",
    "me",
    "my",
    "no",
    "not",
    "now",
    "of",
    "on",
    "or",
    "previous",
    "print",
    "prompt",
    "reveal",
    "rules",
    "say",
    "show",
    "system",
    "tell",
    "that",
    "the",
    "this",
    "to",
    "what",
    "with",
    "without",
    "write",
    "you",
    "your",
    "yourself",
];
/// The longest of these.
const LONGEST: usize = 12;
/// What is read at once, in bytes: a line, or as much of it.
const LINE: usize = 2048;

/// Finds lines whose words are common ones only once they are turned: by 13 letters, or end to start.
pub(super) fn find(text: &str, found: &mut Vec<View>) {
    let mut at = 0;
    while at < text.len() {
        let limit = crate::scan::boundary_before(text, at + LINE);
        let end = text[at..limit].find('\n').map_or(limit, |length| at + length + 1);
        let line = &text[at..end];
        if let Some(encoding) = turned(line) {
            let plain = if encoding == Encoding::Rot13 { line.chars().map(rot13).collect() } else { line.chars().rev().collect() };
            found.push(View { encoding, text: plain, span: at..end });
        }
        at = end;
    }
}

fn turned(line: &str) -> Option<Encoding> {
    let (mut words, mut plain, mut rotated, mut reversed) = (0, 0, 0, 0);
    let mut buffer = [0; LONGEST];
    for word in line.as_bytes().split(|byte| !byte.is_ascii_alphabetic()).filter(|word| !word.is_empty()) {
        words += 1;
        let Some(buffer) = buffer.get_mut(..word.len()) else { continue };
        buffer.copy_from_slice(word);
        buffer.make_ascii_lowercase();
        plain += usize::from(is_common(buffer));
        // A letter is common turned as well.
        buffer.reverse();
        reversed += usize::from(word.len() > 1 && is_common(buffer));
        buffer.reverse();
        buffer.iter_mut().for_each(|byte| *byte = rotate(*byte));
        rotated += usize::from(word.len() > 1 && is_common(buffer));
    }
    let most = rotated.max(reversed);
    (most >= 2 && most > plain * 2 && most * 6 >= words).then_some(if rotated >= reversed { Encoding::Rot13 } else { Encoding::Reversed })
}

fn is_common(word: &[u8]) -> bool {
    COMMON.binary_search_by(|common| common.as_bytes().cmp(word)).is_ok()
}

fn rot13(char: char) -> char {
    if char.is_ascii() { char::from(rotate(char as u8)) } else { char }
}

fn rotate(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => (byte - b'a' + 13) % 26 + b'a',
        b'A'..=b'Z' => (byte - b'A' + 13) % 26 + b'A',
        _ => byte,
    }
}
