//! How texts and queries become terms: one analyser for both, so that they meet.

use std::sync::LazyLock;

use tantivy::tokenizer::{Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer, StopWordFilter, TextAnalyzer};

use crate::Span;

/// Names the analysis; stored in the index, because terms of two analyses do not meet.
pub(super) const ANALYZER: &str = "words, lower case, English stop words, English Snowball stems: 1";

/// Longer runs of letters and digits are no words: hashes, encoded data.
const LONGEST_WORD: usize = 64;

/// The terms of `text` in order, each with the bytes that it was made of: maximal runs of letters and digits, in lower case, without
/// English stop words (Lucene's list of 33) and words over 64 bytes, reduced to their stem by the English Snowball algorithm.
///
/// ```
/// use jarre_rag::{Span, index::terms};
///
/// assert_eq!(terms("The cats ran"), [("cat".to_owned(), Span::new(4, 8)), ("ran".to_owned(), Span::new(9, 12))]);
/// ```
pub fn terms(text: &str) -> Vec<(String, Span)> {
    let mut analyzer = ANALYSIS.clone();
    let mut stream = analyzer.token_stream(text);
    let mut found = Vec::new();
    stream.process(&mut |token| found.push((token.text.clone(), Span::new(token.offset_from, token.offset_to))));
    found
}

static ANALYSIS: LazyLock<TextAnalyzer> = LazyLock::new(|| {
    let stop_words = StopWordFilter::new(Language::English).expect("tantivy has a list of stop words for English");
    TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(LONGEST_WORD + 1))
        .filter(LowerCaser)
        .filter(stop_words)
        .filter(Stemmer::new(Language::English))
        .build()
});

#[cfg(test)]
mod tests {
    use super::terms;

    fn words(text: &str) -> Vec<String> {
        terms(text).into_iter().map(|(term, _)| term).collect()
    }

    #[test]
    fn inflections_share_a_term_and_stop_words_have_none() {
        assert_eq!(words("Connections to the connected"), ["connect", "connect"]);
        assert!(words("to be, or not to the").is_empty());
    }

    #[test]
    fn spans_are_bytes_of_the_original_text() {
        let text = "Größe – naïve CAFÉS 東京!";
        for (term, span) in terms(text) {
            let original = span.of(text).unwrap().to_lowercase();
            assert!(original.starts_with(&term) || term.starts_with(&original), "{term} from {original}");
        }
        assert_eq!(terms(text).len(), 4);
    }

    #[test]
    fn what_is_too_long_for_a_word_is_left_out() {
        assert_eq!(words(&"x".repeat(64)).len(), 1);
        assert!(words(&"x".repeat(65)).is_empty());
    }
}
