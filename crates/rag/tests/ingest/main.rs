//! Reading files of every format: sound blocks whatever the bytes, the right text from PDFs, and the walk over folders.

#![expect(clippy::unwrap_used, reason = "tests")]

mod corpus;
mod hostile;
mod pdf;
mod pdf_writer;
mod walk;

use jarre_rag::{
    BlockKind, DocId, Document, Format, Span,
    ingest::{self, Limits, Reason},
};

/// Reads `bytes` under the default limits.
fn read(format: Format, bytes: &[u8]) -> Result<Document, Reason> {
    let result = ingest::read_bytes(DocId("doc".to_owned()), "doc", format, bytes, &Limits::default());
    result.map_err(|unreadable| unreadable.reason)
}

/// The texts of a document's blocks.
fn texts(document: &Document) -> Vec<&str> {
    document.blocks.iter().map(|block| block.span.of(&document.text).expect("spans lie in the text")).collect()
}

/// Holds a document to what its blocks promise.
fn assert_sound(document: &Document) {
    let mut before = Span::new(0, 0);
    for block in &document.blocks {
        let text = block.span.of(&document.text);
        let text = text.unwrap_or_else(|| panic!("{:?} is out of range or splits a character of {:?}", block.span, document.text));
        assert!(!text.trim().is_empty(), "an empty block at {:?}", block.span);
        assert!(before.end <= block.span.start, "{:?} comes before the end of {before:?}", block.span);
        if let BlockKind::Heading { level, text } = &block.kind {
            assert!(!text.trim().is_empty() && (1..=6).contains(level), "a heading {text:?} of level {level}");
        }
        before = block.span;
    }
}
