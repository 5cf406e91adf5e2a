use crate::scan::{Rule, Seen};

/// Letters beyond ASCII, without the blocks of punctuation and symbols.
const LETTER: &str = r"\x{C0}-\x{1FFF}\x{3040}-\x{D7FF}";

/// Ends of names of files and of members in code, which no domain has.
const NO_DOMAIN: &[&str] = &[
    "css", "gif", "html", "jpeg", "jpg", "js", "json", "jsx", "lock", "md", "mjs", "png", "svg", "tgz", "toml", "ts", "tsx", "webp", "xml",
    "yaml", "yml", "git",
];

/// Names before an `@` that belong to a tool or a language.
const NO_PERSON: &[&str] = &["git", "svn", "hg", "this", "super", "return", "break", "continue"];

pub(super) fn rule() -> Rule {
    let (local, inner) = (format!(r"[0-9A-Za-z.!#$%&'*+/=?^_`{{|}}~{LETTER}-]"), format!("[0-9A-Za-z{LETTER}-]"));
    let regex = format!(r"{local}{{1,64}}@(?:{inner}{{1,40}}\.){{1,4}}(?:xn--[0-9A-Za-z-]{{2,40}}|[A-Za-z{LETTER}]{{2,18}})");
    Rule::new("email", regex, judge)
}

fn judge(seen: &Seen<'_>) -> Option<f32> {
    let (local, domain) = seen.text.rsplit_once('@')?;
    let last = domain.rsplit('.').next()?;
    // A quotation mark, a slash or an equals sign begins an address less often than it stands before one.
    let begins = local.starts_with(|char: char| char.is_alphanumeric() || char == '_') && !local.contains(['/', '=', '`', '\'', '{', '|']);
    let odd = local.ends_with('.') || local.contains("..") || domain.split('.').any(|label| label.starts_with('-') || label.ends_with('-'));
    // As in `ssh://user@host`.
    let inside =
        seen.before.ends_with("//") || seen.before.ends_with(|char: char| char.is_alphanumeric() || matches!(char, '@' | '.' | '_' | '-'));
    let tool = NO_DOMAIN.contains(&last.to_ascii_lowercase().as_str()) || NO_PERSON.contains(&local);
    (begins && !odd && !inside && !tool).then_some(0.95)
}
