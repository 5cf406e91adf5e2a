use super::placeholder::is_placeholder;
use crate::scan::{Rule, Seen};

/// A private key in PEM (RFC 7468) or in the armour of OpenPGP, from its header to its end, or to the end of what is in base 64 where the end
/// does not come within 6000 bytes. Breaks of lines may be escaped, as in JSON.
pub(super) fn rule() -> Rule {
    let name = "(?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----";
    let regex = format!(r"-----BEGIN {name}(?:[\t\n\r -~]{{20,6000}}?-----END {name}|[0-9A-Za-z+/=\n\r \\]{{64,6000}})");
    Rule::new("private_key", regex, judge)
}

fn judge(seen: &Seen<'_>) -> Option<f32> {
    let body = seen.text.split("-----").nth(2)?;
    let longest = body.split(|char: char| !char.is_ascii_alphanumeric() && !matches!(char, '+' | '/' | '=')).map(str::len).max()?;
    let shown = body.lines().any(|line| line.trim() == "...") || is_placeholder(body.trim());
    (longest >= 24 && !shown).then_some(0.99)
}
