//! Sentences as a reader sees them.

use pulldown_cmark::{BrokenLink, CowStr, Event, LinkType, Options, Parser, TagEnd};

use crate::Format;

/// `source`, a slice of a document of `format`, without markup, each run of white space made one space.
pub(super) fn plain(source: &str, format: Format) -> String {
    match format {
        Format::Markdown => from_markdown(source),
        _ => collapse(source),
    }
}

fn from_markdown(source: &str) -> String {
    if source.trim_start().starts_with('|') {
        return cells(source);
    }
    let resolve = |link: BrokenLink<'_>| {
        let has_label = matches!(link.link_type, LinkType::Reference | LinkType::Collapsed);
        if has_label { Some((CowStr::Borrowed(""), CowStr::Borrowed(""))) } else { None }
    };
    let options = Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut text = String::new();
    for event in Parser::new_with_broken_link_callback(source, options, Some(resolve)) {
        match event {
            Event::Text(piece) | Event::Code(piece) => text.push_str(&piece),
            Event::SoftBreak | Event::HardBreak | Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::Heading(_)) => text.push(' '),
            _ => {}
        }
    }
    collapse(&text)
}

/// A row of a table: its cells, joined by commas; nothing where it is the rule below the head.
fn cells(row: &str) -> String {
    let cells = row.split('|').map(|cell| from_markdown(cell.trim())).filter(|cell| !cell.is_empty());
    let cells: Vec<String> = cells.collect();
    let is_rule = cells.iter().all(|cell| cell.chars().all(|c| matches!(c, '-' | ':' | ' ')));
    if is_rule { String::new() } else { cells.join(", ") }
}

fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_goes_and_words_stay() {
        for (source, text) in [
            ("- The `Rc<T>` type **keeps** track.", "The Rc<T> type keeps track."),
            ("see [the book](https://a.example/b) and\n  [that][ref]", "see the book and that"),
            ("an [1] in brackets", "an [1] in brackets"),
            ("> quoted\n> twice", "quoted twice"),
            ("<a id=\"x\"></a>", ""),
            ("| a | **b** |  |", "a, b"),
            ("|---|:-:|", ""),
            ("a_b_c * d", "a_b_c * d"),
        ] {
            assert_eq!(plain(source, Format::Markdown), text, "{source}");
        }
        assert_eq!(plain("a **b**\n c", Format::Text), "a **b** c");
    }
}
