use std::collections::HashSet;

use crate::error::{Error, Result};

/// Which text is trained on and which is kept for validation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    rule: Rule,
    /// In [0, 1).
    validation_share: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Rule {
    Document,
    Position,
}

impl Split {
    /// Puts whole documents on one side, by BLAKE3 of their text: a document stays on its side whatever stands around it, copies of it go
    /// with it, and about `validation_share` of the documents are kept for validation.
    ///
    /// # Errors
    /// Where the share is not in [0, 1).
    pub fn by_document(validation_share: f64) -> Result<Self> {
        Self::new(Rule::Document, validation_share)
    }

    /// Keeps the end of every document for validation, `validation_share` of its characters: the split of nanoGPT's data sets, for a corpus
    /// that is one text. The training part has `floor((1 - validation_share) * characters)` of them.
    ///
    /// # Errors
    /// Where the share is not in [0, 1).
    pub fn by_position(validation_share: f64) -> Result<Self> {
        Self::new(Rule::Position, validation_share)
    }

    /// The share that is kept for validation.
    pub fn validation_share(&self) -> f64 {
        self.validation_share
    }

    /// The parts of a document; both together are `text`.
    pub fn parts<'t>(&self, text: &'t str) -> Parts<'t> {
        self.parts_of(text, DocumentHash::of(text))
    }

    /// As [`parts`](Self::parts), where the hash is known.
    pub(super) fn parts_of<'t>(&self, text: &'t str, hash: DocumentHash) -> Parts<'t> {
        let (train, validation) = match self.rule {
            Rule::Document if hash.is_below(self.validation_share) => ("", text),
            Rule::Document => (text, ""),
            Rule::Position => text.split_at(self.position(text)),
        };
        Parts { train, validation }
    }

    fn new(rule: Rule, validation_share: f64) -> Result<Self> {
        if (0.0..1.0).contains(&validation_share) {
            return Ok(Self { rule, validation_share });
        }
        Err(Error::Corpus(format!("{validation_share} of a corpus cannot be kept for validation; the share is at least 0 and below 1")))
    }

    /// The byte at which the validation part of `text` begins.
    fn position(&self, text: &str) -> usize {
        let kept = (1.0 - self.validation_share) * text.chars().count() as f64;
        text.char_indices().nth(kept as usize).map_or(text.len(), |(position, _)| position)
    }
}

/// A document, parted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts<'t> {
    /// What is trained on; may be empty.
    pub train: &'t str,
    /// What is kept for validation; may be empty.
    pub validation: &'t str,
}

/// BLAKE3 of a document's text: says its side, and tells copies from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct DocumentHash([u8; 32]);

impl DocumentHash {
    /// The hash of a text.
    pub(super) fn of(text: &str) -> Self {
        Self(*blake3::hash(text.as_bytes()).as_bytes())
    }

    /// Whether the first eight bytes, little-endian, make a number in the first `share` of all.
    fn is_below(self, share: f64) -> bool {
        let number = u64::from_le_bytes(*self.0.first_chunk().expect("32 bytes begin with 8"));
        number < (share * 2_f64.powi(64)) as u64
    }
}

/// The documents that have been seen, by half of their hash: about 24 bytes each, and no two of 10^12 documents are likely to share it.
#[derive(Debug, Default)]
pub(super) struct Seen(HashSet<[u8; 16]>);

impl Seen {
    /// Whether the document is the first of its copies.
    pub(super) fn is_new(&mut self, hash: DocumentHash) -> bool {
        self.0.insert(*hash.0.first_chunk().expect("32 bytes begin with 16"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shares_outside_of_zero_and_one_are_refused() {
        for share in [-0.1, 1.0, f64::NAN, f64::INFINITY] {
            assert!(Split::by_document(share).is_err() && Split::by_position(share).is_err(), "{share}");
        }
    }

    #[test]
    fn about_the_share_of_documents_is_kept() {
        let split = Split::by_document(0.1).unwrap();
        let kept = (0..20_000).filter(|number| !split.parts(&format!("document {number}")).validation.is_empty()).count();
        // Five standard deviations of a binomial of 20,000 draws at a tenth.
        assert!(kept.abs_diff(2000) < 212, "{kept}");
        let none = Split::by_document(0.0).unwrap();
        assert!((0..1000).all(|number| none.parts(&format!("document {number}")).validation.is_empty()));
    }

    /// A larger share keeps what a smaller one kept: shares can be changed without training text turning into validation text and back.
    #[test]
    fn shares_are_nested_and_sides_are_fixed_for_good() {
        let sides = |share| {
            let split = Split::by_document(share).unwrap();
            (0..1000).map(move |number| !split.parts(&format!("document {number}")).validation.is_empty())
        };
        assert!(sides(0.05).zip(sides(0.3)).all(|(small, large)| large || !small));
        let kept: Vec<usize> = sides(0.05).enumerate().filter_map(|(number, kept)| kept.then_some(number)).take(4).collect();
        assert_eq!(kept, [0, 33, 39, 137], "recorded: what was kept once is kept for good");
    }

    #[test]
    fn positions_count_characters_and_round_as_nanogpt_does() {
        let split = Split::by_position(0.1).unwrap();
        assert_eq!(split.parts("äöüäöüäöüß").validation, "ß");
        // int(0.9 * 15) = 13
        assert_eq!(split.parts("abcdefghijklmno").train, "abcdefghijklm");
        assert_eq!(split.parts(""), Parts { train: "", validation: "" });
        assert_eq!(Split::by_position(0.0).unwrap().parts("abc").train, "abc");
    }

    #[test]
    fn copies_are_seen() {
        let mut seen = Seen::default();
        let new: Vec<bool> = ["a", "b", "a", "a "].map(|text| seen.is_new(DocumentHash::of(text))).into();
        assert_eq!(new, [true, true, false, true]);
    }

    proptest! {
        #[test]
        fn the_parts_are_the_document(text: String, share in 0.0..1.0_f64, by_position: bool) {
            let split = if by_position { Split::by_position(share) } else { Split::by_document(share) }.unwrap();
            let parts = split.parts(&text);
            prop_assert_eq!([parts.train, parts.validation].concat(), text.as_str());
            prop_assert!(by_position || parts.train.is_empty() || parts.validation.is_empty());
        }
    }
}
