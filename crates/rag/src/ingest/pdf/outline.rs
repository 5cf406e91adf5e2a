//! What the pages make together: which paragraphs are headings, and which lines only repeat on every page.

use std::collections::{HashMap, HashSet};

use super::{
    Page,
    flow::{Piece, Prose},
    script::is_unspaced,
    words::most_common_size,
};
use crate::{
    Block, BlockKind,
    ingest::{blocks::collapsed, writer::Writer},
};

/// How much larger than the text a heading is.
const LARGER: f32 = 1.12;
/// Longest heading, in characters and in lines.
const HEADING: (usize, usize) = (160, 3);
/// Fewest pages whose running headers can be told.
const RUNNING_PAGES: usize = 3;

/// Writes the pages' text and blocks.
pub(super) fn write(mut pages: Vec<Page>) -> (String, Vec<Block>) {
    drop_running(&mut pages);
    let levels = Levels::of(&pages);
    let mut writer = Writer::default();
    for page in &pages {
        for piece in &page.pieces {
            match piece {
                Piece::Table(rows) => writer.block(BlockKind::Table, Some(page.number), &rows.join("\n")),
                Piece::Prose(prose) => writer.block(levels.kind(prose), Some(page.number), &prose.text),
            }
        }
    }
    writer.finish()
}

/// The highest heading of the first page, which a document without a stated title is known by.
pub(super) fn first_title(blocks: &[Block]) -> Option<String> {
    let on_first = blocks.iter().take_while(|block| block.page == Some(1));
    let headings = on_first.filter_map(|block| match &block.kind {
        BlockKind::Heading { level, text } => Some((*level, text)),
        _ => None,
    });
    headings.min_by_key(|(level, _)| *level).map(|(_, text)| text.clone())
}

/// The sizes that headings have.
struct Levels {
    body: f32,
    /// In tenths of a point, the largest first.
    sizes: Vec<i32>,
}

impl Levels {
    fn of(pages: &[Page]) -> Self {
        let prose = || pages.iter().flat_map(|page| &page.pieces).filter_map(Piece::prose);
        let body = most_common_size(prose().map(|prose| (prose.size, prose.text.len())));
        let large = prose().filter(|prose| prose.size >= LARGER * body && is_short(prose));
        let mut sizes: Vec<i32> = large.map(|prose| tenths(prose.size)).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        sizes.dedup();
        Self { body, sizes }
    }

    fn kind(&self, prose: &Prose) -> BlockKind {
        let level = self.sizes.iter().position(|size| *size == tenths(prose.size));
        let is_large = prose.size >= LARGER * self.body;
        let is_bold = prose.bold && prose.lines <= 2 && prose.size >= 0.95 * self.body && !prose.text.ends_with(['.', ',', ';']);
        match level {
            Some(level) if is_large && is_short(prose) => heading(level, prose),
            _ if is_bold && is_short(prose) => heading(self.sizes.len(), prose),
            _ if prose.item => BlockKind::ListItem,
            _ => BlockKind::Paragraph,
        }
    }
}

fn heading(level: usize, prose: &Prose) -> BlockKind {
    BlockKind::Heading { level: level.min(5) as u8 + 1, text: collapsed(&prose.text) }
}

fn is_short(prose: &Prose) -> bool {
    let letters = prose.text.chars().filter(|c| c.is_alphabetic()).count();
    let is_sentence = prose.text.starts_with(char::is_lowercase) || (prose.lines > 1 && prose.text.ends_with('.'));
    let ideographs = prose.text.chars().any(is_unspaced);
    prose.text.chars().count() <= HEADING.0 && prose.lines <= HEADING.1 && !is_sentence && (letters > 2 || ideographs)
}

fn tenths(size: f32) -> i32 {
    (size * 10.0).round() as i32
}

impl Piece {
    fn prose(&self) -> Option<&Prose> {
        match self {
            Self::Prose(prose) => Some(prose),
            Self::Table(_) => None,
        }
    }
}

/// Drops what stands first or last on a third of the pages alike but for its numbers, all but the first time: headers of left and right
/// pages differ.
fn drop_running(pages: &mut [Page]) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for page in pages.iter() {
        let keys: HashSet<String> = edges(page).filter_map(|index| running_key(&page.pieces[index])).collect();
        for key in keys {
            *counts.entry(key).or_default() += 1;
        }
    }
    let least = RUNNING_PAGES.max(pages.len().div_ceil(3));
    let mut seen: HashSet<String> = HashSet::new();
    for page in pages {
        let repeats = |index: &usize| running_key(&page.pieces[*index]).is_some_and(|key| counts[&key] >= least && !seen.insert(key));
        let dropped: HashSet<usize> = edges(page).collect::<Vec<_>>().into_iter().filter(repeats).collect();
        let mut index = 0;
        page.pieces.retain(|_| {
            index += 1;
            !dropped.contains(&(index - 1))
        });
    }
}

/// The first two and the last two pieces of a page.
fn edges(page: &Page) -> impl Iterator<Item = usize> + use<> {
    let count = page.pieces.len();
    (0..count).filter(move |index| *index < 2 || index + 2 >= count)
}

/// What a running header has in common with that of the next page: its text, numbers aside.
fn running_key(piece: &Piece) -> Option<String> {
    let prose = piece.prose().filter(|prose| prose.lines <= 2)?;
    let mut key = String::new();
    for c in prose.text.chars() {
        match c {
            '0'..='9' if key.ends_with('#') => {}
            '0'..='9' => key.push('#'),
            _ => key.push(c),
        }
    }
    Some(key)
}
