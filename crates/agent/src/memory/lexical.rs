use std::collections::{BTreeMap, BTreeSet};

use super::words::words;

/// How alike two failures are by their words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lexical {
    /// BM25 with `k1` 1.2 and `b` 0.75 (Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework"): rare words weigh more.
    Bm25,
    /// The share of words that both have of those that either has: the better of the two on the failures of `tests/memory`.
    #[default]
    Jaccard,
}

impl Lexical {
    /// How like each of `texts` is to `query`, 0 where they share no word. Scores of one call can be compared with each other alone.
    ///
    /// ```
    /// use jarre_agent::memory::Lexical;
    ///
    /// let kept = ["index out of bounds: the len is 3", "cannot borrow `x` as mutable"];
    /// let scores = Lexical::Bm25.scores("thread panicked: index out of bounds, the len is 9", &kept);
    /// assert!(scores[0] > scores[1]);
    /// ```
    pub fn scores(self, query: &str, texts: &[&str]) -> Vec<f32> {
        let query = words(query);
        let texts: Vec<_> = texts.iter().map(|text| words(text)).collect();
        match self {
            Self::Bm25 => bm25(&query, &texts),
            Self::Jaccard => texts.iter().map(|text| jaccard(&query, text)).collect(),
        }
    }
}

/// How alike two texts are, from 0 to 1; two without words are.
pub(super) fn alike(a: &str, b: &str) -> f32 {
    jaccard(&words(a), &words(b))
}

fn jaccard(a: &BTreeMap<String, u32>, b: &BTreeMap<String, u32>) -> f32 {
    let either = a.keys().chain(b.keys()).collect::<BTreeSet<_>>().len();
    let both = a.keys().filter(|word| b.contains_key(*word)).count();
    if either == 0 { 1.0 } else { both as f32 / either as f32 }
}

fn bm25(query: &BTreeMap<String, u32>, texts: &[BTreeMap<String, u32>]) -> Vec<f32> {
    const K1: f32 = 1.2;
    const B: f32 = 0.75;
    let length = |text: &BTreeMap<String, u32>| text.values().sum::<u32>() as f32;
    let mean = (texts.iter().map(length).sum::<f32>() / texts.len().max(1) as f32).max(1.0);
    let weights: BTreeMap<&String, f32> = query
        .keys()
        .map(|word| {
            let having = texts.iter().filter(|text| text.contains_key(word)).count() as f32;
            (word, (1.0 + (texts.len() as f32 - having + 0.5) / (having + 0.5)).ln())
        })
        .collect();
    let score = |text: &BTreeMap<String, u32>| {
        let norm = K1 * (1.0 - B + B * length(text) / mean);
        let term = |(word, weight): (&&String, &f32)| {
            text.get(*word).map_or(0.0, |&times| weight * times as f32 * (K1 + 1.0) / (times as f32 + norm))
        };
        weights.iter().map(term).sum()
    };
    texts.iter().map(score).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rare_word_weighs_more_than_a_common_one() {
        let texts = ["test failed in parser", "test failed in lexer", "test failed in writer", "lexer"];
        let scores = Lexical::Bm25.scores("test lexer", &texts);
        assert!(scores[3] > scores[0] && scores[1] > scores[0], "{scores:?}");
    }

    #[test]
    fn nothing_in_common_is_zero_and_nothing_at_all_is_no_error() {
        for measure in [Lexical::Bm25, Lexical::Jaccard] {
            assert_eq!(measure.scores("alpha", &["beta"]), [0.0]);
            assert!(measure.scores("", &[]).is_empty());
            assert!(measure.scores("", &["", "1 2"]).iter().all(|score| score.is_finite()));
        }
        assert!((alike("a b", "b c") - 1.0 / 3.0).abs() < 1e-6);
    }
}
