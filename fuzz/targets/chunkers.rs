//! Every strategy with any settings over any text: chunks keep the contract of `Chunker`, and no text of a document is lost.
#![no_main]

use std::sync::Arc;

use arbitrary::Arbitrary;
use jarre_core::{TokenCounter, testing::HashEmbedder};
use jarre_fuzz::{assert_complete, assert_provenance, read};
use jarre_rag::{
    Chunker, Format,
    chunk::{FixedChunker, SemanticChunker, StructureChunker, WordTokens},
};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    markdown: bool,
    pieces: bool,
    strategy: Strategy,
    text: &'a str,
}

#[derive(Arbitrary, Debug)]
enum Strategy {
    Fixed { max_tokens: u8, overlap: u8 },
    Structure { max_tokens: u8, min_tokens: u8 },
    Semantic { max_tokens: u8, min_tokens: u8, percentile: u8 },
}

fuzz_target!(|input: Input<'_>| {
    let format = if input.markdown { Format::Markdown } else { Format::Text };
    let Some(document) = read(format, input.text.as_bytes()) else { return };
    let counter: Arc<dyn TokenCounter> = if input.pieces { Arc::new(WordTokens) } else { Arc::new(embedder()) };
    let chunker = input.strategy.chunker(counter);
    let chunks = chunker.chunk(&document).expect("hashing does not fail");
    assert_provenance(&document, &*chunker, &chunks);
    assert_complete(&document, &chunks);
    assert_eq!(chunker.chunk(&document).expect("hashing does not fail"), chunks, "the same document gives the same chunks");
});

impl Strategy {
    fn chunker(&self, counter: Arc<dyn TokenCounter>) -> Box<dyn Chunker> {
        let size = |tokens: &u8| usize::from(*tokens);
        match self {
            Self::Fixed { max_tokens, overlap } => {
                Box::new(FixedChunker::new(counter).with_max_tokens(size(max_tokens)).with_overlap(size(overlap)))
            }
            Self::Structure { max_tokens, min_tokens } => {
                Box::new(StructureChunker::new(counter).with_max_tokens(size(max_tokens)).with_min_tokens(size(min_tokens)))
            }
            Self::Semantic { max_tokens, min_tokens, percentile } => {
                let chunker = SemanticChunker::new(counter, Arc::new(embedder())).with_percentile(*percentile);
                Box::new(chunker.with_max_tokens(size(max_tokens)).with_min_tokens(size(min_tokens)))
            }
        }
    }
}

fn embedder() -> HashEmbedder {
    HashEmbedder::new(16, 64)
}
