use super::placeholder::is_placeholder;
use crate::scan::{Rule, Seen};

/// A private key in PEM (RFC 7468) or in the armour of `OpenPGP`: its header, lines as `Proc-Type: 4,ENCRYPTED`, what is in base 64 up to 6000
/// bytes, and its end, where that follows. Breaks of lines may be escaped, as in JSON.
pub(super) fn rule() -> Rule {
    let name = "(?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----";
    let attribute = r"(?:[\r\n]|\\[nr]){1,4}[A-Z][A-Za-z-]{2,20}: [0-9A-Za-z ,.:;/()@+-]{0,80}";
    let regex = format!(r"-----BEGIN {name}(?:{attribute}){{0,4}}[0-9A-Za-z+/=\t\n\r \\]{{20,6000}}(?:-----END {name})?");
    Rule::new("private_key", regex, judge)
}

fn judge(seen: &Seen<'_>) -> Option<f32> {
    let body = seen.text.split("-----").nth(2)?;
    let longest = body.split(|char: char| !char.is_ascii_alphanumeric() && !matches!(char, '+' | '/' | '=')).map(str::len).max()?;
    let shown = body.lines().any(|line| line.trim() == "...") || is_placeholder(body.trim());
    (longest >= 24 && !shown).then_some(0.99)
}
