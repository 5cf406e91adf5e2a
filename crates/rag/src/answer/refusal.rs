//! When to say that the documents do not answer.

use serde::{Deserialize, Serialize};

use super::{
    Passages, Reason,
    extractive::best,
    features::{Reading, SentenceFeatures},
    question::Matched,
};

/// What speaks for the passages as a whole; as weights, what each of it counts for.
///
/// All signals but the cosine are shares of the question's terms weighted by inverse document frequency, so that they mean the same in
/// every collection; a word that the collection does not have weighs most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Signals {
    /// The best cosine of question and passage; 0 where vectors were not searched.
    pub cosine: f32,
    /// Coverage by the best sentence with what it stands under.
    pub sentence: f32,
    /// Coverage by the passage that it stands in.
    pub passage: f32,
    /// Coverage by the three best passages together.
    pub top: f32,
    /// The share of neighbouring terms that stand near each other in the best sentence too.
    pub closeness: f32,
}

impl Signals {
    pub(super) fn of(reading: &Reading, passages: &Passages<'_>, weights: &SentenceFeatures) -> Self {
        let cosine = passages.list().iter().filter_map(|passage| passage.dense).max_by(f32::total_cmp).unwrap_or(0.0);
        let top = union(reading.passages.iter().take(3).map(|passage| &passage.all), reading);
        let signals = Self { cosine, top: reading.question.coverage(&top), ..Self::default() };
        let Some(sentence) = best(reading, weights) else { return signals };
        let passage = &reading.passages[sentence.candidate.passage];
        Self {
            sentence: reading.question.coverage(&sentence.placed),
            passage: reading.question.coverage(&passage.all),
            closeness: sentence.features.closeness,
            ..signals
        }
    }

    fn dot(&self, other: &Self) -> f32 {
        self.cosine * other.cosine
            + self.sentence * other.sentence
            + self.passage * other.passage
            + self.top * other.top
            + self.closeness * other.closeness
    }
}

/// A logistic model of whether passages answer a question.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RefusalWeights {
    /// What each signal counts for, in log-odds.
    pub signals: Signals,
    /// The log-odds where all signals are 0.
    pub bias: f32,
    /// The least probability that is answered.
    pub threshold: f32,
}

impl RefusalWeights {
    /// The probability, from 0 to 1, that passages of these signals hold the answer.
    pub fn probability(&self, signals: &Signals) -> f32 {
        1.0 / (1.0 + (-(self.signals.dot(signals) + self.bias)).exp())
    }
}

/// Two models: with cosines, and for searches by terms alone.
///
/// The default ones were fitted by `crates/rag/tools/fit_refusal.py` to one half of 684 questions of BeerQA, each asked twice: of the
/// whole collection, and of the collection without the paragraphs that answer it. The threshold is the one that refuses 5 % of the
/// answerable ones. Of the other half it refused 5.2 % of the answerable and 87.3 % of the unanswerable with cosines (area under the ROC
/// curve 0.968), 5.8 % and 81.0 % without (0.945).
///
/// Cosines differ between encoders: the weights for them are those of all-MiniLM-L6-v2, and another encoder deserves a fit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Where passages have cosines.
    pub dense: RefusalWeights,
    /// Where they have none.
    pub sparse: RefusalWeights,
}

impl Calibration {
    /// The model for passages with or without cosines.
    pub fn weights(&self, passages: &Passages<'_>) -> &RefusalWeights {
        if passages.list().iter().any(|passage| passage.dense.is_some()) { &self.dense } else { &self.sparse }
    }
}

impl Default for Calibration {
    fn default() -> Self {
        Self {
            dense: RefusalWeights {
                signals: Signals { cosine: 14.34, sentence: 1.05, passage: 5.39, top: 2.13, closeness: 1.86 },
                bias: -12.01,
                threshold: 0.32,
            },
            sparse: RefusalWeights {
                signals: Signals { cosine: 0.0, sentence: 3.97, passage: 3.31, top: 4.17, closeness: 1.68 },
                bias: -6.9,
                threshold: 0.28,
            },
        }
    }
}

/// What to tell a reader whose question the passages do not answer.
pub(super) fn reason(reading: &Reading) -> Reason {
    let unknown = words(reading, |place| !reading.question.terms[place].is_known);
    if !unknown.is_empty() {
        return Reason::Unknown { words: unknown };
    }
    let everywhere = union(reading.passages.iter().map(|passage| &passage.all), reading);
    let missing = words(reading, |place| !everywhere.0[place]);
    if !missing.is_empty() {
        return Reason::Missing { words: missing };
    }
    let nearest = reading.passages.iter().max_by(|a, b| {
        let coverage = |matched: &Matched| reading.question.coverage(matched);
        coverage(&a.all).total_cmp(&coverage(&b.all))
    });
    let Some(nearest) = nearest else { return Reason::NothingFound };
    let without = words(reading, |place| !nearest.all.0[place]);
    if without.is_empty() {
        return Reason::Weak;
    }
    Reason::Apart { together: words(reading, |place| nearest.all.0[place]), without }
}

/// The words of the question that say something, at the places that `wanted` takes, at most three: the rarest first, of equally rare ones names and numbers.
fn words(reading: &Reading, wanted: impl Fn(usize) -> bool) -> Vec<String> {
    let terms = &reading.question.terms;
    let mut places: Vec<usize> = (0..terms.len()).filter(|&place| !terms[place].is_light && wanted(place)).collect();
    let is_name = |place: usize| terms[place].word.contains(|c: char| c.is_uppercase() || c.is_numeric());
    places.sort_by(|&a, &b| terms[b].weight.total_cmp(&terms[a].weight).then(is_name(b).cmp(&is_name(a))));
    places.truncate(3);
    places.into_iter().map(|place| terms[place].word.clone()).collect()
}

fn union<'m>(parts: impl Iterator<Item = &'m Matched>, reading: &Reading) -> Matched {
    parts.fold(Matched(vec![false; reading.question.terms.len()]), |all, part| all.or(part))
}
