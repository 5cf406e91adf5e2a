use std::{cmp::Ordering, sync::Arc};

use jarre_core::{BoxFuture, Embedder};

use super::{
    Answer, Answerer, Calibration, Citation, Passages, Reason, SentenceFeatures, Signals, Verdict,
    features::{Reading, SentenceReading},
    plain::plain,
    refusal,
};
use crate::{Result, Span};

/// Answers with the one or two sentences that say so, quoted.
///
/// The sentences of the best passages are scored by what of the question they, their headings and their neighbours hold
/// ([`SentenceFeatures`]); no model runs, and a question takes about a millisecond. Where the evidence is too weak by a fitted
/// [`Calibration`] the answer is a refusal that says what is missing.
#[derive(Clone)]
pub struct Extractive {
    weights: SentenceFeatures,
    calibration: Option<Calibration>,
    depth: usize,
    margin: f32,
    embedder: Option<Arc<dyn Embedder>>,
}

/// A sentence and what was made of it, best first in [`Extractive::scored`].
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// The passage that it stands in, as an index.
    pub passage: usize,
    /// Where it stands in the document.
    pub span: Span,
    /// What a reader sees of it.
    pub text: String,
    /// What speaks for it.
    pub features: SentenceFeatures,
    /// The weighted sum of that.
    pub score: f32,
}

impl Extractive {
    /// The default: sentences of the five best passages, no encoder, refusal as calibrated.
    pub fn new() -> Self {
        Self { weights: WEIGHTS, calibration: Some(Calibration::default()), depth: 5, margin: MARGIN, embedder: None }
    }

    /// Scores sentences by other weights.
    pub fn with_weights(mut self, weights: SentenceFeatures) -> Self {
        self.weights = weights;
        self
    }

    /// Refuses by another calibration.
    pub fn with_calibration(mut self, calibration: Calibration) -> Self {
        self.calibration = Some(calibration);
        self
    }

    /// Answers whenever there is a sentence to quote; the confidence is still that of the default calibration.
    pub fn without_refusal(mut self) -> Self {
        self.calibration = None;
        self
    }

    /// Takes sentences from the best `passages`.
    pub fn with_depth(mut self, passages: usize) -> Self {
        self.depth = passages;
        self
    }

    /// Quotes the second-best sentence too where its score is at most `margin` below the best; negative for never.
    pub fn with_margin(mut self, margin: f32) -> Self {
        self.margin = margin;
        self
    }

    /// Has `embedder` compare the four best sentences with the question. That takes the time of encoding five sentences, several times
    /// what all the rest takes; the call blocks.
    pub fn with_embedder(mut self, embedder: Arc<dyn Embedder>) -> Self {
        self.embedder = Some(embedder);
        self
    }

    /// All sentences that were considered, best first: what [`answer`](Answerer::answer) chooses from.
    ///
    /// # Errors
    /// Where the index or the encoder fails.
    pub fn scored(&self, question: &str, passages: &Passages<'_>) -> Result<Vec<Scored>> {
        self.rank(question, &Reading::new(question, passages, self.depth)?)
    }

    /// What the refusal is decided by.
    ///
    /// # Errors
    /// Where the index fails.
    pub fn signals(&self, question: &str, passages: &Passages<'_>) -> Result<Signals> {
        Ok(Signals::of(&Reading::new(question, passages, self.depth)?, passages, &self.weights))
    }

    /// The refusal of a question that the passages do not answer.
    pub(super) fn refusal(&self, question: &str, passages: &Passages<'_>) -> Result<Option<Answer>> {
        Ok(self.judge(&Reading::new(question, passages, self.depth)?, passages).err().map(|refused| *refused))
    }

    /// How likely it is that the passages answer, or the refusal.
    fn judge(&self, reading: &Reading, passages: &Passages<'_>) -> Result<f32, Box<Answer>> {
        if reading.question.is_empty() {
            return Err(Box::new(Answer::refused(Reason::EmptyQuestion, 0.0)));
        }
        if passages.list().is_empty() {
            return Err(Box::new(Answer::refused(Reason::NothingFound, 0.0)));
        }
        let weights = *self.calibration.unwrap_or_default().weights(passages);
        let confidence = weights.probability(&Signals::of(reading, passages, &self.weights));
        let is_weak = self.calibration.is_some() && confidence < weights.threshold;
        if is_weak { Err(Box::new(Answer::refused(refusal::reason(reading), confidence))) } else { Ok(confidence) }
    }

    fn run(&self, question: &str, passages: &Passages<'_>) -> Result<Answer> {
        let reading = Reading::new(question, passages, self.depth)?;
        let confidence = match self.judge(&reading, passages) {
            Ok(confidence) => confidence,
            Err(refused) => return Ok(*refused),
        };
        let chosen = self.choose(self.rank(question, &reading)?);
        if chosen.is_empty() {
            return Ok(Answer::refused(Reason::NothingToQuote, confidence));
        }
        quote(&chosen, passages, confidence)
    }

    fn rank(&self, question: &str, reading: &Reading) -> Result<Vec<Scored>> {
        let mut ranked: Vec<Scored> = reading.sentences.iter().map(|sentence| sentence.scored(&self.weights)).collect();
        ranked.sort_by(by_score);
        if let Some(embedder) = &self.embedder {
            compare(&mut ranked, question, &**embedder)?;
        }
        Ok(ranked)
    }

    /// The best sentence, and a second: the one that says who `he` is, or the next best where it is nearly as good and does not say the
    /// same again. In text order within a passage.
    fn choose(&self, mut ranked: Vec<Scored>) -> Vec<Scored> {
        if ranked.is_empty() {
            return ranked;
        }
        let limit = ranked[0].score - self.margin;
        let is_another = |other: &Scored| other.text != ranked[0].text && other.score >= limit;
        let second = predecessor(&ranked).or_else(|| (1..ranked.len()).find(|&at| is_another(&ranked[at])));
        let second = second.filter(|_| self.margin >= 0.0).map(|at| ranked.swap_remove(at));
        ranked.truncate(1);
        ranked.extend(second);
        if ranked.iter().all(|sentence| sentence.passage == ranked[0].passage) {
            ranked.sort_by_key(|sentence| sentence.span.start);
        }
        ranked
    }
}

/// The sentence before the best one, where that begins with a word that points back.
fn predecessor(ranked: &[Scored]) -> Option<usize> {
    let best = &ranked[0];
    let first = best.text.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty())?;
    if !POINTING.contains(&first) {
        return None;
    }
    let before = |other: &Scored| other.passage == best.passage && other.span.end <= best.span.start;
    let before = ranked.iter().enumerate().filter(|(_, other)| before(other));
    before.max_by_key(|(_, other)| other.span.start).map(|(at, _)| at)
}

/// Words at the head of a sentence that mean something named before it.
const POINTING: [&str; 11] = ["He", "She", "It", "They", "His", "Her", "Its", "Their", "This", "These", "Those"];

impl Default for Extractive {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Extractive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Extractive").field("depth", &self.depth).field("margin", &self.margin).finish_non_exhaustive()
    }
}

impl Answerer for Extractive {
    fn answer<'a>(&'a self, question: &'a str, passages: &'a Passages<'a>) -> BoxFuture<'a, Result<Answer>> {
        Box::pin(async move { self.run(question, passages) })
    }
}

impl SentenceReading {
    fn scored(&self, weights: &SentenceFeatures) -> Scored {
        Scored {
            passage: self.candidate.passage,
            span: self.candidate.span,
            text: self.candidate.text.clone(),
            features: self.features,
            score: self.features.dot(weights),
        }
    }
}

/// The sentence of the greatest score; of equal ones the first.
pub(super) fn best<'r>(reading: &'r Reading, weights: &SentenceFeatures) -> Option<&'r SentenceReading> {
    let score = |sentence: &SentenceReading| sentence.features.dot(weights);
    reading.sentences.iter().reduce(|best, next| if score(next) > score(best) { next } else { best })
}

fn by_score(a: &Scored, b: &Scored) -> Ordering {
    b.score.total_cmp(&a.score).then(a.passage.cmp(&b.passage)).then(a.span.cmp(&b.span))
}

/// Adds to the scores of the first sentences how near they are to the question, and orders them anew.
fn compare(ranked: &mut [Scored], question: &str, embedder: &dyn Embedder) -> Result<()> {
    let count = ranked.len().min(COMPARED);
    let compared = &mut ranked[..count];
    let texts: Vec<&str> = [question].into_iter().chain(compared.iter().map(|sentence| sentence.text.as_str())).collect();
    let vectors = embedder.embed(&texts)?;
    for (index, sentence) in compared.iter_mut().enumerate() {
        sentence.score += NEARNESS * cosine(vectors.row(0), vectors.row(index + 1));
    }
    compared.sort_by(by_score);
    Ok(())
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let norms = (dot(a, a) * dot(b, b)).sqrt();
    if norms > 0.0 { dot(a, b) / norms } else { 0.0 }
}

/// Sentences that an embedder compares, and what a cosine counts for.
const COMPARED: usize = 4;
const NEARNESS: f32 = 8.0;

/// The answer that quotes `chosen`: one citation for sentences with nothing but white space between them.
fn quote(chosen: &[Scored], passages: &Passages<'_>, confidence: f32) -> Result<Answer> {
    let mut places: Vec<(usize, Span)> = Vec::new();
    for sentence in chosen {
        let last =
            places.last_mut().filter(|(passage, span)| *passage == sentence.passage && joins(passages, *passage, *span, sentence.span));
        if let Some((_, span)) = last {
            span.end = sentence.span.end;
        } else {
            places.push((sentence.passage, sentence.span));
        }
    }
    let mut text = String::new();
    let mut citations = Vec::with_capacity(places.len());
    for (index, span) in places {
        let passage = &passages.list()[index];
        let citation = Citation::new(passage, span)?;
        citation.verify(passage.document)?;
        text.push_str(if text.is_empty() { "" } else { " " });
        text.push_str(&plain(&citation.quote, passage.document.format));
        citations.push(citation);
    }
    Ok(Answer { text, verdict: Verdict::Answered, confidence, citations, flags: Vec::new() })
}

fn joins(passages: &Passages<'_>, passage: usize, first: Span, second: Span) -> bool {
    let text = &passages.list()[passage].document.text;
    text.get(first.end..second.start).is_some_and(|between| between.trim().is_empty())
}

/// Fitted by `crates/rag/tools/fit_sentences.py` to the SQuAD questions of BeerQA, of which the first sentence holds the answer for 76 %
/// and one of two for 82 % in five-fold cross-validation. `defines`, `asks` and `leads` are set by hand: those questions say nothing about them.
const WEIGHTS: SentenceFeatures = SentenceFeatures {
    coverage: 8.5,
    context: 6.8,
    before: 4.1,
    after: 3.1,
    closeness: 0.9,
    figure: 1.5,
    no_figure: -1.4,
    kind: 1.4,
    no_kind: -0.6,
    defines: 2.0,
    rank: 0.2,
    dense: 11.5,
    passage: 3.3,
    first: -0.2,
    length: 0.13,
    asks: -6.0,
    leads: -1.0,
};

/// How far the second sentence may lie behind the best. At this margin a third of the questions get a second one; taking it always would
/// add two points.
const MARGIN: f32 = 1.5;
