//! A corpus of 2,000 documents in six languages, with every span of personal data known because it was put there: the same on every machine.
//!
//! Which half a document is in depends on a hash of its number. The two halves share no template: guards are tuned on the one and reported on
//! the other. Values are made up, with the right check digits; beside them stand numbers, names and addresses that only look alike.

mod held_out;
mod random;
mod tuning;
mod values;

use std::ops::Range;

use random::Random;

pub(crate) const DOCUMENTS: u64 = 2000;

/// A half of the corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Half {
    Tuning,
    HeldOut,
}

#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) half: Half,
    pub(crate) text: String,
    /// Labels and places of what a guard has to find, in order.
    pub(crate) spans: Vec<(&'static str, Range<usize>)>,
}

/// Lines with slots as `{email}`, for one language, and those that need none.
pub(crate) struct Templates {
    /// English, German, French, Spanish, Italian, Dutch: letters, tickets and chats.
    pub(crate) languages: [&'static [&'static str]; 6],
    /// Logs, tables and comments in code, records with the numbers of further states, secrets.
    pub(crate) neutral: &'static [&'static [&'static str]],
}

pub(crate) fn documents() -> impl Iterator<Item = Document> {
    (0..DOCUMENTS).map(document)
}

/// FNV-1a.
pub(crate) fn digest(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn document(number: u64) -> Document {
    let half = if digest(number.to_le_bytes()) >> 32 & 1 == 0 { Half::Tuning } else { Half::HeldOut };
    let templates = if half == Half::Tuning { &tuning::TEMPLATES } else { &held_out::TEMPLATES };
    let mut random = Random::new(number);
    let language = random.below(6);
    let mut document = Document { half, text: String::new(), spans: Vec::new() };
    for _ in 0..3 + random.below(6) {
        let pool = if random.below(3) > 0 { templates.languages[language] } else { random.pick(templates.neutral) };
        fill(random.pick(pool), language, &mut random, &mut document);
        let ends: &[&str] = &["\n", "\n", "\n\n", " "];
        document.text += random.pick(ends);
    }
    document
}

/// Adds `template` with values in its slots.
fn fill(template: &str, language: usize, random: &mut Random, document: &mut Document) {
    let mut rest = template;
    while let Some((before, slot)) = rest.split_once('{') {
        let (slot, after) = slot.split_once('}').expect("slots are closed");
        document.text += before;
        let (label, value) = values::value(slot, language, random);
        let start = document.text.len();
        document.text += &value;
        document.spans.extend(label.map(|label| (label, start..start + value.len())));
        rest = after;
    }
    document.text += rest;
}
