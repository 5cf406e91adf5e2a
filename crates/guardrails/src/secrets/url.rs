use super::placeholder::is_placeholder;
use crate::scan::{Rule, Seen};

/// A URL with a user and a password (RFC 3986, section 3.2.1), up to its host.
pub(crate) fn rule(label: &'static str) -> Rule {
    let regex = r"(?-u:\b)[A-Za-z][0-9A-Za-z+.-]{1,15}://[0-9A-Za-z._~%!$&*+,;=-]{0,64}:[0-9A-Za-z._~%!$&*+,;=:?#^(){}<>\[\]|\\-]{1,128}@[0-9A-Za-z.\[\]:_-]{1,120}";
    Rule::new(label, regex, judge)
}

const WORDS: &[&str] =
    &["password", "pass", "passwd", "pwd", "pw", "secret", "token", "test", "postgres", "root", "admin", "guest", "user", "p"];

fn judge(seen: &Seen<'_>) -> Option<f32> {
    let (_, rest) = seen.text.split_once("://")?;
    let (user, rest) = rest.split_once(':')?;
    let (password, host) = rest.rsplit_once('@')?;
    let lower = password.to_lowercase();
    // Examples repeat the user or the word.
    let example = is_placeholder(password) || is_placeholder(user) || password == user || WORDS.contains(&lower.as_str());
    let host = host.starts_with(|char: char| char.is_ascii_alphanumeric() || char == '[');
    (!example && host).then_some(0.9)
}
