//! What the words before a match say about it.

use crate::scan::Seen;

/// Whether one of `words` stands before the match, within the 64 bytes that are seen, and on the same or the line before.
///
/// Words are in lower case and begin where a word of the text begins; `*` at the end stands for any end.
pub(crate) fn near(seen: &Seen<'_>, words: &[&str]) -> bool {
    gap(seen, words).is_some()
}

/// Whether one of `words` stands just before the match: no more than what says "number is:" lies between.
pub(crate) fn just_before(seen: &Seen<'_>, words: &[&str]) -> bool {
    gap(seen, words).is_some_and(|gap| {
        let words = gap.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty()).count();
        let ends = gap.contains(['.', ';', '\n']) && gap.len() > 5 || gap.contains(|char: char| char.is_ascii_digit());
        // As in `(born Smith), 3 May`, which is of something else.
        let closed = gap.contains(')') && !gap.contains('(');
        gap.len() <= 28 && words <= 3 && !ends && !closed
    })
}

/// What lies between the last of `words` before the match and the match, in lower case.
fn gap(seen: &Seen<'_>, words: &[&str]) -> Option<String> {
    // Words have letters, and numbers in tables have none before them.
    if !seen.before.contains(|char: char| !char.is_ascii() || char.is_ascii_alphabetic()) {
        return None;
    }
    let before = seen.before.to_lowercase();
    let ends =
        beginnings(&before).filter_map(|start| words.iter().filter_map(|word| end_of(&before[start..], word)).max().map(|end| start + end));
    ends.max().map(|end| before[end..].to_owned())
}

/// Where words may begin: what stands before is no letter and no digit.
fn beginnings(text: &str) -> impl Iterator<Item = usize> {
    let mut inside = false;
    text.char_indices().filter_map(move |(at, char)| {
        let begins = !std::mem::replace(&mut inside, char.is_alphanumeric());
        (begins && !char.is_whitespace()).then_some(at)
    })
}

/// Where `word` ends that `text` begins with.
fn end_of(text: &str, word: &str) -> Option<usize> {
    let (word, open) = word.strip_suffix('*').map_or((word, false), |word| (word, true));
    let rest = text.strip_prefix(word)?;
    let tail: usize = if open { rest.chars().take_while(|char| char.is_alphabetic()).map(char::len_utf8).sum() } else { 0 };
    (open || !rest.starts_with(char::is_alphabetic)).then_some(word.len() + tail)
}

/// Whether the match does not go on from what stands before it, as the end of a longer number, path or name does.
pub(crate) fn stands_alone(seen: &Seen<'_>) -> bool {
    let mut before = seen.before.chars().rev();
    let (last, other) = (before.next(), before.next());
    match last {
        // A group of a longer number, as IBANs have them.
        Some(' ') if other.is_some_and(|char| char.is_ascii_digit()) && seen.text.starts_with('0') => false,
        Some('.' | '-' | '/' | '+' | ':' | ')') if other.is_some_and(|char| char.is_ascii_digit()) => false,
        Some('.' | '-' | '/') if other.is_some_and(char::is_alphanumeric) => false,
        Some(char) => !char.is_alphanumeric() && !matches!(char, '_' | '#' | '@' | '$' | '€' | '£' | '%' | '~' | '\\'),
        None => true,
    }
}

/// Whether a number stands before the match, and a space between: both are of a list.
pub(crate) fn follows_number(seen: &Seen<'_>) -> bool {
    seen.before.strip_suffix(' ').is_some_and(|before| before.ends_with(|char: char| char.is_ascii_digit()))
}

/// The digits of the match alone.
pub(crate) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// The letters and digits of the match alone, in upper case.
pub(crate) fn compact(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|char| char.to_ascii_uppercase()).collect()
}
