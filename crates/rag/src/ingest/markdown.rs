use std::{borrow::Cow, ops::Range};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::{
    Parsed,
    blocks::{Blocks, collapsed},
};
use crate::{Block, BlockKind};

/// Reads `CommonMark` with GitHub's tables, footnotes and front matter. The text stays the file's own. Blocks are the innermost ones: a
/// list in a quotation gives its items, and a paragraph in an item is of the item.
///
/// HTML between paragraphs, comments, link definitions and front matter are markup, not blocks.
pub(super) fn read(text: String) -> Parsed {
    let body = text.len() - text.trim_start_matches('\u{feff}').len();
    let lines = with_line_feeds(&text[body..]);
    let mut outline = Outline::of(&text);
    for (event, range) in Parser::new_ext(&lines, options()).into_offset_iter() {
        outline.event(event, range.start + body..range.end + body);
    }
    outline.close();
    let Outline { blocks, front_title, .. } = outline;
    let blocks = blocks.finish();
    let title = front_title.or_else(|| first_heading(&blocks));
    Parsed { title, language: None, blocks, text }
}

/// `text` with a line feed for each lone carriage return, which the parser takes for a line end in some places only; every byte keeps its
/// place.
fn with_line_feeds(text: &str) -> Cow<'_, str> {
    let is_lone = |at: usize| !text[at + 1..].starts_with('\n');
    if !text.match_indices('\r').any(|(at, _)| is_lone(at)) {
        return Cow::Borrowed(text);
    }
    let kept = |(at, c): (usize, char)| if c == '\r' && is_lone(at) { '\n' } else { c };
    Cow::Owned(text.char_indices().map(kept).collect())
}

fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS
}

fn first_heading(blocks: &[Block]) -> Option<String> {
    blocks.iter().find_map(|block| match &block.kind {
        BlockKind::Heading { text, .. } => Some(text.clone()),
        _ => None,
    })
}

/// What the events so far amount to.
struct Outline<'t> {
    blocks: Blocks<'t>,
    /// The quotations, items and footnotes that are open, innermost last.
    containers: Vec<Container>,
    leaf: Option<Leaf>,
    /// Where an item begins of which no block has come yet: its first block begins there, with the item's marker.
    marker: Option<usize>,
    in_front_matter: bool,
    front_title: Option<String>,
}

#[derive(Clone, Copy)]
enum Container {
    Quote,
    Item,
    Footnote,
}

/// The block that is being read.
struct Leaf {
    shape: Shape,
    span: Range<usize>,
    /// Its words without markup.
    plain: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Heading(u8),
    /// Of the kind that its container makes it.
    Prose,
    Code,
    Table,
}

impl<'t> Outline<'t> {
    fn of(text: &'t str) -> Self {
        let blocks = Blocks::of(text);
        Self { blocks, containers: Vec::new(), leaf: None, marker: None, in_front_matter: false, front_title: None }
    }

    fn event(&mut self, event: Event<'_>, span: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(&tag, span),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.in_front_matter => self.front_title = front_title(&text),
            Event::Text(text) | Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => self.inline(&text, span),
            Event::FootnoteReference(_) | Event::InlineHtml(_) | Event::TaskListMarker(_) => self.inline("", span),
            Event::SoftBreak | Event::HardBreak => self.inline(" ", span),
            Event::Html(_) | Event::Rule => self.close(),
        }
    }

    fn start(&mut self, tag: &Tag<'_>, span: Range<usize>) {
        match tag {
            Tag::Paragraph => self.open(Shape::Prose, span),
            Tag::Heading { level, .. } => self.open(Shape::Heading(*level as u8), span),
            Tag::CodeBlock(_) => self.open(Shape::Code, span),
            Tag::Table(_) => self.open(Shape::Table, span),
            Tag::BlockQuote(_) => self.enter(Container::Quote, None),
            Tag::Item => self.enter(Container::Item, Some(span.start)),
            Tag::FootnoteDefinition(_) => self.enter(Container::Footnote, Some(span.start)),
            Tag::MetadataBlock(_) => self.in_front_matter = true,
            Tag::HtmlBlock | Tag::List(_) => self.close(),
            _ => self.inline("", span),
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::CodeBlock | TagEnd::Table => self.close(),
            TagEnd::BlockQuote(_) | TagEnd::Item | TagEnd::FootnoteDefinition => {
                self.close();
                self.containers.pop();
                self.marker = None;
            }
            TagEnd::MetadataBlock(_) => self.in_front_matter = false,
            // A cell parts words as a space does.
            TagEnd::TableCell => self.inline(" ", 0..0),
            _ => {}
        }
    }

    fn enter(&mut self, container: Container, marker: Option<usize>) {
        self.close();
        self.containers.push(container);
        self.marker = marker;
    }

    fn open(&mut self, shape: Shape, span: Range<usize>) {
        self.close();
        let start = self.marker.take().unwrap_or(span.start);
        self.leaf = Some(Leaf { shape, span: start..span.end, plain: String::new() });
    }

    /// Takes in a piece of a line. In a list whose items stand close, text comes without a paragraph around it: then it opens one.
    fn inline(&mut self, text: &str, span: Range<usize>) {
        if self.leaf.is_none() {
            self.open(Shape::Prose, span.clone());
        }
        if let Some(leaf) = &mut self.leaf {
            leaf.span.end = leaf.span.end.max(span.end);
            leaf.plain.push_str(text);
        }
    }

    /// Ends the block that is being read. One that shows no text, a lone comment or an empty heading, is none.
    fn close(&mut self) {
        let Some(Leaf { shape, span, plain }) = self.leaf.take() else { return };
        if !plain.trim().is_empty() {
            self.blocks.push(self.kind(shape, &plain), span);
        }
    }

    /// A heading in a quotation or an item opens no section of the document: it is text of its container.
    fn kind(&self, shape: Shape, plain: &str) -> BlockKind {
        match (shape, self.containers.last()) {
            (Shape::Code, _) => BlockKind::Code,
            (Shape::Table, _) => BlockKind::Table,
            (_, Some(Container::Quote)) => BlockKind::Quote,
            (_, Some(Container::Item)) => BlockKind::ListItem,
            (Shape::Heading(level), None) => BlockKind::Heading { level, text: collapsed(without_id(plain)) },
            (Shape::Prose, None) | (_, Some(Container::Footnote)) => BlockKind::Paragraph,
        }
    }
}

/// A heading's words without the `{#anchor}` that some site generators read after them.
fn without_id(heading: &str) -> &str {
    let inner = heading.trim_end().strip_suffix('}').and_then(|rest| rest.rsplit_once("{#"));
    match inner {
        Some((words, anchor)) if !words.trim().is_empty() && !anchor.contains(char::is_whitespace) => words,
        _ => heading,
    }
}

/// The value of `title: ..` (YAML) or `title = ".."` (TOML) at the top level of front matter.
fn front_title(front: &str) -> Option<String> {
    let value = |line: &str| line.strip_prefix("title")?.trim_start().strip_prefix([':', '=']).map(str::trim).map(str::to_owned);
    let value = front.lines().find_map(value)?;
    let quoted = |quote| value.strip_prefix(quote)?.split_once(quote).map(|(inner, _)| inner);
    let title = quoted('"').or_else(|| quoted('\'')).unwrap_or(&value);
    Some(collapsed(title)).filter(|title| !title.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kind and text of each block.
    fn blocks(text: &str) -> Vec<(BlockKind, &str)> {
        let parsed = read(text.to_owned());
        assert_eq!(parsed.text, text);
        parsed.blocks.into_iter().map(|block| (block.kind, block.span.of(text).expect("in range"))).collect()
    }

    fn heading(level: u8, text: &str) -> BlockKind {
        BlockKind::Heading { level, text: text.to_owned() }
    }

    #[test]
    fn headings_lose_their_markup_and_anchor() {
        let text = "# The `Box<T>` *type* {#box}\n\nSetext\nheading\n---\n\n#\n\n## {#only}\n";
        let expected = [
            (heading(1, "The Box<T> type"), "# The `Box<T>` *type* {#box}"),
            (heading(2, "Setext heading"), "Setext\nheading\n---"),
            (heading(2, "{#only}"), "## {#only}"),
        ];
        assert_eq!(blocks(text), expected);
    }

    #[test]
    fn items_carry_their_marker_and_nested_ones_stand_alone() {
        let text = "1. one\n   more\n   - *in*\n2. two\n\n- [x] done\n";
        let item = BlockKind::ListItem;
        let expected = [(item.clone(), "1. one\n   more"), (item.clone(), "- *in*"), (item.clone(), "2. two"), (item, "- [x] done")];
        assert_eq!(blocks(text), expected);
    }

    #[test]
    fn loose_items_keep_code_and_tables_apart() {
        let text = "- first\n\n  second\n\n  ```rust\n  let x = 1;\n  ```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nend";
        let expected = [
            (BlockKind::ListItem, "- first"),
            (BlockKind::ListItem, "second"),
            (BlockKind::Code, "```rust\n  let x = 1;\n  ```"),
            (BlockKind::Table, "| a | b |\n|---|---|\n| 1 | 2 |"),
            (BlockKind::Paragraph, "end"),
        ];
        assert_eq!(blocks(text), expected);
    }

    #[test]
    fn quotations_keep_their_headings_as_text() {
        let text = "> ### Note\n>\n> two\n> lines\n>\n> - item\n\nafter";
        let expected = [
            (BlockKind::Quote, "### Note"),
            (BlockKind::Quote, "two\n> lines"),
            (BlockKind::ListItem, "- item"),
            (BlockKind::Paragraph, "after"),
        ];
        assert_eq!(blocks(text), expected);
    }

    #[test]
    fn html_comments_and_definitions_are_no_blocks() {
        let text = "<!-- a\n\ncomment -->\n\n<div>\nhtml\n</div>\n\n[r]: http://x\n\ntext <b>bold</b>[^1]\n\n[^1]: the note\n\n---\n";
        let expected = [(BlockKind::Paragraph, "text <b>bold</b>[^1]"), (BlockKind::Paragraph, "[^1]: the note")];
        assert_eq!(blocks(text), expected);
    }

    #[test]
    fn line_ends_and_a_byte_order_mark_move_no_span() {
        let text = "\u{feff}# T\u{e9}\r\n\r\none\r\ntwo\r\n\r\n\tcode\r\n\rlone";
        let expected = [
            (heading(1, "T\u{e9}"), "# T\u{e9}"),
            (BlockKind::Paragraph, "one\r\ntwo"),
            (BlockKind::Code, "code"),
            (BlockKind::Paragraph, "lone"),
        ];
        assert_eq!(blocks(text), expected);
    }

    #[test]
    fn the_title_is_the_front_matters_or_the_first_heading() {
        let title = |text: &str| read(text.to_owned()).title;
        assert_eq!(title("---\nlayout: page\ntitle: \"A: b\" # c\n---\n\n# H\n").as_deref(), Some("A: b"));
        assert_eq!(title("+++\ntitle = 'T'\n+++\ntext").as_deref(), Some("T"));
        assert_eq!(title("---\ntitle: Plain words\n---\n").as_deref(), Some("Plain words"));
        assert_eq!(title("---\nsubtitle: x\ntitle:\n---\n\n## H\n").as_deref(), Some("H"));
        assert_eq!(title("no heading"), None);
    }

    #[test]
    fn front_matter_is_no_block() {
        assert_eq!(blocks("\u{feff}---\ntitle: x\n---\ntext"), [(BlockKind::Paragraph, "text")]);
    }
}
