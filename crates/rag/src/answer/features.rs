//! What speaks for a sentence.

use serde::{Deserialize, Serialize};

use super::{
    Expected, Passages,
    candidate::{Candidate, candidates},
    question::{Matched, Question},
};
use crate::Result;

/// What is known about a sentence as an answer to a question; as weights, what each of it counts for.
///
/// Coverage is the share of the question's terms, weighted by inverse document frequency, that stand somewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SentenceFeatures {
    /// Coverage by the sentence.
    pub coverage: f32,
    /// What title and headings add to that, and the sentence before where it asks or leads to this one.
    pub context: f32,
    /// What the sentence before adds to both.
    pub before: f32,
    /// What the sentence after adds to both.
    pub after: f32,
    /// The share of neighbouring terms of the question that stand near each other here too.
    pub closeness: f32,
    /// 1 where a date or number is asked for and a new one stands here.
    pub figure: f32,
    /// 1 where one is asked for and none stands here.
    pub no_figure: f32,
    /// 1 where a person, place, name or reason is asked for and something like it stands here.
    pub kind: f32,
    /// 1 where a person or place is asked for and nothing like it stands here.
    pub no_kind: f32,
    /// 1 where a definition is asked for and the sentence reads like one of the thing in question.
    pub defines: f32,
    /// One over the rank of the passage, from 1.
    pub rank: f32,
    /// How far the cosine of the passage is below the best, negative or 0.
    pub dense: f32,
    /// Coverage by the passage, title and headings.
    pub passage: f32,
    /// 1 for the first sentence of a passage.
    pub first: f32,
    /// Tens of terms, at most four.
    pub length: f32,
    /// 1 for a question.
    pub asks: f32,
    /// 1 for a sentence that ends with a colon and leads to what follows.
    pub leads: f32,
}

impl SentenceFeatures {
    /// The sum of the features, each times its weight.
    pub fn dot(&self, weights: &Self) -> f32 {
        self.values().iter().zip(weights.values()).map(|(value, weight)| value * weight).sum()
    }

    fn values(&self) -> [f32; 17] {
        [
            self.coverage,
            self.context,
            self.before,
            self.after,
            self.closeness,
            self.figure,
            self.no_figure,
            self.kind,
            self.no_kind,
            self.defines,
            self.rank,
            self.dense,
            self.passage,
            self.first,
            self.length,
            self.asks,
            self.leads,
        ]
    }
}

/// A question read against its passages: what both the choice of sentences and the refusal look at.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) question: Question,
    pub(super) passages: Vec<PassageReading>,
    pub(super) sentences: Vec<SentenceReading>,
}

/// What of the question a passage has.
#[derive(Debug)]
pub(super) struct PassageReading {
    /// Terms in title and headings.
    pub(super) context: Matched,
    /// Terms in title, headings and text.
    pub(super) all: Matched,
}

/// A candidate and its features.
#[derive(Debug)]
pub(super) struct SentenceReading {
    pub(super) candidate: Candidate,
    /// Terms in the sentence and in what it stands under: title, headings, a question or a colon before it.
    pub(super) placed: Matched,
    pub(super) features: SentenceFeatures,
}

impl Reading {
    /// Reads `question` against `passages`; sentences come from the first `depth` of them.
    ///
    /// # Errors
    /// Where the vocabulary cannot be read.
    pub(super) fn new(question: &str, passages: &Passages<'_>, depth: usize) -> Result<Self> {
        let question = Question::parse(question, passages.vocabulary())?;
        let read = passages.list().iter().map(|passage| {
            let context = question.matched_in(&passage.context().join(". "), passages);
            let all = question.matched_in(passage.text(), passages).or(&context);
            PassageReading { context, all }
        });
        let read: Vec<PassageReading> = read.collect();
        let depth = depth.min(passages.list().len());
        let sentences = SentenceReader { question: &question, passages, read: &read[..depth] }.read();
        Ok(Self { question, passages: read, sentences })
    }
}

impl Question {
    fn matched_in(&self, text: &str, passages: &Passages<'_>) -> Matched {
        let terms = passages.vocabulary().terms(text);
        self.matched(terms.iter().map(|(term, _)| term.as_str()))
    }
}

struct SentenceReader<'r> {
    question: &'r Question,
    passages: &'r Passages<'r>,
    read: &'r [PassageReading],
}

/// A candidate and its terms.
struct Analysed {
    candidate: Candidate,
    terms: Vec<String>,
    matched: Matched,
}

impl SentenceReader<'_> {
    fn read(&self) -> Vec<SentenceReading> {
        let found = candidates(&self.passages.list()[..self.read.len()]);
        let analysed: Vec<Analysed> = found.into_iter().map(|candidate| self.analyse(candidate)).collect();
        let placed: Vec<Matched> = (0..analysed.len()).map(|at| self.placed(&analysed, at)).collect();
        let features: Vec<SentenceFeatures> = (0..analysed.len()).map(|at| self.features(&analysed, at, &placed[at])).collect();
        let together = analysed.into_iter().zip(placed).zip(features);
        together.map(|((Analysed { candidate, .. }, placed), features)| SentenceReading { candidate, placed, features }).collect()
    }

    fn placed(&self, all: &[Analysed], at: usize) -> Matched {
        let Analysed { candidate, matched, .. } = &all[at];
        let placed = matched.or(&self.read[candidate.passage].context);
        let before = at.checked_sub(1).map(|before| &all[before]);
        let leading = before.filter(|before| before.candidate.passage == candidate.passage && before.candidate.text.ends_with(['?', ':']));
        leading.map_or(placed.clone(), |leading| placed.or(&leading.matched))
    }

    fn analyse(&self, candidate: Candidate) -> Analysed {
        let terms: Vec<String> = self.passages.vocabulary().terms(&candidate.text).into_iter().map(|(term, _)| term).collect();
        let matched = self.question.matched(terms.iter().map(String::as_str));
        Analysed { candidate, terms, matched }
    }

    fn features(&self, all: &[Analysed], at: usize, placed: &Matched) -> SentenceFeatures {
        let Analysed { candidate, terms, matched } = &all[at];
        let coverage = |matched: &Matched| self.question.coverage(matched);
        let own = coverage(matched);
        let with_context = coverage(placed);
        let neighbour = |other: Option<&Analysed>| {
            let same = other.filter(|other| other.candidate.passage == candidate.passage);
            same.map_or(0.0, |other| coverage(&placed.or(&other.matched)) - with_context)
        };
        let before = at.checked_sub(1).map(|before| &all[before]);
        let kind = SentenceFeatures::of_kind(&candidate.text, self.question);
        SentenceFeatures {
            coverage: own,
            context: with_context - own,
            before: neighbour(before),
            after: neighbour(all.get(at + 1)),
            closeness: self.question.closeness(terms),
            rank: 1.0 / (candidate.passage + 1) as f32,
            dense: self.dense_gap(candidate.passage),
            passage: coverage(&self.read[candidate.passage].all),
            first: flag(before.is_none_or(|before| before.candidate.passage != candidate.passage)),
            length: terms.len().min(40) as f32 / 10.0,
            asks: flag(candidate.text.ends_with('?')),
            leads: flag(candidate.text.ends_with(':')),
            ..kind
        }
    }

    /// How far the cosine of a passage lies below the best. One that vectors did not find lies below all that they did.
    fn dense_gap(&self, passage: usize) -> f32 {
        let cosines = || self.passages.list().iter().filter_map(|passage| passage.dense);
        let best = cosines().max_by(f32::total_cmp);
        let own = self.passages.list()[passage].dense.or_else(|| cosines().min_by(f32::total_cmp));
        own.zip(best).map_or(0.0, |(own, best)| own - best)
    }
}

impl SentenceFeatures {
    /// The features that tell whether `sentence` holds the sort of thing that is asked for; the rest 0.
    fn of_kind(sentence: &str, question: &Question) -> Self {
        let Some(found) = question.expected.found_in(sentence, question) else { return Self::default() };
        let (yes, no) = (flag(found), flag(!found));
        match question.expected {
            Expected::Date | Expected::Number => Self { figure: yes, no_figure: no, ..Self::default() },
            Expected::Person | Expected::Place => Self { kind: yes, no_kind: no, ..Self::default() },
            Expected::Definition => Self { defines: yes, ..Self::default() },
            _ => Self { kind: yes, ..Self::default() },
        }
    }
}

fn flag(is: bool) -> f32 {
    f32::from(u8::from(is))
}
