//! How pseudonyms are written, and how models write them.

use super::Kind;
use crate::{Result, scan::Pattern};

/// The kind of what [`SecretsGuard`](crate::secrets::SecretsGuard) finds.
pub(crate) const SECRET: &str = "secret";

/// The kind of text that looks like a pseudonym and is none.
pub(super) const TEXT: &str = "text";

/// One more than the greatest number, which has nine digits.
pub(super) const MANY: u64 = 1_000_000_000;

/// The pseudonym with this number of a kind.
pub(super) fn write(kind: &str, number: u64) -> String {
    format!("<{}_{number}>", kind.to_uppercase())
}

/// The pseudonym that `text` is meant to be: brackets, escapes and the case of letters are put right.
pub(super) fn read(text: &str) -> String {
    let bare: String = text.chars().filter(|char| !matches!(char, '<' | '>' | '[' | ']' | '\\')).collect();
    format!("<{}>", bare.to_uppercase())
}

/// Finds what a reader of pseudonyms, a lenient one too, could take for one.
pub(super) fn written() -> Result<Pattern> {
    let lenient = lenient();
    Pattern::new(TEXT, &format!("{lenient}|(?:{})_[0-9]{{1,9}}", labels()))
}

/// Finds pseudonyms as they were written.
pub(super) fn exact() -> Result<Pattern> {
    Pattern::new("pseudonym", &format!("<(?:{})_[0-9]{{1,9}}>", labels()))
}

/// Finds pseudonyms as models write them as well: in other cases, in square brackets, escaped for Markdown, and bare in capitals.
pub(super) fn mended() -> Result<Pattern> {
    Pattern::new("pseudonym", &format!(r"{}|(?-u:\b)(?:{})_[0-9]{{1,9}}(?-u:\b)", lenient(), labels()))
}

fn lenient() -> String {
    let labels = labels().replace('_', r"\\?_");
    let body = format!(r"(?i-u:{labels})\\?_[0-9]{{1,9}}");
    format!(r"<{body}>|\\<{body}\\>|\[{body}\]")
}

/// The labels of all kinds in capitals, as alternatives.
fn labels() -> String {
    let labels = Kind::ALL.iter().map(|kind| kind.label()).chain([SECRET, TEXT]);
    labels.map(str::to_uppercase).collect::<Vec<_>>().join("|")
}
