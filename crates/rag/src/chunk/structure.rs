use std::{fmt, sync::Arc};

use jarre_core::TokenCounter;

use super::{
    Chunk, Chunker, counter_fingerprint,
    outline::{Gathered, Piece, sections},
    ruler::Ruler,
};
use crate::{Document, Result};

/// Chunks along the structure of the document: the one to start with.
///
/// Consecutive blocks under the same headings are put together up to the limit, into few chunks of even length. A block that fits is
/// kept whole; a longer one is cut at sentence ends, or between lines for tables and code, and within a sentence or line only where that
/// alone is too long. A chunk's span runs from its first to its last byte, markup between blocks included.
///
/// Headings are not in the span but in [`Chunk::headings`]: [`Chunk::indexed_text`] puts them before the text of every chunk under them,
/// not only of the first, and a citation then quotes sentences and no heading line. So a heading is never the end of a chunk, unless
/// nothing stands under it; then it is text like any other. A character that alone has more tokens than the limit is a chunk of its own.
///
/// ```
/// # use std::sync::Arc;
/// use jarre_rag::{Chunker, chunk::{StructureChunker, WordTokens}};
///
/// let chunker = StructureChunker::new(Arc::new(WordTokens)).with_max_tokens(120);
/// assert!(chunker.fingerprint().starts_with("structure-1(max_tokens=120,min_tokens=32,"));
/// ```
#[derive(Clone)]
pub struct StructureChunker {
    counter: Arc<dyn TokenCounter>,
    max_tokens: usize,
    min_tokens: usize,
}

impl StructureChunker {
    /// Chunks of at most 200 tokens, and of at least 32 where the section has as many.
    pub fn new(counter: Arc<dyn TokenCounter>) -> Self {
        Self { counter, max_tokens: 200, min_tokens: 32 }
    }

    /// The limit in tokens; 0 counts as 1.
    pub fn with_max_tokens(mut self, max_tokens: usize) -> Self {
        self.max_tokens = max_tokens.max(1);
        self
    }

    /// The tokens that a chunk should have at least; shorter ones are made where nothing else fits: the section is as short, or its
    /// blocks are so long that a short one between them has no room.
    pub fn with_min_tokens(mut self, min_tokens: usize) -> Self {
        self.min_tokens = min_tokens;
        self
    }
}

impl Chunker for StructureChunker {
    fn fingerprint(&self) -> String {
        let counter = counter_fingerprint(&*self.counter);
        format!("structure-1(max_tokens={},min_tokens={},counter={counter})", self.max_tokens, self.min_tokens)
    }

    fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    fn chunk(&self, document: &Document) -> Result<Vec<Chunk>> {
        let ruler = Ruler::new(&document.text, &*self.counter, self.max_tokens);
        let mut chunks = Gathered::new(document);
        for section in sections(document) {
            let pieces: Vec<Piece> = section.bodies.iter().flat_map(|body| body.pieces(&ruler, &document.text)).collect();
            chunks.pack(&pieces, &ruler, self.min_tokens, &section.headings);
        }
        Ok(chunks.into_chunks())
    }
}

impl fmt::Debug for StructureChunker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (max, min) = (&self.max_tokens, &self.min_tokens);
        f.debug_struct("StructureChunker").field("max_tokens", max).field("min_tokens", min).finish_non_exhaustive()
    }
}
