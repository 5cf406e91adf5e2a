//! Cutting documents into the pieces that are indexed, found and cited.

mod fixed;
mod outline;
mod pack;
mod ruler;
mod semantic;
mod structure;
mod word_tokens;

use std::fmt;

use jarre_core::TokenCounter;
use serde::{Deserialize, Serialize};

pub use self::{fixed::FixedChunker, semantic::SemanticChunker, structure::StructureChunker, word_tokens::WordTokens};
use crate::{DocId, Document, Result, Span};

/// Cuts a document into chunks.
///
/// Implementations keep the provenance invariant: `document.text[chunk.span]` is the chunk's text, spans are in order, none is empty
/// or only white space, and no chunk is longer than [`max_tokens`](Self::max_tokens).
pub trait Chunker: Send + Sync {
    /// Names the strategy and all its settings; an index built with another one is rebuilt.
    fn fingerprint(&self) -> String;

    /// The most tokens that a chunk may have.
    fn max_tokens(&self) -> usize;

    /// The chunks of `document`, in text order, `ordinal` counting from 0.
    ///
    /// # Errors
    /// Where the strategy needs an embedder and that fails.
    fn chunk(&self, document: &Document) -> Result<Vec<Chunk>>;
}

/// A piece of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Unique within an index; ties between equal scores are broken by it.
    pub id: ChunkId,
    /// Where it stands in [`Document::text`].
    pub span: Span,
    /// The headings that it stands under, outermost first, without markup.
    pub headings: Vec<String>,
    /// The page that it starts on, from 1, for paged formats.
    pub page: Option<u32>,
    /// Its length in tokens of the chunker's counter.
    pub tokens: usize,
}

impl Chunk {
    /// What is embedded and indexed for this chunk: the title and headings that it stands under, each once, then its text, joined by
    /// `". "`; a sentence out of context is found by the words of its context too.
    ///
    /// # Panics
    /// Where the chunk is not of `document`.
    pub fn indexed_text(&self, document: &Document) -> String {
        let mut parts: Vec<&str> = Vec::new();
        for part in document.title.iter().chain(&self.headings).map(String::as_str) {
            if !part.is_empty() && !parts.contains(&part) {
                parts.push(part);
            }
        }
        parts.push(self.span.of(&document.text).expect("a chunk's span lies in its document"));
        parts.join(". ")
    }
}

/// Names a chunk: the document and the chunk's place in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChunkId {
    /// The document.
    pub doc: DocId,
    /// Place among the document's chunks, from 0.
    pub ordinal: u32,
}

impl fmt::Display for ChunkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.doc, self.ordinal)
    }
}

/// Tells counters apart by what they do with a text of several scripts, since they have no names of their own.
fn counter_fingerprint(counter: &dyn TokenCounter) -> String {
    const PROBE: &str =
        "Retrieval-augmented generation isn't\n\tmagic: 3.14 naïve_tokenisers mis-count, e.g. Straße, 東京タワー, Привет, 👩‍👩‍👧 \u{1}.";
    let spans = counter.token_spans(PROBE);
    let bytes: Vec<u8> = spans.iter().flat_map(|span| [span.start as u8, span.end as u8]).collect();
    blake3::hash(&bytes).to_hex()[..8].to_owned()
}
