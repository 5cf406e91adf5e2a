use super::{Chunk, ChunkId, pack::pack, ruler::Ruler};
use crate::{Block, BlockKind, Document, Span, line::lines, sentences};

/// A run of body blocks under the same headings.
pub(super) struct Section<'a> {
    /// Outermost first.
    pub(super) headings: Vec<String>,
    /// Not empty, in text order, trimmed.
    pub(super) bodies: Vec<Body<'a>>,
}

/// A block that is text of its own.
pub(super) struct Body<'a> {
    pub(super) span: Span,
    kind: &'a BlockKind,
}

/// What chunks are put together from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) span: Span,
    /// Whether a block begins here, so that a cut before it splits none.
    pub(super) begins_block: bool,
}

/// The sections of `document` in order. A heading belongs to the headings of what stands under it; one with nothing under it would be
/// lost that way, so it is a body block of the section above. Text without blocks is one paragraph.
pub(super) fn sections(document: &Document) -> Vec<Section<'_>> {
    if document.blocks.is_empty() {
        let whole = Span::new(0, document.text.len()).trimmed(&document.text);
        return whole
            .map(|span| Section { headings: Vec::new(), bodies: vec![Body { span, kind: &BlockKind::Paragraph }] })
            .into_iter()
            .collect();
    }
    let mut sections: Vec<Section<'_>> = Vec::new();
    let mut path = Path::default();
    let mut is_new = true;
    for (block, leads) in document.blocks.iter().zip(leads(document)) {
        is_new |= path.enter(block, leads);
        let Some(span) = block.span.trimmed(&document.text).filter(|_| !leads) else { continue };
        if std::mem::take(&mut is_new) {
            sections.push(Section { headings: path.texts(), bodies: Vec::new() });
        }
        if let Some(section) = sections.last_mut() {
            section.bodies.push(Body { span, kind: &block.kind });
        }
    }
    sections
}

impl Body<'_> {
    /// The block as one piece where it fits, else cut into sentences or lines.
    pub(super) fn pieces(&self, ruler: &Ruler<'_>, text: &str) -> Vec<Piece> {
        if ruler.estimate(self.span) <= ruler.max() { pieces_of_block(vec![self.span]) } else { self.parts(ruler, text) }
    }

    /// The sentences of the block; tables and code, which have none, as one piece where they fit and else as lines.
    pub(super) fn sentences(&self, ruler: &Ruler<'_>, text: &str) -> Vec<Piece> {
        if self.has_lines() { self.pieces(ruler, text) } else { self.parts(ruler, text) }
    }

    fn has_lines(&self) -> bool {
        matches!(self.kind, BlockKind::Table | BlockKind::Code)
    }

    /// Sentences or lines; those too long for a chunk as windows of tokens.
    fn parts(&self, ruler: &Ruler<'_>, text: &str) -> Vec<Piece> {
        let inner = &text[self.span.start..self.span.end];
        let parts = if self.has_lines() { lines(inner) } else { sentences(inner) };
        let moved = parts.into_iter().map(|part| Span::new(self.span.start + part.start, self.span.start + part.end));
        pieces_of_block(moved.flat_map(|part| ruler.windows(part)).collect())
    }
}

/// `spans` as the pieces of one block.
fn pieces_of_block(spans: Vec<Span>) -> Vec<Piece> {
    spans.into_iter().enumerate().map(|(index, span)| Piece { span, begins_block: index == 0 }).collect()
}

/// For each block, whether it is a heading with body text under it, before the next heading of its level or above.
fn leads(document: &Document) -> Vec<bool> {
    let mut leads = vec![false; document.blocks.len()];
    let mut open: Vec<(u8, usize)> = Vec::new();
    for (index, block) in document.blocks.iter().enumerate() {
        if let BlockKind::Heading { level, .. } = block.kind {
            open.retain(|&(above, _)| above < level);
            open.push((level, index));
        } else if block.span.trimmed(&document.text).is_some() {
            for &(_, heading) in &open {
                leads[heading] = true;
            }
        }
    }
    leads
}

/// The headings that a place stands under.
#[derive(Default)]
struct Path<'a> {
    headings: Vec<(u8, &'a str)>,
}

impl<'a> Path<'a> {
    /// Goes past `block`; whether the path changed. `leads` says that what follows stands under it, if it is a heading.
    fn enter(&mut self, block: &'a Block, leads: bool) -> bool {
        let BlockKind::Heading { level, text } = &block.kind else { return false };
        let before = self.headings.len();
        self.headings.retain(|(above, _)| above < level);
        let is_shorter = self.headings.len() < before;
        if leads {
            self.headings.push((*level, text));
        }
        is_shorter || leads
    }

    fn texts(&self) -> Vec<String> {
        self.headings.iter().map(|(_, text)| text.trim()).filter(|text| !text.is_empty()).map(str::to_owned).collect()
    }
}

/// Looks up the headings that a place in a document stands under.
pub(super) struct Outline {
    /// Where each heading begins, and the path from there on.
    paths: Vec<(usize, Vec<String>)>,
}

impl Outline {
    pub(super) fn new(document: &Document) -> Self {
        let mut path = Path::default();
        let mut paths = Vec::new();
        for block in &document.blocks {
            if path.enter(block, true) {
                paths.push((block.span.start, path.texts()));
            }
        }
        Self { paths }
    }

    /// The headings that begin at or before byte `at` and that it stands under.
    pub(super) fn headings_at(&self, at: usize) -> Vec<String> {
        let after = self.paths.partition_point(|&(start, _)| start <= at);
        after.checked_sub(1).map(|index| self.paths[index].1.clone()).unwrap_or_default()
    }
}

/// Gathers the chunks of a document, numbered as they come.
pub(super) struct Gathered<'a> {
    document: &'a Document,
    chunks: Vec<Chunk>,
}

impl<'a> Gathered<'a> {
    pub(super) fn new(document: &'a Document) -> Self {
        Self { document, chunks: Vec::new() }
    }

    /// Adds a chunk. A document of four thousand million chunks is past what memory holds.
    pub(super) fn push(&mut self, (span, tokens): (Span, usize), headings: Vec<String>) {
        let ordinal = self.chunks.len() as u32;
        let id = ChunkId { doc: self.document.id.clone(), ordinal };
        self.chunks.push(Chunk { id, span, headings, page: page_at(&self.document.blocks, span.start), tokens });
    }

    /// Adds `pieces` in chunks that keep the ruler's limit, and `min_tokens` where they can.
    pub(super) fn pack(&mut self, pieces: &[Piece], ruler: &Ruler<'_>, min_tokens: usize, headings: &[String]) {
        for part in pack(pieces, ruler, min_tokens).into_iter().flat_map(|group| ruler.fit(group)) {
            self.push(part, headings.to_vec());
        }
    }

    pub(super) fn into_chunks(self) -> Vec<Chunk> {
        self.chunks
    }
}

/// The page of the block that holds byte `at`, or of the next one.
fn page_at(blocks: &[Block], at: usize) -> Option<u32> {
    let index = blocks.partition_point(|block| block.span.end <= at);
    blocks.get(index).or(blocks.last()).and_then(|block| block.page)
}
