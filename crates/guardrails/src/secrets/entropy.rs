use super::placeholder::is_placeholder;
use crate::scan::{Rule, Seen};

/// Shannon's entropy of the characters of `text`, in bits per character: 0 for one character over and over, log2 of their number for
/// characters that are all equally frequent.
pub fn shannon(text: &str) -> f64 {
    let mut counts = std::collections::BTreeMap::new();
    text.chars().for_each(|char| *counts.entry(char).or_insert(0u32) += 1);
    let all = f64::from(counts.values().sum::<u32>());
    counts.values().map(|&count| f64::from(count) / all).map(|share| -share * share.log2()).sum()
}

/// What random text is called.
pub(super) const LABEL: &str = "high_entropy";

/// Texts in quotation marks that are random over an alphabet, with the limits that detect-secrets has: 4.5 bits for base64, 3 for hexadecimal.
pub(super) fn rules() -> Vec<Rule> {
    let quoted = |inner: &str| format!("[\"'`]({inner}{{20,128}}={{0,2}})[\"'`]");
    vec![
        Rule::capturing(LABEL, quoted("[0-9A-Fa-f]"), |seen| random(seen, 3.0)),
        Rule::capturing(LABEL, quoted("[0-9A-Za-z+/_-]"), |seen| random(seen, 4.5)),
    ]
}

fn random(seen: &Seen<'_>, least: f64) -> Option<f32> {
    (shannon(seen.text) > least && !is_placeholder(seen.text)).then_some(0.5)
}
