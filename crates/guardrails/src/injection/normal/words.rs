use std::sync::LazyLock;

use super::{Signs, confusables, lexicon, mapped::Mapped};

/// The most letters that are joined at once, so that what is read in vain is bounded.
const SPACED: usize = 512;
/// So many in a row that are no letters are no word.
const DIGITS: usize = 5;

/// Words without disguise: letters of other scripts in Latin words, digits for letters, and letters spaced out.
pub(super) fn plain_words(text: &str, signs: &mut Signs) -> Mapped {
    let mut mapped = Mapped::with_capacity(text.len());
    let foreign = Foreign::of(text);
    let (mut kept, mut at) = (0, 0);
    while let Some((start, end)) = next_word(text, at) {
        let word = &text[start..end];
        let change = spaced_out(text, start, end).or_else(|| Some((plain_word(word, foreign, signs)?, end)));
        at = end;
        if let Some((plain, end)) = change {
            signs.spaced += usize::from(end > at);
            mapped.keep(&text[kept..start], kept);
            mapped.put(&plain, start..end);
            (kept, at) = (end, end);
        }
    }
    mapped.keep(&text[kept..], kept);
    mapped
}

/// The next run of letters, digits and the symbols that stand for letters.
fn next_word(text: &str, at: usize) -> Option<(usize, usize)> {
    let start = pass(text, at, false);
    (start < text.len()).then(|| (start, pass(text, start, true)))
}

/// Where what is in words ends from `at` on, or what is not.
fn pass(text: &str, at: usize, within: bool) -> usize {
    let (mut at, ascii) = (at, &*ASCII);
    while let Some(&byte) = text.as_bytes().get(at) {
        let (is_within, length) = match ascii.get(usize::from(byte)) {
            Some(&is_within) => (is_within, 1),
            None => text[at..].chars().next().map_or((!within, 1), |char| (in_word(char), char.len_utf8())),
        };
        if is_within != within {
            break;
        }
        at += length;
    }
    at
}

/// Whether each character of ASCII is [in words](in_word).
static ASCII: LazyLock<[bool; 128]> = LazyLock::new(|| std::array::from_fn(|byte| in_word(char::from(byte as u8))));

fn in_word(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '@' | '$' | '|' | '!') || !char.is_ascii() && char.is_alphanumeric()
}

fn plain_word(word: &str, foreign: Foreign, signs: &mut Signs) -> Option<String> {
    if word.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    if !word.is_ascii() {
        let plain = foreign.latin(word)?;
        signs.homoglyphs += 1;
        return Some(plain);
    }
    let plain = unleet(word)?;
    signs.leet += 1;
    Some(plain)
}

/// Whether a text is written in Latin letters, so that a word of look-alikes alone is a disguise as well.
#[derive(Clone, Copy)]
struct Foreign {
    few: bool,
}

impl Foreign {
    fn of(text: &str) -> Self {
        let latin = text.bytes().filter(u8::is_ascii_alphabetic).count();
        Self { few: (text.len() - latin.min(text.len())) / 2 < latin }
    }

    /// `word` in Latin letters, where that is what it passes for.
    fn latin(self, word: &str) -> Option<String> {
        let mixed = word.bytes().any(|byte| byte.is_ascii_alphabetic());
        let (mut plain, mut changed) = (String::with_capacity(word.len()), false);
        for char in word.chars() {
            match confusables::foreign(char) {
                Some(latin) => {
                    plain.push(latin);
                    changed = true;
                }
                None if char.is_ascii() => plain.push(char),
                None if mixed => plain.push(char),
                None => return None,
            }
        }
        (changed && (mixed || self.few && lexicon::holds(&plain))).then(|| unleet(&plain).unwrap_or(plain))
    }
}

/// A word with digits for letters, where an attacker's word is beneath.
fn unleet(word: &str) -> Option<String> {
    if word.len() > 24 || !word.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    ["i", "l"].iter().find_map(|one| {
        let plain: String = word.chars().map(|char| letter(char, one.chars().next().unwrap_or('i'))).collect();
        (plain != word && lexicon::holds(&plain)).then_some(plain)
    })
}

fn letter(char: char, one: char) -> char {
    match char {
        '0' => 'o',
        '1' | '!' | '|' => one,
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        '8' => 'b',
        '9' => 'g',
        _ => char,
    }
}

/// Four letters or more with the same separator between them, joined, and where they end; two spaces stand between words.
fn spaced_out(text: &str, start: usize, first_end: usize) -> Option<(String, usize)> {
    if first_end - start != 1 || !text.as_bytes()[start].is_ascii_alphabetic() {
        return None;
    }
    let rest = &text.as_bytes()[start..];
    let separator = *rest.get(1).filter(|byte| b" .-_*/,+~".contains(byte))?;
    let (mut letters, mut end) = (String::from(char::from(rest[0])), 1);
    let mut words = Vec::new();
    let mut digits = 0;
    while end < SPACED && digits < DIGITS {
        let gap = rest[end..].iter().take(4).take_while(|byte| **byte == separator).count();
        let Some(&letter) = rest.get(end + gap).filter(|byte| (1..4).contains(&gap) && in_word(char::from(**byte)) && byte.is_ascii())
        else {
            break;
        };
        if rest.get(end + gap + 1).is_some_and(|byte| !byte.is_ascii() || in_word(char::from(*byte))) {
            break;
        }
        if gap > 1 {
            words.push(std::mem::take(&mut letters));
        }
        digits = if letter.is_ascii_alphabetic() { 0 } else { digits + 1 };
        letters.push(char::from(letter));
        end += gap + 1;
    }
    words.push(letters);
    let count: usize = words.iter().map(String::len).sum();
    let alphabetic = words.iter().flat_map(|word| word.bytes()).filter(u8::is_ascii_alphabetic).count();
    (count >= 4 && alphabetic * 2 > count).then(|| (join(&words), start + end))
}

fn join(words: &[String]) -> String {
    let plain: Vec<String> = words.iter().map(|word| unleet(word).unwrap_or_else(|| lexicon::segment(word))).collect();
    plain.join(" ")
}
