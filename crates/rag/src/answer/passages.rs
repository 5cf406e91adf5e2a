use crate::{
    Chunk, Document, Result, Span,
    index::{self, Snapshot},
    retrieve::{Leg, RetrievedHit},
};

/// How the words of a collection are counted: the analysis of text into terms, and in how many chunks each stands.
pub trait Vocabulary: Send + Sync {
    /// The terms of a text in order, each with the bytes that it was made of.
    fn terms(&self, text: &str) -> Vec<(String, Span)>;

    /// How many chunks there are.
    fn chunks(&self) -> u64;

    /// In how many chunks a term stands.
    ///
    /// # Errors
    /// Where the index cannot be read.
    fn doc_freq(&self, term: &str) -> Result<u64>;
}

impl Vocabulary for Snapshot {
    fn terms(&self, text: &str) -> Vec<(String, Span)> {
        index::terms(text)
    }

    fn chunks(&self) -> u64 {
        self.len() as u64
    }

    fn doc_freq(&self, term: &str) -> Result<u64> {
        Snapshot::doc_freq(self, term)
    }
}

/// A chunk that was found for a question.
#[derive(Clone, Copy, Debug)]
pub struct Passage<'a> {
    /// The document that it is part of.
    pub document: &'a Document,
    /// Where it stands there.
    pub chunk: &'a Chunk,
    /// What passages are ordered by.
    pub score: f32,
    /// The cosine of question and chunk, where vectors found it.
    pub dense: Option<f32>,
    /// The BM25 score, where terms found it.
    pub sparse: Option<f32>,
}

impl<'a> Passage<'a> {
    /// The text of the chunk.
    ///
    /// # Panics
    /// Where the chunk is not of the document.
    pub fn text(&self) -> &'a str {
        self.chunk.span.of(&self.document.text).expect("a chunk's span lies in its document")
    }

    /// The title and the headings that the chunk stands under, each once, outermost first.
    pub(super) fn context(&self) -> Vec<&'a str> {
        let mut parts: Vec<&str> = Vec::new();
        for part in self.document.title.iter().chain(&self.chunk.headings).map(String::as_str) {
            if !part.is_empty() && !parts.contains(&part) {
                parts.push(part);
            }
        }
        parts
    }
}

/// The chunks that were found for a question, best first, and the vocabulary of the collection that they come from.
#[derive(Clone)]
pub struct Passages<'a> {
    list: Vec<Passage<'a>>,
    vocabulary: &'a dyn Vocabulary,
}

impl<'a> Passages<'a> {
    /// Passages in the order of `list`.
    pub fn new(list: Vec<Passage<'a>>, vocabulary: &'a dyn Vocabulary) -> Self {
        Self { list, vocabulary }
    }

    /// The chunks of a snapshot that a search of it found. Hits that are not in the snapshot are left out.
    pub fn resolve(snapshot: &'a Snapshot, hits: &[RetrievedHit]) -> Self {
        let passage = |hit: &RetrievedHit| {
            let (document, chunk) = snapshot.chunk(&hit.chunk)?;
            let leg = |leg: Leg| hit.legs.iter().find(|found| found.leg == leg).map(|found| found.score);
            Some(Passage { document, chunk, score: hit.score, dense: leg(Leg::Dense), sparse: leg(Leg::Sparse) })
        };
        Self::new(hits.iter().filter_map(passage).collect(), snapshot)
    }

    /// The passages, best first.
    pub fn list(&self) -> &[Passage<'a>] {
        &self.list
    }

    /// The vocabulary of the collection.
    pub fn vocabulary(&self) -> &'a dyn Vocabulary {
        self.vocabulary
    }
}

impl std::fmt::Debug for Passages<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passages").field("list", &self.list).finish_non_exhaustive()
    }
}
