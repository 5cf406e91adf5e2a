use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::Arc,
};

use super::{
    sentences::sentences,
    words::{Kind, Word, words},
};
use crate::fnv::Fnv;

/// Sentences that a word may stand in to say which one is meant.
const RARE: usize = 32;
/// Sentences that are shown to a classifier.
const SHOWN: usize = 4;

/// What the sources say, by words.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    sources: Vec<Arc<str>>,
    stems: HashSet<u64>,
    pairs: HashSet<u64>,
    sentences: Vec<Sentence>,
    /// Where a word stands, for words that stand in few sentences.
    places: HashMap<u64, Vec<u32>>,
}

#[derive(Debug)]
struct Sentence {
    source: usize,
    span: Range<usize>,
    negated: bool,
}

/// How well a sentence is held, each share from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Held {
    /// The share of its telling words that stand in the sources.
    pub(super) words: f32,
    /// The share of its pairs of neighbouring words that are neighbours there.
    pub(super) pairs: f32,
    /// The share of its numbers that do not.
    pub(super) missing_numbers: f32,
    /// The share of its names that do not.
    pub(super) missing_names: f32,
    /// Whether it denies what the sentence that is most like it says, or says what that one denies.
    pub(super) contradicts: bool,
}

impl Evidence {
    pub(super) fn of(sources: &[Arc<str>]) -> Self {
        let mut evidence = Self { sources: sources.to_vec(), ..Self::default() };
        for (source, text) in sources.iter().enumerate() {
            for span in sentences(text) {
                let words = words(&text[span.clone()]);
                evidence.add(source, span, &words);
            }
        }
        evidence
    }

    fn add(&mut self, source: usize, span: Range<usize>, words: &[Word]) {
        let index = self.sentences.len() as u32;
        self.sentences.push(Sentence { source, span, negated: negated(words) });
        self.pairs.extend(pairs(words));
        for word in words {
            self.stems.insert(word.stem);
            if tells(word) {
                let places = self.places.entry(word.stem).or_default();
                if places.len() <= RARE && places.last() != Some(&index) {
                    places.push(index);
                }
            }
        }
    }

    /// How well a sentence is held; `None` where it says nothing that could be.
    pub(super) fn holds(&self, sentence: &str) -> Option<Held> {
        let words = words(sentence);
        let missing = |kind: Kind| share(words.iter().filter(|word| word.kind == kind), |word| !self.stems.contains(&word.stem));
        let held = share(words.iter().filter(|word| tells(word)), |word| self.stems.contains(&word.stem))?;
        let nearest = self.nearest(&words).first().copied();
        let telling = words.iter().filter(|word| tells(word)).count();
        let is_like = nearest.filter(|(_, votes)| votes * 2 > telling);
        Some(Held {
            words: held,
            pairs: share(pairs(&words), |pair| self.pairs.contains(pair)).unwrap_or(held),
            missing_numbers: missing(Kind::Number).unwrap_or(0.0),
            missing_names: missing(Kind::Name).unwrap_or(0.0),
            contradicts: is_like.is_some_and(|(index, _)| self.sentences[index].negated != negated(&words)),
        })
    }

    /// The sentences of the sources that are most like `sentence`, in the order of the sources.
    pub(super) fn premise(&self, sentence: &str) -> String {
        let mut nearest: Vec<usize> = self.nearest(&words(sentence)).into_iter().take(SHOWN).map(|(index, _)| index).collect();
        nearest.sort_unstable();
        let text = |index: usize| &self.sources[self.sentences[index].source][self.sentences[index].span.clone()];
        nearest.into_iter().map(text).collect::<Vec<_>>().join(" ")
    }

    /// The sentences that share rare words with these, with how many, most first.
    fn nearest(&self, words: &[Word]) -> Vec<(usize, usize)> {
        let mut votes: HashMap<u32, usize> = HashMap::new();
        let stems: HashSet<u64> = words.iter().filter(|word| tells(word)).map(|word| word.stem).collect();
        for places in stems.iter().filter_map(|stem| self.places.get(stem)).filter(|places| places.len() <= RARE) {
            for place in places {
                *votes.entry(*place).or_default() += 1;
            }
        }
        let mut nearest: Vec<(usize, usize)> = votes.into_iter().map(|(index, votes)| (index as usize, votes)).collect();
        nearest.sort_unstable_by_key(|&(index, votes)| (std::cmp::Reverse(votes), index));
        nearest
    }
}

fn tells(word: &Word) -> bool {
    !matches!(word.kind, Kind::Function | Kind::Negation)
}

fn negated(words: &[Word]) -> bool {
    words.iter().filter(|word| word.kind == Kind::Negation).count() % 2 == 1
}

fn pairs(words: &[Word]) -> impl Iterator<Item = u64> {
    words.windows(2).map(|pair| Fnv::new().push(pair[0].stem).push(pair[1].stem).get())
}

/// The share of `items` that `is`; `None` where there are none.
fn share<T>(items: impl Iterator<Item = T>, is: impl Fn(&T) -> bool) -> Option<f32> {
    let (mut all, mut those) = (0_usize, 0_usize);
    for item in items {
        all += 1;
        those += usize::from(is(&item));
    }
    (all > 0).then(|| those as f32 / all as f32)
}
