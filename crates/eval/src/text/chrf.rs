use std::{iter::Sum, ops::Add};

use serde::{Deserialize, Serialize};

use super::ngram::{Interner, Ngrams};

const CHARACTERS: usize = 6;
const LONGEST_WORDS: usize = 2;
const ORDERS: usize = CHARACTERS + LONGEST_WORDS;
/// Recall weighs this much more than precision.
const BETA: f64 = 2.0;

/// chrF and chrF++ as sacreBLEU computes them (Popović 2015, 2017): the F2 of n-grams of one to six characters, white space left out, and
/// for chrF++ of one and two words. Scores are from 0 to 100.
///
/// ```
/// use jarre_eval::text::Chrf;
///
/// let score = Chrf::default().sentence("The cat sat on the mat.", &["The cat sat on a mat."]);
/// assert!((score - 71.42).abs() < 0.01);
/// assert_eq!(Chrf::plus_plus().signature(1), "nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no|version:2.6.0");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Chrf {
    /// Whether n-grams of words count too: chrF++.
    pub words: bool,
    /// Whether case does not count.
    pub lowercase: bool,
}

impl Chrf {
    /// chrF++.
    pub fn plus_plus() -> Self {
        Self { words: true, ..Self::default() }
    }

    /// The score of one text by the reference that fits it best; 0 for an empty text, and without references.
    pub fn sentence<R: AsRef<str>>(self, hypothesis: &str, references: &[R]) -> f64 {
        self.statistics(hypothesis, references).score()
    }

    /// The score of many texts, each with its references: counts are summed before the score is taken.
    pub fn corpus<'t, R: AsRef<str>, I: AsRef<[R]>>(self, texts: impl IntoIterator<Item = (&'t str, I)>) -> f64 {
        let statistics: Statistics = texts.into_iter().map(|(text, references)| self.statistics(text, references.as_ref())).sum();
        statistics.score()
    }

    /// The settings as sacreBLEU prints them, for texts of `references` references each. The version is that of the sacreBLEU whose figures
    /// these are held to.
    pub fn signature(self, references: usize) -> String {
        let case = if self.lowercase { "lc" } else { "mixed" };
        format!("nrefs:{references}|case:{case}|eff:yes|nc:{CHARACTERS}|nw:{}|space:no|version:2.6.0", self.word_orders())
    }

    fn word_orders(self) -> usize {
        if self.words { LONGEST_WORDS } else { 0 }
    }

    /// Counts with the best of the references, the first of equally good ones.
    fn statistics<R: AsRef<str>>(self, hypothesis: &str, references: &[R]) -> Statistics {
        let cased = |text: &str| if self.lowercase { text.to_lowercase() } else { text.to_owned() };
        let hypothesis = cased(hypothesis);
        let compared = references.iter().map(|reference| self.compare(&hypothesis, &cased(reference.as_ref())));
        let better = |best: Statistics, other: Statistics| if other.score() > best.score() { other } else { best };
        compared.reduce(better).unwrap_or_default()
    }

    fn compare(self, hypothesis: &str, reference: &str) -> Statistics {
        let mut interner = Interner::default();
        let characters = [hypothesis, reference].map(|text| text.chars().filter(|c| !c.is_whitespace()).map(u32::from).collect::<Vec<_>>());
        let words = [hypothesis, reference].map(|text| interner.ids(words(text)));
        let orders = CHARACTERS + self.word_orders();
        Statistics(std::array::from_fn(|order| match order {
            _ if order < CHARACTERS => Counts::of(&characters, order + 1),
            _ if order < orders => Counts::of(&words, order + 1 - CHARACTERS),
            _ => Counts::default(),
        }))
    }
}

#[derive(Clone, Copy, Default)]
struct Counts {
    hypothesis: u64,
    reference: u64,
    shared: u64,
}

impl Counts {
    fn of([hypothesis, reference]: &[Vec<u32>; 2], n: usize) -> Self {
        let [hypothesis, reference] = [hypothesis, reference].map(|symbols| Ngrams::count(symbols, n));
        // An order that the reference is too short for counts for neither side.
        let possible = if reference.total() > 0 { hypothesis.total() } else { 0 };
        Self { hypothesis: possible, reference: reference.total(), shared: hypothesis.shared(&reference) }
    }
}

/// Counts by order that add up over texts.
#[derive(Clone, Copy, Default)]
struct Statistics([Counts; ORDERS]);

impl Statistics {
    /// F2 of the mean precision and the mean recall over the orders that both sides have, in percent.
    fn score(&self) -> f64 {
        let both = self.0.iter().filter(|counts| counts.hypothesis > 0 && counts.reference > 0);
        let sum = |(precision, recall), counts: &Counts| {
            let shared = counts.shared as f64;
            (precision + shared / counts.hypothesis as f64, recall + shared / counts.reference as f64)
        };
        let orders = both.clone().count() as f64;
        let (precision, recall) = both.fold((0.0, 0.0), sum);
        if precision + recall == 0.0 {
            return 0.0;
        }
        let (precision, recall) = (precision / orders, recall / orders);
        100.0 * (1.0 + BETA * BETA) * precision * recall / (BETA * BETA * precision + recall)
    }
}

impl Add for Statistics {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|order| {
            let (left, right) = (self.0[order], other.0[order]);
            Counts {
                hypothesis: left.hypothesis + right.hypothesis,
                reference: left.reference + right.reference,
                shared: left.shared + right.shared,
            }
        }))
    }
}

impl Sum for Statistics {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Self::add)
    }
}

/// Words, of which one ASCII punctuation mark at the end, or else at the beginning, stands alone.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().flat_map(|word| {
        let (first, last) =
            (word.chars().next().map_or(0, char::len_utf8), word.len() - word.chars().next_back().map_or(0, char::len_utf8));
        let parts = match word {
            _ if last == 0 => (word, ""),
            _ if word.ends_with(|c: char| c.is_ascii_punctuation()) => word.split_at(last),
            _ if word.starts_with(|c: char| c.is_ascii_punctuation()) => word.split_at(first),
            _ => (word, ""),
        };
        [parts.0, parts.1].into_iter().filter(|part| !part.is_empty())
    })
}
