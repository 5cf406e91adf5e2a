//! What holds for every chunker, whatever the document and the counter.

use std::{env, path::Path, sync::Arc};

use jarre_core::TokenCounter;
use jarre_rag::{
    BlockKind, Chunk, Chunker, Document, Span,
    chunk::{FixedChunker, SemanticChunker, StructureChunker, WordTokens},
    ingest::{Limits, read_file, walk},
};
use proptest::prelude::*;

use crate::documents::{Counter, TopicEmbedder, arbitrary, markdown_like};

const LETTERS: &[&[&str]] = &[&["a", "e", "日"], &["r", "s", "."], &["t", "n", "é"]];

fn counters() -> impl Strategy<Value = Counter> {
    prop::sample::select(vec![Counter::Words, Counter::Chars, Counter::Bytes, Counter::DearStart, Counter::Ascii])
}

/// The contract of [`Chunker`], and that no text of a block is lost.
fn keeps_contract(chunker: &dyn Chunker, counter: &dyn TokenCounter, document: &Document) -> Result<Vec<Chunk>, TestCaseError> {
    let chunks = chunker.chunk(document).unwrap();
    for (index, chunk) in chunks.iter().enumerate() {
        let text = chunk.span.of(&document.text);
        prop_assert!(text.is_some_and(|text| !text.is_empty() && text.trim() == text), "{:?} of {:?}", chunk.span, document.text);
        let tokens = counter.count_tokens(text.unwrap());
        prop_assert_eq!(tokens, chunk.tokens);
        prop_assert!(tokens <= chunker.max_tokens(), "{} tokens in {:?}", tokens, text);
        prop_assert_eq!((chunk.id.ordinal as usize, &chunk.id.doc), (index, &document.id));
    }
    let lost = uncovered(document, &chunks);
    prop_assert!(lost.is_empty(), "lost {:?} of {:?}", lost, document);
    prop_assert_eq!(&chunks, &chunker.chunk(document).unwrap());
    Ok(chunks)
}

/// The characters of body text that no chunk covers.
fn uncovered(document: &Document, chunks: &[Chunk]) -> String {
    let whole = [Span::new(0, document.text.len())];
    let bodies = document.blocks.iter().filter(|block| !matches!(block.kind, BlockKind::Heading { .. })).map(|block| block.span);
    let bodies: Vec<Span> = if document.blocks.is_empty() { whole.to_vec() } else { bodies.collect() };
    let chars = document.text.char_indices().filter(|(_, c)| !c.is_whitespace());
    let is_in = |at: usize, spans: &[Span]| spans.iter().any(|span| (span.start..span.end).contains(&at));
    let spans: Vec<Span> = chunks.iter().map(|chunk| chunk.span).collect();
    chars.filter(|&(at, _)| is_in(at, &bodies) && !is_in(at, &spans)).map(|(_, c)| c).collect()
}

fn do_not_overlap(chunks: &[Chunk]) -> bool {
    chunks.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start)
}

fn documents() -> impl Strategy<Value = Document> {
    prop_oneof![markdown_like(), arbitrary()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn fixed_windows(document in documents(), counter in counters(), max in 4..60_usize, overlap in 0..70_usize) {
        let chunker = FixedChunker::new(Arc::new(counter)).with_max_tokens(max).with_overlap(overlap);
        let chunks = keeps_contract(&chunker, &counter, &document)?;
        prop_assert!(chunks.windows(2).all(|pair| pair[0].span.start < pair[1].span.start));
        let starts: Vec<usize> = counter.token_spans(&document.text).iter().map(|token| token.start).collect();
        for pair in chunks.windows(2) {
            let shared = pair[1].span.start..pair[0].span.end;
            prop_assert!(starts.iter().filter(|&start| shared.contains(start)).count() <= overlap.min(max - 1));
        }
    }

    #[test]
    fn structure(document in documents(), counter in counters(), max in 4..80_usize, min in 0..40_usize) {
        let chunker = StructureChunker::new(Arc::new(counter)).with_max_tokens(max).with_min_tokens(min);
        let chunks = keeps_contract(&chunker, &counter, &document)?;
        prop_assert!(do_not_overlap(&chunks));
    }

    #[test]
    fn semantic(document in documents(), counter in counters(), max in 4..80_usize, min in 0..40_usize, percentile in 0..=100_u8) {
        let chunker = SemanticChunker::new(Arc::new(counter), Arc::new(TopicEmbedder(LETTERS)))
            .with_max_tokens(max)
            .with_min_tokens(min)
            .with_percentile(percentile);
        let chunks = keeps_contract(&chunker, &counter, &document)?;
        prop_assert!(do_not_overlap(&chunks));
    }

    /// Fixed windows between plain words are exact: all but the last are full, and adjacent ones share what was asked for.
    #[test]
    fn fixed_windows_are_full(words in prop::collection::vec("[a-z]{1,6}", 0..200), max in 1..40_usize, overlap in 0..40_usize) {
        let document = crate::documents::document(words.join(" "), Vec::new());
        let chunks = FixedChunker::new(Arc::new(WordTokens)).with_max_tokens(max).with_overlap(overlap).chunk(&document).unwrap();
        let step = max - overlap.min(max - 1);
        let expected = if words.is_empty() { 0 } else { words.len().saturating_sub(max).div_ceil(step) + 1 };
        prop_assert_eq!(chunks.len(), expected);
        for (index, chunk) in chunks.iter().enumerate() {
            let wanted = words[index * step..(index * step + max).min(words.len())].join(" ");
            prop_assert_eq!(chunk.span.of(&document.text), Some(wanted.as_str()));
        }
    }

    /// Blocks that fit are never cut by the structure-aware chunker, and no chunk mixes sections or ends with a heading.
    #[test]
    fn structure_keeps_blocks_whole(document in markdown_like(), max in 60..200_usize) {
        let chunks = StructureChunker::new(Arc::new(WordTokens)).with_max_tokens(max).chunk(&document).unwrap();
        for (index, block) in document.blocks.iter().enumerate() {
            let span = Span::new(block.span.start, block.span.start + block.span.of(&document.text).unwrap().trim_end().len());
            let text = span.of(&document.text).unwrap();
            let fits = !text.trim().is_empty() && WordTokens.count_tokens(text) <= max;
            let lead = span.start + (text.len() - text.trim_start().len());
            let inner = Span::new(lead.min(span.end), span.end);
            if matches!(block.kind, BlockKind::Heading { .. }) {
                let is_last = chunks.iter().any(|chunk| chunk.span.end == span.end);
                let leads = document.blocks.get(index + 1).is_some_and(|next| {
                    !matches!(next.kind, BlockKind::Heading { .. }) && !next.span.of(&document.text).unwrap().trim().is_empty()
                });
                prop_assert!(!(is_last && leads), "a heading ends a chunk in {:?}", document);
            } else if fits {
                prop_assert!(chunks.iter().any(|chunk| chunk.span.contains(inner)), "{:?} is cut", text);
            }
        }
    }
}

/// The Rust book through all three.
#[test]
#[ignore = "needs JARRE_DATA"]
#[expect(clippy::disallowed_methods, reason = "a test may be told where the data is")]
fn a_book_keeps_the_contract() {
    let data = env::var("JARRE_DATA").expect("JARRE_DATA names the data folder");
    let found = walk(&[Path::new(&data).join("rag/rust_book")], &Limits::default());
    let words: Arc<dyn TokenCounter> = Arc::new(WordTokens);
    let chunkers: [Box<dyn Chunker>; 3] = [
        Box::new(FixedChunker::new(Arc::clone(&words))),
        Box::new(StructureChunker::new(Arc::clone(&words))),
        Box::new(SemanticChunker::new(words, Arc::new(TopicEmbedder(LETTERS)))),
    ];
    let documents: Vec<Document> = found.files.iter().map(|file| read_file(file, &Limits::default()).unwrap()).collect();
    for chunker in &chunkers {
        let chunks: usize = documents.iter().map(|document| keeps_contract(&**chunker, &WordTokens, document).unwrap().len()).sum();
        assert!(chunks > documents.len(), "{chunks} chunks of {} documents", documents.len());
    }
}
