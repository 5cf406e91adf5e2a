use std::collections::{HashMap, HashSet};

use super::{Expected, Vocabulary, expected::is_measure};
use crate::{Result, Span};

/// A question as the features see it.
#[derive(Debug)]
pub(super) struct Question {
    /// What sort of answer it asks for.
    pub(super) expected: Expected,
    /// Its terms that say what it is about, each once, in order.
    pub(super) terms: Vec<Term>,
    /// Neighbouring terms, as indices into `terms`.
    pairs: Vec<(usize, usize)>,
    places: HashMap<String, usize>,
    words: HashSet<String>,
    total: f32,
}

/// A term of a question.
#[derive(Debug)]
pub(super) struct Term {
    /// The word as written.
    pub(super) word: String,
    /// Inverse document frequency, natural logarithm: `ln(1 + (N - n + 0.5) / (n + 0.5))`, as BM25 has it; less for words of little meaning.
    pub(super) weight: f32,
    /// Whether any chunk has it.
    pub(super) is_known: bool,
    /// Whether it says little in any text, so that its absence means nothing.
    pub(super) is_light: bool,
}

impl Question {
    /// Reads `text`.
    ///
    /// # Errors
    /// Where the vocabulary cannot be read.
    pub(super) fn parse(text: &str, vocabulary: &dyn Vocabulary) -> Result<Self> {
        let words: Vec<String> = lower_words(text).collect();
        let all = vocabulary.terms(text);
        let content: Vec<_> = all.iter().filter(|(_, span)| is_content(text, *span)).collect();
        let content = if content.is_empty() { all.iter().collect() } else { content };
        let mut question = Self {
            expected: Expected::of(&words),
            terms: Vec::new(),
            pairs: Vec::new(),
            places: HashMap::new(),
            words: HashSet::new(),
            total: 0.0,
        };
        let mut last = None;
        for (term, span) in content {
            let place = question.place(term, span.of(text).unwrap_or(term), vocabulary)?;
            question.pairs.extend(last.filter(|&last| last != place).map(|last| (last, place)));
            last = Some(place);
        }
        question.total = question.terms.iter().map(|term| term.weight).sum();
        question.words = words.into_iter().collect();
        Ok(question)
    }

    fn place(&mut self, term: &str, word: &str, vocabulary: &dyn Vocabulary) -> Result<usize> {
        if let Some(&place) = self.places.get(term) {
            return Ok(place);
        }
        let found = vocabulary.doc_freq(term)?;
        let is_light = is_light(term);
        let share = if is_light { LIGHT } else { 1.0 };
        let weight = share * inverse_document_frequency(vocabulary.chunks(), found);
        self.terms.push(Term { word: word.to_owned(), weight, is_known: found > 0, is_light });
        self.places.insert(term.to_owned(), self.terms.len() - 1);
        Ok(self.terms.len() - 1)
    }

    /// The place of `term` in [`terms`](Self::terms), where the question has it.
    pub(super) fn find(&self, term: &str) -> Option<usize> {
        self.places.get(term).copied()
    }

    /// Whether the question has `word`, which is in lower case.
    pub(super) fn has_word(&self, word: &str) -> bool {
        self.words.contains(word)
    }

    /// Whether there is nothing to look for.
    pub(super) fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Which terms of the question `terms` hold.
    pub(super) fn matched<'t>(&self, terms: impl IntoIterator<Item = &'t str>) -> Matched {
        let mut matched = Matched(vec![false; self.terms.len()]);
        for place in terms.into_iter().filter_map(|term| self.find(term)) {
            matched.0[place] = true;
        }
        matched
    }

    /// The share of the question's weight that lies on matched terms, from 0 to 1.
    pub(super) fn coverage(&self, matched: &Matched) -> f32 {
        let covered: f32 = self.terms.iter().zip(&matched.0).filter(|(_, hit)| **hit).map(|(term, _)| term.weight).sum();
        if self.total > 0.0 { covered / self.total } else { 0.0 }
    }

    /// The share of the weight of neighbouring terms that stand near each other in `terms` too, from 0 to 1.
    pub(super) fn closeness(&self, terms: &[String]) -> f32 {
        let mut positions: Vec<Vec<usize>> = vec![Vec::new(); self.terms.len()];
        for (at, term) in terms.iter().enumerate() {
            if let Some(place) = self.find(term) {
                positions[place].push(at);
            }
        }
        let near = |a: usize, b: usize| positions[a].iter().any(|at| positions[b].iter().any(|other| at.abs_diff(*other) <= NEAR));
        let (mut found, mut all) = (0.0, 0.0);
        for &(a, b) in &self.pairs {
            let weight = self.terms[a].weight + self.terms[b].weight;
            all += weight;
            found += if near(a, b) { weight } else { 0.0 };
        }
        if all > 0.0 { found / all } else { 0.0 }
    }
}

/// Whether the word at `span` says what the question is about: no function word, and not the `long` of `how long`.
fn is_content(text: &str, span: Span) -> bool {
    let word = &text[span.start..span.end];
    let before = text[..span.start].trim_end();
    let is_asked = before.len() >= 3 && before.get(before.len() - 3..).is_some_and(|last| last.eq_ignore_ascii_case("how"));
    let is_degree = is_asked && is_measure(&word.to_lowercase());
    !is_degree && !is_function_word(word)
}

/// Terms at most this far apart are near.
const NEAR: usize = 3;

/// Which terms of a question were found; same length and order as [`Question::terms`].
#[derive(Clone, Debug)]
pub(super) struct Matched(pub(super) Vec<bool>);

impl Matched {
    /// The terms found in one or the other.
    pub(super) fn or(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| *a || *b).collect())
    }
}

/// `ln(1 + (N - n + 0.5) / (n + 0.5))` for a term in `found` of `all` chunks.
pub(super) fn inverse_document_frequency(all: u64, found: u64) -> f32 {
    let (all, found) = (all as f64, found.min(all) as f64);
    (1.0 + (all - found + 0.5) / (found + 0.5)).ln() as f32
}

/// The words of `text` in lower case: runs of letters and digits.
pub(super) fn lower_words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Whether `word` asks or binds and says nothing of what a question is about. The analysis drops fewer words than this.
pub(super) fn is_function_word(word: &str) -> bool {
    FUNCTION_WORDS.contains(&word.to_lowercase().as_str())
}

const FUNCTION_WORDS: [&str; 67] = [
    "what", "which", "who", "whom", "whose", "when", "where", "why", "how", "do", "does", "did", "done", "can", "could", "may", "might",
    "must", "shall", "should", "would", "has", "have", "had", "having", "were", "been", "being", "am", "i", "me", "my", "we", "us", "you",
    "your", "he", "she", "his", "her", "its", "our", "them", "many", "much", "any", "some", "here", "also", "than", "so", "about", "from",
    "s", "t", "please", "tell", "explain", "give", "show", "mean", "means", "there", "these", "those", "it", "they",
];

/// What a light word weighs of its inverse document frequency.
const LIGHT: f32 = 0.4;

/// Whether `term` says little in any text. In a small collection such a word can be as rare as a name, and a question that says `keep`
/// where the document says `hold` would seem to ask for something else.
fn is_light(term: &str) -> bool {
    LIGHT_TERMS.split_ascii_whitespace().any(|light| light == term)
}

/// Stems of frequent English verbs, adverbs and nouns without much meaning of their own.
const LIGHT_TERMS: &str = "\
    abl across act actual add after against all allow along among amount anoth appli around ask avail avoid away back becam \
    becaus becom befor began begin begun believ best better between big both break bring broken brought build built calcul \
    call came carri case caus certain chang check choos chosen come common compar comput consid consist contain creat \
    current deal dealt decid defin describ determin differ done down dure each enabl ensur even everi exampl exist explain \
    few final find first follow found gave general get give given go goe gone good got handl happen have held help high hold \
    import includ just keep kept kind know known larg last least leav left less let like long look low made main major make \
    mean meant measur more most name need new next number occur off often old onc onli origin other out over own part \
    particular per perform place possibl prevent primari produc provid put ran read refer relat remov requir run said same \
    saw say second see seen serv set sever short show shown similar sinc small sort special start still store support take \
    taken term thing think thought through took total tri turn type typic under until up use usual various via want way well \
    went while within without work write written";
