//! What must hold whatever the input is; the targets under `targets/` call it with bytes that libFuzzer makes up.

pub mod damage;

use std::time::Duration;

use jarre_rag::{
    BlockKind, Chunk, Chunker, DocId, Document, Format, Span,
    ingest::{self, Limits, Reason},
};

/// The name of every document here.
pub const NAME: &str = "fuzzed";

/// Reads `bytes` and holds what comes out to [`assert_well_formed`]. An `Err` is an answer too, but for text formats "the parser
/// panicked" and "it took too long" are not.
pub fn read(format: Format, bytes: &[u8]) -> Option<Document> {
    let limits = Limits { max_time: Duration::from_secs(5), ..Limits::default() };
    match ingest::read_bytes(DocId(NAME.to_owned()), NAME, format, bytes, &limits) {
        Ok(document) => {
            assert_well_formed(&document);
            Some(document)
        }
        Err(unreadable) => {
            let defect = matches!(unreadable.reason, Reason::Panicked { .. } | Reason::TimedOut { .. });
            assert!(format == Format::Pdf || !defect, "{unreadable}");
            None
        }
    }
}

/// Blocks stand in order, apart, on character boundaries, and hold more than white space; pages count from 1.
///
/// # Panics
/// Where one of these does not hold.
pub fn assert_well_formed(document: &Document) {
    let mut end = 0;
    for block in &document.blocks {
        assert!(end <= block.span.start, "{:?} overlaps the block before it, which ends at {end}", block.span);
        let text = slice(document, block.span);
        assert!(!text.trim().is_empty(), "{:?} is blank", block.span);
        assert_ne!(block.page, Some(0), "pages count from 1");
        end = block.span.end;
    }
}

/// The contract of [`Chunker`]: the spans lie in the source, in order, none is blank, none is over the limit, ordinals count from 0.
///
/// # Panics
/// Where the contract is broken.
pub fn assert_provenance(document: &Document, chunker: &dyn Chunker, chunks: &[Chunk]) {
    let mut last = Span::default();
    for (ordinal, chunk) in chunks.iter().enumerate() {
        assert_eq!((chunk.id.doc.0.as_str(), chunk.id.ordinal as usize), (document.id.0.as_str(), ordinal));
        let text = slice(document, chunk.span);
        assert!(!text.trim().is_empty(), "{:?} is blank", chunk.span);
        assert!(last.start <= chunk.span.start && last.end <= chunk.span.end, "{:?} stands before {last:?}", chunk.span);
        assert!(chunk.tokens <= chunker.max_tokens(), "{} tokens in {:?}", chunk.tokens, chunk.span);
        assert!(chunk.indexed_text(document).ends_with(text), "what is indexed is not what is cited");
        last = chunk.span;
    }
}

/// Whatever stands in a block stands in a chunk; headings are carried by [`Chunk::headings`] too, so they need not be chunks.
///
/// # Panics
/// Where text is lost.
pub fn assert_complete(document: &Document, chunks: &[Chunk]) {
    for block in document.blocks.iter().filter(|block| !matches!(block.kind, BlockKind::Heading { .. })) {
        let mut at = block.span.start;
        for chunk in chunks.iter().filter(|chunk| chunk.span.end > block.span.start && chunk.span.start < block.span.end) {
            assert_blank(document, at, chunk.span.start);
            at = at.max(chunk.span.end);
        }
        assert_blank(document, at, block.span.end);
    }
}

fn assert_blank(document: &Document, start: usize, end: usize) {
    if start < end {
        let lost = slice(document, Span::new(start, end));
        assert!(lost.trim().is_empty(), "{lost:?} is in no chunk");
    }
}

fn slice(document: &Document, span: Span) -> &str {
    span.of(&document.text).unwrap_or_else(|| panic!("{span:?} does not lie in {} bytes on character boundaries", document.text.len()))
}
