use super::{entropy::shannon, placeholder::is_placeholder};
use crate::scan::{Rule, Seen};

/// What passwords and keys are assigned to, in code, configuration, headers and letters.
const PASSWORDS: &str = "passwor[dt]|passwd|pwd|passphrase|kennwort|mot de passe|contraseña|wachtwoord|hasło|senha";
const KEYS: &str = "api[_-]?key|apikey|access[_-]?key|secret[_-]?key|account[_-]?key|auth[_-]?key|encryption[_-]?key|signing[_-]?key|secret|token|credential|authorization|bearer";

/// The value alone is found, in quotation marks or up to the next space.
pub(super) fn rules() -> Vec<Rule> {
    let quoted = |names: &str| {
        format!(
            "(?i)(?:{names})s?(?:[0-9]|_[a-z0-9_]{{1,12}})?[\"']?\\]?[ \\t]{{0,4}}(?:=>|:=|==?|:)[ \\t]{{0,4}}(?:bearer )?[brf]?[\"'`]([^\"'`\\r\\n]{{6,128}})[\"'`]"
        )
    };
    let bare = |names: &str| {
        format!(
            "(?i)(?:{names})s?(?:[0-9]|_[a-z0-9_]{{1,12}})?(?:[ \\t]{{0,3}}(?::=|=)|:)[ \\t]{{0,4}}(?:bearer |basic )?([!#-&*+\\-./0-9:=?@A-Z^_a-z|~]{{8,128}})"
        )
    };
    vec![
        Rule::capturing("password", quoted(PASSWORDS), |seen| password(seen, 0.85)),
        Rule::capturing("api_key", quoted(KEYS), |seen| key(seen, 0.8)),
        Rule::capturing("password", bare(PASSWORDS), |seen| bare_value(seen).then(|| password(seen, 0.7)).flatten()),
        Rule::capturing("api_key", bare(KEYS), |seen| bare_value(seen).then(|| key(seen, 0.7)).flatten()),
    ]
}

/// A person's password mixes kinds of characters; what is one word is mostly the name of something.
fn password(seen: &Seen<'_>, score: f32) -> Option<f32> {
    let mixed = classes(seen.text) >= 2
        && seen.text.len() >= 6
        && seen.text.contains(|char: char| !char.is_alphabetic() && !matches!(char, ' ' | '_' | '-' | '.'));
    let words = seen.text.contains(' ') && classes(seen.text) < 4;
    (mixed && !words && !is_placeholder(seen.text) && shannon(seen.text) >= 2.2).then_some(score)
}

/// A key is random: letters and digits, no word.
fn key(seen: &Seen<'_>, score: f32) -> Option<f32> {
    let digits = seen.text.bytes().filter(u8::is_ascii_digit).count();
    let solid = !seen.text.contains(|char: char| char.is_whitespace() || matches!(char, '(' | ')' | '{' | '}' | '<' | '>'));
    let random =
        digits >= 2 && seen.text.len() >= 16 && seen.text.contains(|char: char| char.is_ascii_alphabetic()) && shannon(seen.text) >= 3.0;
    (solid && random && !of_words(seen.text) && !is_placeholder(seen.text) && !seen.text.contains("://")).then_some(score)
}

/// Whether a value without quotation marks is no name, path or call in code.
fn bare_value(seen: &Seen<'_>) -> bool {
    let name = |part: &str| {
        part.starts_with(|char: char| char.is_alphabetic() || char == '_') && part.chars().all(|char| char.is_alphanumeric() || char == '_')
    };
    let dotted = seen.text.split(['.', ':']).all(|part| part.is_empty() || name(part)) && seen.text.contains(['.', ':', '_']);
    let digits = seen.text.bytes().filter(u8::is_ascii_digit).count();
    !dotted && digits > 0 && !seen.text.contains("://") && !seen.text.starts_with(['/', '.', '-', ':', '='])
}

/// Whether more than half of `text` is of words, which names of models and hosts are.
fn of_words(text: &str) -> bool {
    let word = |part: &&str| part.len() > 2 && part.chars().all(|char| char.is_ascii_lowercase());
    let words: usize = text.split(['-', '_', '.', '/']).filter(word).map(str::len).sum();
    words * 2 > text.len()
}

/// How many of small letters, capitals, digits and signs there are.
fn classes(text: &str) -> usize {
    let sign = |char: &char| !char.is_alphanumeric();
    [&(|char: &char| char.is_lowercase()) as &dyn Fn(&char) -> bool, &|char| char.is_uppercase(), &|char| char.is_numeric(), &sign]
        .iter()
        .filter(|class| text.chars().any(|char| class(&char)))
        .count()
}
