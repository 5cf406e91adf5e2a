//! The sentences of the passages that could be quoted.

use std::collections::HashSet;

use super::{Passage, plain::plain};
use crate::{Block, BlockKind, DocId, Document, Span, line::lines, sentences};

/// A sentence that could be quoted.
#[derive(Debug)]
pub(super) struct Candidate {
    /// The passage that it was read in, as an index.
    pub(super) passage: usize,
    /// Where it stands in the document.
    pub(super) span: Span,
    /// What a reader sees of it.
    pub(super) text: String,
}

/// The sentences, list items and table rows of `passages`, each once, in the order of the passages and in each in text order; headings
/// and lines of code only where there is nothing else.
pub(super) fn candidates(passages: &[Passage<'_>]) -> Vec<Candidate> {
    let prose = collect(passages, |kind| !matches!(kind, BlockKind::Heading { .. } | BlockKind::Code));
    if prose.is_empty() { collect(passages, |_| true) } else { prose }
}

fn collect(passages: &[Passage<'_>], wanted: impl Fn(&BlockKind) -> bool) -> Vec<Candidate> {
    let mut seen: HashSet<(&DocId, Span)> = HashSet::new();
    let mut found = Vec::new();
    for (index, passage) in passages.iter().enumerate() {
        for span in spans(passage, &wanted) {
            let text = plain(&passage.document.text[span.start..span.end], passage.document.format);
            if text.contains(char::is_alphanumeric) && seen.insert((&passage.document.id, span)) {
                found.push(Candidate { passage: index, span, text });
            }
        }
    }
    found
}

fn spans(passage: &Passage<'_>, wanted: impl Fn(&BlockKind) -> bool) -> Vec<Span> {
    let Passage { document, chunk, .. } = passage;
    if document.blocks.is_empty() {
        return pieces(document, Span::new(0, document.text.len()), chunk.span, sentences);
    }
    let blocks = blocks_within(document, chunk.span).filter(|block| wanted(&block.kind));
    blocks.flat_map(|block| pieces(document, block.span, chunk.span, cutter(&block.kind))).collect()
}

fn blocks_within(document: &Document, chunk: Span) -> impl Iterator<Item = &Block> {
    let first = document.blocks.partition_point(|block| block.span.end <= chunk.start);
    document.blocks[first..].iter().take_while(move |block| block.span.start < chunk.end)
}

fn cutter(kind: &BlockKind) -> fn(&str) -> Vec<Span> {
    match kind {
        BlockKind::Table | BlockKind::Code => lines,
        BlockKind::Heading { .. } => whole,
        _ => sentences,
    }
}

fn whole(text: &str) -> Vec<Span> {
    Span::new(0, text.len()).trimmed(text).into_iter().collect()
}

/// The pieces that `cut` makes of `block` and that reach into `chunk`. A chunk may begin or end within a sentence: the whole of it is
/// taken where it is no farther than [`REACH`].
fn pieces(document: &Document, block: Span, chunk: Span, cut: fn(&str) -> Vec<Span>) -> Vec<Span> {
    let text = &document.text;
    let start = text.floor_char_boundary(chunk.start.saturating_sub(REACH)).max(block.start);
    let end = text.ceil_char_boundary((chunk.end + REACH).min(text.len())).min(block.end);
    let found = cut(&text[start..end]).into_iter().map(|span| Span::new(start + span.start, start + span.end));
    let inside = found.filter(|span| span.start < chunk.end && chunk.start < span.end);
    let complete = inside.filter_map(|span| {
        let is_cut = (span.start == start && start > block.start) || (span.end == end && end < block.end);
        let (from, to) = if is_cut { (span.start.max(chunk.start), span.end.min(chunk.end)) } else { (span.start, span.end) };
        Span::new(from, to).trimmed(text)
    });
    complete.flat_map(|span| shortened(text, span)).collect()
}

/// How far a sentence may reach out of its chunk, in bytes.
const REACH: usize = 400;

/// The longest quote, in bytes; what has no stop for longer is cut at white space.
const LONGEST: usize = 800;

fn shortened(text: &str, span: Span) -> Vec<Span> {
    let mut found = Vec::new();
    let mut rest = span;
    while rest.len() > LONGEST {
        let limit = text.floor_char_boundary(rest.start + LONGEST);
        let piece = &text[rest.start..limit];
        let cut = piece.rfind(char::is_whitespace).filter(|&at| at > 0).map_or(limit, |at| rest.start + at);
        found.extend(Span::new(rest.start, cut).trimmed(text));
        rest = Span::new(cut, rest.end);
    }
    found.extend(rest.trimmed(text));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_stop_is_cut_at_white_space() {
        let text = "wörd ".repeat(500);
        let found = shortened(&text, Span::new(0, text.len()));
        assert!(found.len() > 1 && found.iter().all(|span| span.len() <= LONGEST));
        let words: usize = found.iter().map(|span| text[span.start..span.end].split(' ').count()).sum();
        assert_eq!(words, 500, "no word is split or lost");
        let solid = "é".repeat(LONGEST);
        let whole: String = shortened(&solid, Span::new(0, solid.len())).iter().map(|span| &solid[span.start..span.end]).collect();
        assert_eq!(whole, solid);
    }
}
