//! Where one of the words stands before which alone something is looked for.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

use super::{boundary_before, pattern::BEFORE};

/// Words of which one has to begin within what a match sees of the text before it.
#[derive(Clone, Debug)]
pub(super) struct Announcing(Regex);

impl Announcing {
    /// Words in lower case, read in any case; `*` at the end of one stands for any end.
    pub(super) fn new(words: &[&str]) -> Result<Self, regex::Error> {
        let words: Vec<String> = words.iter().map(|word| regex::escape(word.strip_suffix('*').unwrap_or(word))).collect();
        RegexBuilder::new(&words.join("|")).case_insensitive(true).build().map(Self)
    }

    /// The next places of `text` from `at` on where something may begin that a word announces: nothing does before them.
    pub(super) fn starts(&self, text: &str, at: usize) -> Option<Range<usize>> {
        let word = self.0.find_at(text, boundary_before(text, at.saturating_sub(BEFORE)))?;
        // Another word may begin within this one.
        let end = word.end() + BEFORE + 1;
        Some(at.max(word.start() + 1)..end)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::super::{Matcher, Pattern, Seen};
    use crate::{Effect, Finding, Scan};

    const WORDS: [&str; 4] = ["née le", "born*", "orni", "born on"];

    /// Finds numbers before which a word begins, of which `words` tells where it is not empty.
    fn found(words: &[&str], pieces: &[&str]) -> Vec<Finding> {
        let announced = |seen: &Seen<'_>| {
            let before = seen.before.to_lowercase();
            WORDS.iter().any(|word| before.contains(word.trim_end_matches('*'))).then_some(1.0)
        };
        let pattern = Pattern::new("number", r"(?-u:\b)[0-9]{1,3}(?:-[a-z]{2,4})?").unwrap().accepting(announced);
        let pattern = if words.is_empty() { pattern } else { pattern.announced_by(words).unwrap() };
        let mut matcher = Matcher::new(Arc::new([pattern]), |_, _| Effect::Note);
        let mut found = Vec::new();
        for piece in pieces {
            matcher.push(piece, &mut found).unwrap();
        }
        matcher.finish(&mut found).unwrap();
        found
    }

    proptest! {
        #[test]
        fn what_words_announce_is_found_as_if_everything_were_looked_at(
            parts in prop::collection::vec(r"born|BORNi|NÉE LE|n\u{e9}e le |[0-9]{1,4}|-[a-z]{1,5}|[a-z ]{1,9}|.{0,70}", 0..30),
            cut in any::<prop::sample::Index>(),
        ) {
            let text = parts.concat();
            let all = found(&[], &[&text]);
            prop_assert_eq!(&found(&WORDS, &[&text]), &all);
            let pieces: Vec<&str> = parts.iter().map(String::as_str).collect();
            prop_assert_eq!(&found(&WORDS, &pieces), &all);
            let (first, last) = text.split_at(text.floor_char_boundary(cut.index(text.len() + 1)));
            prop_assert_eq!(&found(&WORDS, &[first, last]), &all);
        }
    }

    #[test]
    fn words_reach_64_bytes_and_no_further() {
        for (gap, expected) in [(57, 1), (58, 0)] {
            let text = format!("née le{}7", " ".repeat(gap));
            assert_eq!(found(&WORDS, &[&text]).len(), expected, "{gap}");
        }
    }
}
