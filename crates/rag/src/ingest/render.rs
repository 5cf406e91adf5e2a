//! Writing the blocks of a part of a page.

use ego_tree::{NodeId, NodeRef, iter::Edge};
use scraper::{ElementRef, Node};

use super::{blocks::collapsed, html::selector, readable::Dropped, writer::Writer};
use crate::BlockKind;

/// Mean characters of a cell above which a table is taken for the layout of a page.
const LAYOUT_CELL: usize = 400;

/// Writes the blocks under `root`, in document order, without what `dropped` covers.
pub(super) fn write(root: ElementRef<'_>, dropped: Dropped, writer: &mut Writer) {
    let mut page = Page { writer, dropped, line: String::new(), open: Vec::new() };
    let mut skipped: Option<NodeId> = None;
    for edge in root.traverse() {
        match edge {
            Edge::Open(node) if skipped.is_none() => skipped = page.open(node).then(|| node.id()),
            Edge::Close(node) if skipped.is_none() => page.close(node),
            Edge::Close(node) if skipped == Some(node.id()) => skipped = None,
            _ => {}
        }
    }
    page.flush();
}

/// An open element that says what the text in it is.
enum Open {
    /// A list; the number of its next item where it counts them.
    List(Option<u32>),
    /// An item; its marker until it is written.
    Item(Option<String>),
    Quote,
    Heading(u8),
}

struct Page<'w> {
    writer: &'w mut Writer,
    dropped: Dropped,
    /// The block that is being read, white space collapsed, `\n` for a `<br>`.
    line: String,
    open: Vec<Open>,
}

impl Page<'_> {
    /// Takes in what opens at `node`, and says whether all under it is done with.
    fn open(&mut self, node: NodeRef<'_, Node>) -> bool {
        if let Some(text) = node.value().as_text() {
            push_collapsed(&mut self.line, text);
            return false;
        }
        let Some(element) = ElementRef::wrap(node) else { return false };
        if self.dropped.covers(element) || self.is_permalink(element) {
            return true;
        }
        let name = element.value().name();
        if is_block(name) {
            self.flush();
        }
        match name {
            "br" => self.line.push('\n'),
            "pre" => self.code(element),
            "table" => return self.table(element),
            _ => {
                let opened = self.opened(element);
                self.open.extend(opened);
            }
        }
        name == "pre"
    }

    fn close(&mut self, node: NodeRef<'_, Node>) {
        let Some(element) = ElementRef::wrap(node) else { return };
        if is_block(element.value().name()) {
            self.flush();
        }
        if kind_of(element).is_some() {
            self.open.pop();
        }
    }

    fn opened(&mut self, element: ElementRef<'_>) -> Option<Open> {
        let mut opened = kind_of(element)?;
        if let Open::Item(marker) = &mut opened {
            *marker = Some(self.next_marker());
        }
        Some(opened)
    }

    /// The marker of the next item of the innermost list.
    fn next_marker(&mut self) -> String {
        let list = self.open.iter_mut().rev().find_map(|open| if let Open::List(next) = open { Some(next) } else { None });
        match list {
            Some(Some(next)) => {
                *next = next.saturating_add(1);
                format!("{}. ", *next - 1)
            }
            _ => "- ".to_owned(),
        }
    }

    /// Ends the block that is being read.
    fn flush(&mut self) {
        let line = std::mem::take(&mut self.line);
        let text = line.trim();
        if text.is_empty() {
            return;
        }
        let quoted = self.open.iter().any(|open| matches!(open, Open::Quote));
        match self.open.iter_mut().rev().find(|open| !matches!(open, Open::List(_))) {
            Some(Open::Heading(level)) if !quoted => {
                let text = collapsed(text);
                self.writer.block(BlockKind::Heading { level: *level, text: text.clone() }, None, &text);
            }
            Some(Open::Item(marker)) => self.writer.block(BlockKind::ListItem, None, &(marker.take().unwrap_or_default() + text)),
            Some(Open::Quote | Open::Heading(_)) => self.writer.block(BlockKind::Quote, None, text),
            Some(Open::List(_)) | None => self.writer.block(BlockKind::Paragraph, None, text),
        }
    }

    fn code(&mut self, element: ElementRef<'_>) {
        let text = raw_text(element);
        // White space before the first character of a line is part of code, but no block begins with it.
        self.writer.block(BlockKind::Code, None, text.trim_matches(['\n', '\r']));
    }

    /// Writes a table of data, and says whether it was one.
    fn table(&mut self, table: ElementRef<'_>) -> bool {
        let is_layout = matches!(table.attr("role"), Some("presentation" | "none")) || table.select(&selector("table")).next().is_some();
        if is_layout {
            return false;
        }
        let row = |row: ElementRef<'_>| row.child_elements().filter(|cell| is_cell(*cell)).map(|cell| self.cell(cell)).collect();
        let mut rows: Vec<Vec<String>> = table.select(&selector("tr")).map(row).collect();
        rows.retain(|cells| cells.iter().any(|cell| !cell.is_empty()));
        if !is_data(&rows) {
            return false;
        }
        let captions: Vec<String> = table.select(&selector("caption")).map(|caption| self.cell(caption)).collect();
        self.writer.block(BlockKind::Paragraph, None, &captions.join(" "));
        let lines: Vec<String> = rows.iter().map(|cells| cells.join(" | ").trim().to_owned()).collect();
        self.writer.block(BlockKind::Table, None, &lines.join("\n"));
        true
    }

    /// The text of a cell, on one line.
    fn cell(&self, cell: ElementRef<'_>) -> String {
        let mut text = String::new();
        let mut skipped: Option<NodeId> = None;
        for edge in cell.traverse() {
            match edge {
                Edge::Open(node) if skipped.is_none() => match ElementRef::wrap(node) {
                    Some(element) if self.dropped.covers(element) => skipped = Some(node.id()),
                    Some(element) if is_block(element.value().name()) || element.value().name() == "br" => text.push(' '),
                    _ => text.push_str(node.value().as_text().map_or("", |piece| piece)),
                },
                Edge::Close(node) if skipped == Some(node.id()) => skipped = None,
                _ => {}
            }
        }
        collapsed(&text)
    }

    /// The sign beside a heading that links to it.
    fn is_permalink(&self, element: ElementRef<'_>) -> bool {
        let in_heading = matches!(self.open.last(), Some(Open::Heading(_)));
        let is_sign = |text: String| text.trim().chars().count() <= 1 && !text.contains(char::is_alphanumeric);
        in_heading && element.value().name() == "a" && is_sign(element.text().take(3).collect())
    }
}

fn kind_of(element: ElementRef<'_>) -> Option<Open> {
    let number = |name| element.attr(name).and_then(|value| value.trim().parse::<u32>().ok());
    match element.value().name() {
        "ul" | "dl" => Some(Open::List(None)),
        "ol" => Some(Open::List(Some(number("start").unwrap_or(1)))),
        "li" => Some(Open::Item(None)),
        "blockquote" => Some(Open::Quote),
        "h1" => Some(Open::Heading(1)),
        "h2" => Some(Open::Heading(2)),
        "h3" => Some(Open::Heading(3)),
        "h4" => Some(Open::Heading(4)),
        "h5" => Some(Open::Heading(5)),
        "h6" => Some(Open::Heading(6)),
        _ => None,
    }
}

/// Whether an element stands on lines of its own.
fn is_block(name: &str) -> bool {
    const NAMES: [&str; 48] = [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "caption",
        "center",
        "dd",
        "details",
        "dir",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hgroup",
        "hr",
        "html",
        "legend",
        "li",
        "main",
        "menu",
        "nav",
        "ol",
        "option",
        "p",
        "pre",
        "search",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    ];
    NAMES.contains(&name)
}

fn is_cell(element: ElementRef<'_>) -> bool {
    matches!(element.value().name(), "td" | "th")
}

/// Whether rows are data: more than one column, and cells rather than passages.
fn is_data(rows: &[Vec<String>]) -> bool {
    let cells = rows.iter().map(Vec::len).sum::<usize>();
    let characters = rows.iter().flatten().map(String::len).sum::<usize>();
    rows.iter().any(|row| row.len() > 1) && characters <= cells * LAYOUT_CELL
}

/// Appends `text` with each run of white space made one space, none at the start of a line.
fn push_collapsed(line: &mut String, text: &str) {
    for c in text.chars() {
        let is_space = c.is_whitespace();
        if !is_space {
            line.push(c);
        } else if !line.is_empty() && !line.ends_with([' ', '\n']) {
            line.push(' ');
        }
    }
}

/// The text under `element` as it stands, `<br>` as a line end.
fn raw_text(element: ElementRef<'_>) -> String {
    let mut text = String::new();
    for node in element.descendants() {
        match node.value() {
            Node::Text(piece) => text.push_str(piece),
            Node::Element(element) if element.name() == "br" => text.push('\n'),
            _ => {}
        }
    }
    text
}
