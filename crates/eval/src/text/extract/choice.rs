use std::sync::LazyLock;

use regex::Regex;

use super::Letters;
use crate::text::{math::boxed, pattern::Take};

/// The letter that a text chooses, by the strongest form in which one of `letters` stands in it.
pub(crate) fn choice(text: &str, letters: &Letters, take: Take) -> Option<char> {
    let in_box =
        || boxed(text).and_then(|inside| FORMS.iter().find_map(|form| find(form, inside, letters, take)).or_else(|| only(inside, letters)));
    let mut forms = FORMS.iter().map(|form| find(form, text, letters, take));
    let said = forms.next().flatten();
    said.or_else(in_box).or_else(|| forms.flatten().next()).or_else(|| alone(text, letters, take))
}

/// The letter said to be the answer; one that begins a line or is one; one in brackets.
static FORMS: LazyLock<[Regex; 3]> = LazyLock::new(|| {
    const MARK: &str = r"[\s*_`(\[{$]*(?:\\(?:text|boxed|mathrm)\{\(?)*";
    let forms = [
        format!(
            r"(?i:\b(?:answer|choice|option)\b(?: is| would be| should be)?:?)[\s*_`:]*(?i:(?:option|choice|letter)\s)?{MARK}(?P<letter>[A-Za-z])\b"
        ),
        r"(?m)^[\s*_`#>-]*[(\[]?(?P<letter>[A-Z])(?:[)\].:][*_`]*(?:\s|$)|[*_`]*\s*$)".to_owned(),
        r"[(\[](?P<letter>[A-Z])[)\]]".to_owned(),
    ];
    forms.map(|form| Regex::new(&form).expect("the pattern is constant and valid"))
});

fn find(form: &Regex, text: &str, letters: &Letters, take: Take) -> Option<char> {
    let found = form.captures_iter(text).filter_map(|captures| {
        let letter = captures.name("letter")?;
        let rest = &text[letter.end()..];
        // `the answer is a number` names no choice.
        let word = letter.as_str().starts_with(|c: char| c.is_ascii_lowercase()) || begins_phrase(letter.as_str(), rest);
        letter.as_str().chars().next().filter(|letter| !word && letters.contains(*letter))
    });
    pick(found, take)
}

/// A letter that is all of a text, in either case.
fn only(text: &str, letters: &Letters) -> Option<char> {
    let mut characters = text.trim().trim_matches(['(', ')', '.']).chars();
    let letter = characters.next()?.to_ascii_uppercase();
    (characters.next().is_none() && letters.contains(letter)).then_some(letter)
}

/// Letters that stand alone and are no words.
fn alone(text: &str, letters: &Letters, take: Take) -> Option<char> {
    if let Some(letter) = only(text, letters) {
        return Some(letter);
    }
    let in_word = |c: char| c.is_alphanumeric() || c == '\'';
    let found = text.char_indices().filter(|(at, letter)| {
        let (before, rest) = (&text[..*at], &text[at + letter.len_utf8()..]);
        let alone = !before.ends_with(in_word) && !rest.starts_with(in_word);
        alone && letters.contains(*letter) && !begins_phrase(&text[*at..=*at], rest)
    });
    pick(found.map(|(_, letter)| letter), take)
}

/// Whether a letter is the article or the pronoun that `rest` goes on from.
fn begins_phrase(letter: &str, rest: &str) -> bool {
    matches!(letter, "A" | "a" | "I")
        && rest.strip_prefix(' ').is_some_and(|rest| rest.starts_with(char::is_alphabetic))
        && !rest.starts_with(" is ")
}

fn pick(mut found: impl Iterator<Item = char>, take: Take) -> Option<char> {
    match take {
        Take::First => found.next(),
        Take::Last => found.last(),
    }
}
