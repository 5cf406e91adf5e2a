//! Documents, token counters and embedders to test with.

use std::{collections::BTreeMap, ops::Range, sync::LazyLock};

use jarre_core::{Embedder, EmbedderInfo, Embeddings, TokenCounter};
use jarre_rag::{Block, BlockKind, DocId, Document, Format, Span, chunk::WordTokens};
use proptest::prelude::*;

pub(crate) fn document(text: String, blocks: Vec<Block>) -> Document {
    Document {
        id: DocId("d.md".into()),
        source: "d.md".into(),
        title: None,
        language: None,
        format: Format::Markdown,
        content_hash: String::new(),
        text,
        blocks,
        metadata: BTreeMap::new(),
    }
}

/// One block of a document under construction: its kind, what stands before it, and its text.
pub(crate) type Part = (BlockKind, &'static str, String);

pub(crate) fn heading(level: u8, text: &str) -> Part {
    let marks = ["", "# ", "## ", "### ", "#### ", "##### ", "###### "][usize::from(level)];
    (BlockKind::Heading { level, text: text.to_owned() }, marks, text.to_owned())
}

pub(crate) fn paragraph(text: &str) -> Part {
    (BlockKind::Paragraph, "", text.to_owned())
}

/// Joins `parts` by blank lines as a Markdown writer does; every fifth block begins a page.
pub(crate) fn build(parts: &[Part]) -> Document {
    let mut text = String::new();
    let mut blocks = Vec::new();
    for (index, (kind, before, inner)) in parts.iter().enumerate() {
        text.push_str(before);
        let start = text.len();
        text.push_str(inner);
        blocks.push(Block { kind: kind.clone(), span: Span::new(start, text.len()), page: Some(index as u32 / 5 + 1) });
        text.push_str("\n\n");
    }
    document(text, blocks)
}

/// Documents with headings, wrapped paragraphs, lists, tables, code and quotes.
pub(crate) fn markdown_like() -> impl Strategy<Value = Document> {
    let word = prop_oneof![
        4 => "[a-z]{1,9}",
        1 => Just("e.g.".to_owned()),
        1 => Just("stops.".to_owned()),
        1 => Just("Really?".to_owned()),
        1 => Just("3.14".to_owned()),
        1 => Just("日本語。".to_owned()),
        1 => Just("é👩‍👩‍👧".to_owned()),
        1 => "[A-Z][a-z]{2,40}",
    ];
    let gap = prop_oneof![8 => Just(" "), 1 => Just("\n"), 1 => Just("  ")];
    let prose = prop::collection::vec((word, gap), 1..50).prop_map(|words| {
        let text: String = words.into_iter().map(|(word, gap)| word + gap).collect();
        text.trim_end().to_owned()
    });
    let rows = prop::collection::vec("\\| [a-z]{1,8} \\| [0-9]{1,6} \\|", 1..20).prop_map(|rows| rows.join("\n"));
    let code = prop::collection::vec("( {0,4}[a-z]{1,8}\\(\\);)?", 1..20).prop_map(|lines| lines.join("\n"));
    let part = prop_oneof![
        2 => (1..5_u8, "[A-Z][a-z ]{0,12}").prop_map(|(level, text)| heading(level, &text)),
        4 => prose.clone().prop_map(|text| (BlockKind::Paragraph, "", text)),
        2 => prose.clone().prop_map(|text| (BlockKind::ListItem, "- ", text)),
        1 => prose.prop_map(|text| (BlockKind::Quote, "> ", text)),
        1 => rows.prop_map(|text| (BlockKind::Table, "", text)),
        1 => code.prop_map(|text| (BlockKind::Code, "```\n", text)),
    ];
    prop::collection::vec(part, 0..14).prop_map(|parts| build(&parts))
}

/// Any text with any blocks in order, blank and empty ones too.
pub(crate) fn arbitrary() -> impl Strategy<Value = Document> {
    let piece = prop_oneof![
        any::<String>(),
        "[a-z .\n]{0,80}",
        Just(" \n\u{a0}\t".to_owned()),
        Just("\u{200b}\u{301}".to_owned()),
        Just("x".repeat(90)),
    ];
    let text = prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat());
    let kind = prop_oneof![
        (0..8_u8, any::<String>()).prop_map(|(level, text)| BlockKind::Heading { level, text }),
        Just(BlockKind::Paragraph),
        Just(BlockKind::ListItem),
        Just(BlockKind::Table),
        Just(BlockKind::Code),
        Just(BlockKind::Quote),
    ];
    let bounds = prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..10);
    (text, prop::collection::vec(kind, 10), bounds).prop_map(|(text, kinds, bounds)| {
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let mut cuts: Vec<usize> = bounds.iter().flat_map(|(a, b)| [a.get(&places), b.get(&places)]).copied().collect();
        cuts.sort_unstable();
        let spans = cuts.chunks_exact(2).map(|pair| Span::new(pair[0], pair[1]));
        let blocks = spans.zip(kinds).map(|(span, kind)| Block { kind, span, page: None }).collect();
        document(text, blocks)
    })
}

/// Counters with the habits of real ones.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Counter {
    /// The crate's own.
    Words,
    /// Every character is a token.
    Chars,
    /// Every byte is a token, which spans the character that it is of: what byte-level vocabularies do.
    Bytes,
    /// Words whose first is counted three times, so that a part of a text has more tokens than the whole has there.
    DearStart,
    /// ASCII words only, so that much of a text has no token.
    Ascii,
}

impl TokenCounter for Counter {
    fn token_spans(&self, text: &str) -> Vec<Range<usize>> {
        let words = WordTokens.token_spans(text);
        let first = words.first().cloned();
        let chars = text.char_indices().map(|(at, c)| at..at + c.len_utf8());
        match self {
            Self::Words => words,
            Self::Chars => chars.collect(),
            Self::Bytes => chars.flat_map(|span| vec![span.clone(); span.len()]).collect(),
            Self::DearStart => first.clone().into_iter().chain(first).chain(words).collect(),
            Self::Ascii => words.into_iter().filter(|span| text[span.clone()].is_ascii()).collect(),
        }
    }
}

/// A vector of how often each topic's words stand in a text.
#[derive(Debug)]
pub(crate) struct TopicEmbedder(pub(crate) &'static [&'static [&'static str]]);

impl Embedder for TopicEmbedder {
    fn info(&self) -> &EmbedderInfo {
        static INFO: LazyLock<EmbedderInfo> =
            LazyLock::new(|| EmbedderInfo { name: "topics".into(), dims: 3, max_tokens: 64, fingerprint: "topics-1".into() });
        &INFO
    }

    fn embed(&self, texts: &[&str]) -> jarre_core::Result<Embeddings> {
        let count = |text: &str, topic: &[&str]| topic.iter().map(|word| text.matches(word).count()).sum::<usize>() as f32;
        Embeddings::new(self.0.len(), texts.iter().flat_map(|text| self.0.iter().map(|topic| count(text, topic))).collect())
    }
}
