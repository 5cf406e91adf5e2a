use std::{fmt, sync::Arc};

use jarre_core::TokenCounter;

use super::{
    Chunk, Chunker, counter_fingerprint,
    outline::{Gathered, Outline},
    ruler::Ruler,
};
use crate::{Document, Result, Span};

/// Windows of a fixed number of tokens, each sharing some with the one before.
///
/// Windows run over the whole text, headings and markup included, and begin and end between tokens; white space at their ends is left
/// out. The headings of a chunk are those that its first byte stands under. A character that alone has more tokens than the limit is a
/// chunk of its own.
///
/// ```
/// # use std::sync::Arc;
/// use jarre_rag::{Chunker, chunk::{FixedChunker, WordTokens}};
///
/// let chunker = FixedChunker::new(Arc::new(WordTokens)).with_max_tokens(256).with_overlap(64);
/// assert_eq!(chunker.max_tokens(), 256);
/// ```
#[derive(Clone)]
pub struct FixedChunker {
    counter: Arc<dyn TokenCounter>,
    max_tokens: usize,
    overlap: usize,
}

impl FixedChunker {
    /// Windows of 128 tokens that share 32.
    pub fn new(counter: Arc<dyn TokenCounter>) -> Self {
        Self { counter, max_tokens: 128, overlap: 32 }
    }

    /// The length of a window in tokens; 0 counts as 1.
    pub fn with_max_tokens(mut self, max_tokens: usize) -> Self {
        self.max_tokens = max_tokens.max(1);
        self
    }

    /// The most tokens that a window shares with the one before; where it is not below the window's length, one less than that length.
    pub fn with_overlap(mut self, overlap: usize) -> Self {
        self.overlap = overlap;
        self
    }

    fn overlap(&self) -> usize {
        self.overlap.min(self.max_tokens - 1)
    }
}

impl Chunker for FixedChunker {
    fn fingerprint(&self) -> String {
        format!("fixed-1(max_tokens={},overlap={},counter={})", self.max_tokens, self.overlap(), counter_fingerprint(&*self.counter))
    }

    fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    fn chunk(&self, document: &Document) -> Result<Vec<Chunk>> {
        let ruler = Ruler::new(&document.text, &*self.counter, self.max_tokens);
        let outline = Outline::new(document);
        let mut chunks = Gathered::new(document);
        let mut start = Some(0);
        while let Some(from) = start {
            let end = window_end(&ruler, from, document.text.len());
            start = match Span::new(from, end).trimmed(&document.text) {
                Some(window) => {
                    let fitting = ruler.prefix(window);
                    chunks.push(fitting, outline.headings_at(fitting.0.start));
                    self.next_start(&ruler, fitting.0, &document.text)
                }
                None => (end < document.text.len()).then_some(end),
            };
        }
        Ok(chunks.into_chunks())
    }
}

impl FixedChunker {
    /// Where the window after `window` starts: `overlap` tokens before its end, but past its start; `None` at the end of the text.
    fn next_start(&self, ruler: &Ruler<'_>, window: Span, text: &str) -> Option<usize> {
        let rest = Span::new(window.end, text.len()).trimmed(text)?;
        let shared = ruler.tokens_before(rest.start).saturating_sub(self.overlap());
        let start = ruler.distinct_start(shared).unwrap_or(rest.start).min(rest.start);
        Some(if start > window.start { start } else { rest.start })
    }
}

/// Where the window from `from` ends by the ruler's estimate: past `from`, even where one character has more tokens than the limit.
fn window_end(ruler: &Ruler<'_>, from: usize, text_end: usize) -> usize {
    let index = (ruler.tokens_before(from).saturating_add(ruler.max())).max(ruler.tokens_before(from + 1));
    ruler.start(index).unwrap_or(text_end)
}

impl fmt::Debug for FixedChunker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FixedChunker").field("max_tokens", &self.max_tokens).field("overlap", &self.overlap).finish_non_exhaustive()
    }
}
