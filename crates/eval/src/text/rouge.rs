use serde::{Deserialize, Serialize};

use super::{
    bits,
    ngram::{Interner, Ngrams},
    porter,
};

/// ROUGE-1, ROUGE-2 and ROUGE-L (Lin 2004) as the package `rouge-score` computes them: over the words of the whole text, which are runs of
/// ASCII letters and digits in lower case.
///
/// Text in other scripts has no such words, and scores 0: [`Chrf`](super::Chrf) is for those.
///
/// ```
/// use jarre_eval::text::{Rouge, RougeVariant};
///
/// let rouge = Rouge::new(RougeVariant::L);
/// let score = rouge.score("the cat was found under the bed", "the cat was under the bed");
/// assert_eq!((score.precision, score.recall), (6.0 / 7.0, 1.0));
/// assert_eq!(rouge.with_stemming().score("running", "runs").f1, 1.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rouge {
    variant: RougeVariant,
    stem: bool,
}

/// Which ROUGE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RougeVariant {
    /// Words, ROUGE-1.
    One,
    /// Pairs of words, ROUGE-2.
    Two,
    /// The longest common subsequence, ROUGE-L. Of each text 100,000 words are aligned; those beyond count as not shared.
    #[default]
    L,
}

/// Precision, recall and their harmonic mean, from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RougeScore {
    /// The share of the text that stands in the reference.
    pub precision: f64,
    /// The share of the reference that stands in the text.
    pub recall: f64,
    /// The harmonic mean of the two; 0 where both are.
    pub f1: f64,
}

impl Rouge {
    /// A variant, words compared as they stand.
    pub fn new(variant: RougeVariant) -> Self {
        Self { variant, stem: false }
    }

    /// Compares stems of words, by Porter's stemmer for English as NLTK has it.
    pub fn with_stemming(mut self) -> Self {
        self.stem = true;
        self
    }

    /// Scores `hypothesis` against one reference; all is 0 where one of the two has no words.
    pub fn score(self, hypothesis: &str, reference: &str) -> RougeScore {
        let [hypothesis, reference] = [hypothesis, reference].map(|text| self.words(text));
        let mut interner = Interner::default();
        let [hypothesis, reference] = [&hypothesis, &reference].map(|words| interner.ids(words.iter().map(String::as_str)));
        match self.variant {
            RougeVariant::One => RougeScore::of_ngrams(&hypothesis, &reference, 1),
            RougeVariant::Two => RougeScore::of_ngrams(&hypothesis, &reference, 2),
            RougeVariant::L => {
                let shared = bits::common_subsequence(&hypothesis, &reference);
                RougeScore::new(shared as f64, hypothesis.len() as f64, reference.len() as f64)
            }
        }
    }

    /// The score by the reference with the best F1; all is 0 without references.
    pub fn best<R: AsRef<str>>(self, hypothesis: &str, references: &[R]) -> RougeScore {
        let scores = references.iter().map(|reference| self.score(hypothesis, reference.as_ref()));
        scores.max_by(|left, right| left.f1.total_cmp(&right.f1)).unwrap_or_default()
    }

    fn words(self, text: &str) -> Vec<String> {
        let lower = text.to_lowercase();
        let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        words.map(|word| if self.stem && word.len() > 3 { porter::stem(word) } else { word.to_owned() }).collect()
    }
}

impl RougeScore {
    fn of_ngrams(hypothesis: &[u32], reference: &[u32], n: usize) -> Self {
        let [hypothesis, reference] = [hypothesis, reference].map(|words| Ngrams::count(words, n));
        Self::new(hypothesis.shared(&reference) as f64, hypothesis.total() as f64, reference.total() as f64)
    }

    fn new(shared: f64, hypothesis: f64, reference: f64) -> Self {
        if shared == 0.0 {
            return Self::default();
        }
        let (precision, recall) = (shared / hypothesis, shared / reference);
        Self { precision, recall, f1: 2.0 * precision * recall / (precision + recall) }
    }
}
