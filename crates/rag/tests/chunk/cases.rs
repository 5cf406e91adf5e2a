//! Small documents whose chunks are known.

use std::sync::Arc;

use jarre_core::{Embedder, EmbedderInfo, Embeddings, ErrorKind, TokenCounter};
use jarre_rag::{
    BlockKind, Chunker, DocId, Document, Error, Format,
    chunk::{FixedChunker, SemanticChunker, StructureChunker, WordTokens},
    ingest::{Limits, read_bytes},
};

use crate::documents::{Counter, TopicEmbedder, build, document, heading, paragraph};

fn structure(max: usize) -> StructureChunker {
    StructureChunker::new(Arc::new(WordTokens)).with_max_tokens(max)
}

fn texts<'d>(chunker: &dyn Chunker, document: &'d Document) -> Vec<&'d str> {
    chunker.chunk(document).unwrap().iter().map(|chunk| chunk.span.of(&document.text).unwrap()).collect()
}

fn paths(chunker: &dyn Chunker, document: &Document) -> Vec<String> {
    chunker.chunk(document).unwrap().iter().map(|chunk| chunk.headings.join("/")).collect()
}

#[test]
fn fixed_windows_share_their_overlap() {
    let chunker = FixedChunker::new(Arc::new(WordTokens)).with_max_tokens(3).with_overlap(1);
    assert_eq!(texts(&chunker, &document("  a b c\n\nd e f g ".into(), vec![])), ["a b c", "c\n\nd e", "e f g"]);
    assert_eq!(texts(&chunker, &document(" \n".into(), vec![])), Vec::<&str>::new());
}

#[test]
fn fixed_windows_know_their_headings_and_page() {
    let doc = build(&[
        heading(1, "Top"),
        paragraph("one two"),
        heading(2, "Sub"),
        paragraph("three four five"),
        heading(1, "Next"),
        paragraph("x"),
    ]);
    let chunker = FixedChunker::new(Arc::new(WordTokens)).with_max_tokens(4).with_overlap(0);
    assert_eq!(texts(&chunker, &doc), ["# Top\n\none two", "## Sub\n\nthree", "four five\n\n# Next", "x"]);
    assert_eq!(paths(&chunker, &doc), ["", "Top", "Top/Sub", "Next"]);
    let pages: Vec<_> = chunker.chunk(&doc).unwrap().iter().map(|chunk| chunk.page).collect();
    assert_eq!(pages, [Some(1), Some(1), Some(1), Some(2)]);
}

#[test]
fn structure_packs_blocks_of_a_section_and_keeps_sections_apart() {
    let doc = build(&[
        heading(1, "Top"),
        paragraph("Intro text."),
        heading(2, "A"),
        paragraph("First."),
        paragraph("Second."),
        heading(2, "B"),
        paragraph("Third."),
        heading(1, "End"),
        paragraph("Last."),
    ]);
    assert_eq!(texts(&structure(50), &doc), ["Intro text.", "First.\n\nSecond.", "Third.", "Last."]);
    assert_eq!(paths(&structure(50), &doc), ["Top", "Top/A", "Top/B", "End"]);
}

#[test]
fn sections_of_the_same_name_stay_apart() {
    let doc = build(&[heading(1, "Example"), paragraph("One."), heading(1, "Example"), paragraph("Two.")]);
    assert_eq!(texts(&structure(50), &doc), ["One.", "Two."]);
}

#[test]
fn headings_with_nothing_under_them_are_text() {
    let doc =
        build(&[heading(1, "Top"), paragraph("Intro."), heading(2, "Empty"), heading(2, "Full"), paragraph("Text."), heading(1, "Bye")]);
    assert_eq!(texts(&structure(50), &doc), ["Intro.\n\n## Empty", "Text.", "Bye"]);
    assert_eq!(paths(&structure(50), &doc), ["Top", "Top/Full", ""]);
    let only = build(&[heading(1, "One"), heading(2, "Two"), heading(1, "Three")]);
    assert_eq!(texts(&structure(50), &only), ["One\n\n## Two\n\n# Three"]);
}

#[test]
fn a_deeper_heading_counts_for_the_shallower_one_over_it() {
    let doc = build(&[heading(1, "Top"), heading(3, "Deep"), paragraph("Text."), heading(2, "Middle"), paragraph("More.")]);
    assert_eq!(paths(&structure(50), &doc), ["Top/Deep", "Top/Middle"]);
}

#[test]
fn long_paragraphs_are_cut_evenly_at_sentence_ends() {
    let sentence = "This one has eight words in it. ";
    let doc = build(&[heading(1, "Top"), paragraph(sentence.repeat(9).trim_end())]);
    let chunks = structure(64).chunk(&doc).unwrap();
    assert_eq!(WordTokens.count_tokens(sentence), 8);
    assert_eq!(chunks.iter().map(|chunk| chunk.tokens).collect::<Vec<_>>().iter().sum::<usize>(), 72);
    assert!(chunks.iter().all(|chunk| chunk.tokens == 32 || chunk.tokens == 40), "{chunks:?}");
    assert!(texts(&structure(64), &doc).iter().all(|text| text.starts_with("This") && text.ends_with("it.")));
}

#[test]
fn tables_and_code_are_kept_whole_or_cut_between_lines() {
    let table = (0..6).map(|row| format!("| r{row} | {row} |")).collect::<Vec<_>>().join("\n");
    let code = "fn main() {\n    one(. two);\n\n    three();\n}";
    let doc = build(&[paragraph("Before."), (BlockKind::Table, "", table.clone()), (BlockKind::Code, "```\n", code.into())]);
    assert_eq!(WordTokens.count_tokens(&table), 30);
    let whole = texts(&structure(31), &doc);
    assert!(whole.iter().any(|text| text.contains(&table)) && whole.iter().any(|text| text.contains(code)), "{whole:?}");
    let cut = texts(&structure(12), &doc);
    assert!(cut.iter().all(|text| text.lines().filter(|line| line.starts_with('|')).all(|line| line.ends_with('|'))), "{cut:?}");
    assert!(cut.iter().any(|text| text.contains("one(. two);")), "a code line is cut in {cut:?}");
}

#[test]
fn what_has_no_sentence_end_is_cut_into_windows() {
    let doc = build(&[paragraph(&"word ".repeat(25))]);
    let chunker = structure(10).with_min_tokens(0);
    assert_eq!(chunker.chunk(&doc).unwrap().iter().map(|chunk| chunk.tokens).collect::<Vec<_>>(), [10, 10, 5]);
    let chars = StructureChunker::new(Arc::new(Counter::Chars)).with_max_tokens(4);
    assert_eq!(texts(&chars, &build(&[paragraph("abcdefghij")])).concat(), "abcdefghij");
}

#[test]
fn text_without_blocks_is_chunked() {
    let doc = document("First sentence here. Second sentence here.\n\nThird one.".into(), vec![]);
    assert_eq!(texts(&structure(100), &doc), [doc.text.as_str()]);
    assert_eq!(texts(&structure(5).with_min_tokens(0), &doc), ["First sentence here.", "Second sentence here.", "Third one."]);
}

const PAGE: &str = "\
# Cellar

A *small* store. It keeps
what it is given, e.g. notes.

## Install

1. Add it.
2. Build it:

   ```sh
   cargo build
   ```

## Settings

| name | value |
|------|-------|
| size | 3.5   |

### Empty
";

#[test]
fn markdown_is_chunked_by_its_sections() {
    let doc = read_bytes(DocId("c.md".into()), "c.md", Format::Markdown, PAGE.as_bytes(), &Limits::default()).unwrap();
    let expected = [
        "A *small* store. It keeps\nwhat it is given, e.g. notes.",
        "1. Add it.\n2. Build it:\n\n   ```sh\n   cargo build\n   ```",
        "| name | value |\n|------|-------|\n| size | 3.5   |\n\n### Empty",
    ];
    assert_eq!(texts(&structure(100), &doc), expected);
    assert_eq!(paths(&structure(100), &doc), ["Cellar", "Cellar/Install", "Cellar/Settings"]);
    let chunk = &structure(100).chunk(&doc).unwrap()[1];
    assert!(chunk.indexed_text(&doc).starts_with("Cellar. Install. 1. Add it.\n"));
}

const TOPICS: &[&[&str]] = &[&["cat", "purr"], &["engine", "oil"], &["bread", "flour"]];

#[test]
fn semantic_chunks_end_where_the_topic_changes() {
    let cats = "The cat sleeps. A cat can purr. Every cat likes it. No cat minds.";
    let engines = "The engine runs. An engine needs oil. The oil is warm. Change the oil.";
    let doc = build(&[paragraph(&format!("{cats} {engines}"))]);
    let chunker = SemanticChunker::new(Arc::new(WordTokens), Arc::new(TopicEmbedder(TOPICS))).with_min_tokens(8);
    let found = texts(&chunker, &doc);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("The cat sleeps.") && found[1].ends_with("Change the oil."));
    assert!(!found[0].contains("oil") && !found[1].contains("cat"), "{found:?}");
}

#[test]
fn semantic_chunks_end_at_headings_and_join_tiny_ones() {
    let doc = build(&[heading(1, "A"), paragraph("The cat. An engine. Some bread. A cat."), heading(1, "B"), paragraph("A cat.")]);
    let chunker = SemanticChunker::new(Arc::new(WordTokens), Arc::new(TopicEmbedder(TOPICS))).with_min_tokens(40);
    assert_eq!(texts(&chunker, &doc), ["The cat. An engine. Some bread. A cat.", "A cat."]);
    assert_eq!(paths(&chunker, &doc), ["A", "B"]);
}

/// Fails, or gives one vector too few.
struct BadEmbedder(EmbedderInfo, bool);

impl Embedder for BadEmbedder {
    fn info(&self) -> &EmbedderInfo {
        &self.0
    }

    fn embed(&self, texts: &[&str]) -> jarre_core::Result<Embeddings> {
        if self.1 {
            return Err(jarre_core::Error::new(ErrorKind::Unavailable, "the model is down"));
        }
        Embeddings::new(1, vec![1.0; texts.len() - 1])
    }
}

#[test]
fn semantic_chunking_reports_what_the_embedder_did_wrong() {
    let doc = build(&[paragraph("One. Two. Three.")]);
    for (fails, kind) in [(true, ErrorKind::Unavailable), (false, ErrorKind::InvalidResponse)] {
        let info = EmbedderInfo { name: "bad".into(), dims: 1, max_tokens: 64, fingerprint: "bad".into() };
        let chunker = SemanticChunker::new(Arc::new(WordTokens), Arc::new(BadEmbedder(info, fails)));
        let Err(Error::Model(error)) = chunker.chunk(&doc) else { panic!("no error") };
        assert_eq!(error.kind(), kind);
    }
}

#[test]
fn fingerprints_name_every_setting() {
    let words: Arc<dyn TokenCounter> = Arc::new(WordTokens);
    let chars: Arc<dyn TokenCounter> = Arc::new(Counter::Chars);
    let embedder: Arc<dyn Embedder> = Arc::new(TopicEmbedder(TOPICS));
    let (fixed, structure) = (FixedChunker::new(words.clone()), StructureChunker::new(words.clone()));
    let semantic = SemanticChunker::new(words, embedder.clone());
    let all = [
        fixed.clone().fingerprint(),
        fixed.clone().with_max_tokens(9).fingerprint(),
        fixed.with_overlap(9).fingerprint(),
        FixedChunker::new(chars.clone()).fingerprint(),
        structure.fingerprint(),
        structure.clone().with_max_tokens(9).fingerprint(),
        structure.with_min_tokens(9).fingerprint(),
        StructureChunker::new(chars.clone()).fingerprint(),
        semantic.fingerprint(),
        semantic.clone().with_max_tokens(9).fingerprint(),
        semantic.clone().with_min_tokens(9).fingerprint(),
        semantic.with_percentile(9).fingerprint(),
        SemanticChunker::new(chars, embedder).fingerprint(),
    ];
    let distinct: std::collections::BTreeSet<&String> = all.iter().collect();
    assert_eq!(distinct.len(), all.len(), "{all:#?}");
}
