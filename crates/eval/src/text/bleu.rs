use std::{fmt, iter::Sum, ops::Add};

use serde::{Deserialize, Serialize};

use super::ngram::{Interner, Ngrams};

const ORDER: usize = 4;

/// BLEU as sacreBLEU computes it (Papineni et al. 2002, Post 2018): the tokenizer of `mteval-v13a`, n-grams up to four words, exponential
/// smoothing. Scores are from 0 to 100.
///
/// ```
/// use jarre_eval::text::Bleu;
///
/// let bleu = Bleu::default();
/// let score = bleu.corpus([("The cat sat on the mat.", ["The cat sat on a mat."])]);
/// assert!((score.score - 48.89).abs() < 0.01);
/// assert_eq!(bleu.signature(1), "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bleu {
    /// Whether case does not count.
    pub lowercase: bool,
    /// Whether only orders count that the text is long enough to have: made for single sentences, where without it one of three words
    /// scores 0.
    pub effective_order: bool,
}

/// What BLEU is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BleuScore {
    /// The score, from 0 to 100.
    pub score: f64,
    /// The precision of n-grams of one to four words, from 0 to 100, smoothed.
    pub precisions: [f64; ORDER],
    /// What the precisions' mean is multiplied by because the text is short, from 0 to 1.
    pub brevity_penalty: f64,
    /// Tokens of the texts scored.
    pub hypothesis_length: u64,
    /// Tokens of the references that come closest in length.
    pub reference_length: u64,
}

impl Bleu {
    /// BLEU for one sentence: [`effective_order`](Self::effective_order) is on.
    pub fn sentence_level() -> Self {
        Self { effective_order: true, ..Self::default() }
    }

    /// The score of one text; of nothing, and without references, it is 0.
    pub fn sentence<R: AsRef<str>>(self, hypothesis: &str, references: &[R]) -> BleuScore {
        self.score(self.statistics(hypothesis, references))
    }

    /// The score of many texts, each with its references: counts are summed before precisions are taken, so this is no mean of sentences'
    /// scores, and an interval of it needs counts drawn again.
    pub fn corpus<'t, R: AsRef<str>, I: AsRef<[R]>>(self, texts: impl IntoIterator<Item = (&'t str, I)>) -> BleuScore {
        let statistics: Statistics = texts.into_iter().map(|(text, references)| self.statistics(text, references.as_ref())).sum();
        self.score(statistics)
    }

    /// The settings as sacreBLEU prints them, for texts of `references` references each. The version is that of the sacreBLEU whose figures
    /// these are held to.
    pub fn signature(self, references: usize) -> String {
        let case = if self.lowercase { "lc" } else { "mixed" };
        let effective = if self.effective_order { "yes" } else { "no" };
        format!("nrefs:{references}|case:{case}|eff:{effective}|tok:13a|smooth:exp|version:2.6.0")
    }

    fn statistics<R: AsRef<str>>(self, hypothesis: &str, references: &[R]) -> Statistics {
        let tokenized: Vec<String> = references.iter().map(|reference| self.tokenize(reference.as_ref())).collect();
        let hypothesis = self.tokenize(hypothesis);
        let mut interner = Interner::default();
        let hypothesis = interner.ids(hypothesis.split_whitespace());
        let references: Vec<Vec<u32>> = tokenized.iter().map(|reference| interner.ids(reference.split_whitespace())).collect();
        let counts = std::array::from_fn(|order| {
            let counted = Ngrams::count(&hypothesis, order + 1);
            let wanted = references.iter().map(|reference| Ngrams::count(reference, order + 1)).fold(Ngrams::default(), Ngrams::union);
            (counted.shared(&wanted), counted.total())
        });
        // The shorter one where two are equally close.
        let lengths = references.iter().map(|reference| reference.len() as u64);
        let reference_length = lengths.min_by_key(|length| (length.abs_diff(hypothesis.len() as u64), *length)).unwrap_or(0);
        Statistics { counts, hypothesis_length: hypothesis.len() as u64, reference_length }
    }

    fn tokenize(self, text: &str) -> String {
        let text = text.trim_end();
        if self.lowercase { tokenize_13a(&text.to_lowercase()) } else { tokenize_13a(text) }
    }

    fn score(self, statistics: Statistics) -> BleuScore {
        let Statistics { counts, hypothesis_length, reference_length } = statistics;
        let brevity_penalty = brevity_penalty(hypothesis_length, reference_length);
        let unscored = BleuScore { brevity_penalty, hypothesis_length, reference_length, ..BleuScore::default() };
        if counts.iter().all(|(shared, _)| *shared == 0) {
            return unscored;
        }
        let precisions = smoothed(counts);
        let longest = if self.effective_order { counts.iter().take_while(|(_, total)| *total > 0).count() } else { ORDER };
        let logs: f64 = precisions[..longest].iter().map(|precision| precision.ln()).sum();
        BleuScore { score: brevity_penalty * (logs / longest as f64).exp(), precisions, ..unscored }
    }
}

impl fmt::Display for BleuScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, two, three, four] = self.precisions;
        write!(f, "BLEU = {:.2} {one:.1}/{two:.1}/{three:.1}/{four:.1} (BP = {:.3})", self.score, self.brevity_penalty)
    }
}

/// Counts that add up over texts.
#[derive(Clone, Copy, Default)]
struct Statistics {
    /// N-grams shared with the references, and all, for each order.
    counts: [(u64, u64); ORDER],
    hypothesis_length: u64,
    reference_length: u64,
}

impl Add for Statistics {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            counts: std::array::from_fn(|order| {
                (self.counts[order].0 + other.counts[order].0, self.counts[order].1 + other.counts[order].1)
            }),
            hypothesis_length: self.hypothesis_length + other.hypothesis_length,
            reference_length: self.reference_length + other.reference_length,
        }
    }
}

impl Sum for Statistics {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Self::add)
    }
}

fn brevity_penalty(hypothesis: u64, reference: u64) -> f64 {
    match hypothesis {
        _ if hypothesis >= reference => 1.0,
        0 => 0.0,
        _ => (1.0 - reference as f64 / hypothesis as f64).exp(),
    }
}

/// Precisions in percent, where those without a match count half of one match, the next such order a quarter, and so on (method 3 of Chen
/// and Cherry 2014).
fn smoothed(counts: [(u64, u64); ORDER]) -> [f64; ORDER] {
    let mut share = 1.0;
    counts.map(|(shared, total)| match (shared, total) {
        (_, 0) => 0.0,
        (0, _) => {
            share /= 2.0;
            100.0 * share / total as f64
        }
        _ => 100.0 * shared as f64 / total as f64,
    })
}

/// The tokens of `mteval-v13a` with white space between them: ASCII punctuation stands alone, but a point or comma between digits does not.
fn tokenize_13a(text: &str) -> String {
    let mut text = text.replace("<skipped>", "").replace("-\n", "").replace('\n', " ");
    for (entity, character) in [("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")] {
        text = text.replace(entity, character);
    }
    let (is_stop, no_digit) = (|c| matches!(c, '.' | ','), |c: char| !c.is_ascii_digit());
    let text = split_pairs(&spaced_punctuation(&text), no_digit, is_stop, ["", " ", " "]);
    let text = split_pairs(&text, is_stop, no_digit, [" ", " ", ""]);
    split_pairs(&text, |c| c.is_ascii_digit(), |c| c == '-', ["", " ", " "])
}

/// Spaces around the text, and around ASCII punctuation but for `'`, `,`, `-` and `.`.
fn spaced_punctuation(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len() + 2);
    spaced.push(' ');
    for c in text.chars() {
        let alone = c.is_ascii_punctuation() && !matches!(c, '\'' | ',' | '-' | '.');
        if alone { spaced.extend([' ', c, ' ']) } else { spaced.push(c) }
    }
    spaced.push(' ');
    spaced
}

/// Puts `[before, between, after]` around the characters of each pair, pairs read from the left and sharing none.
fn split_pairs(text: &str, left: impl Fn(char) -> bool, right: impl Fn(char) -> bool, [before, between, after]: [&str; 3]) -> String {
    let mut split = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(first) = characters.next() {
        match characters.next_if(|second| left(first) && right(*second)) {
            Some(second) => split.extend([before, first.encode_utf8(&mut [0; 4]), between, second.encode_utf8(&mut [0; 4]), after]),
            None => split.push(first),
        }
    }
    split
}
