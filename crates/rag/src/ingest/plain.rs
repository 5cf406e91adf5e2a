use super::{Parsed, blocks::Blocks};
use crate::BlockKind;

/// Plain text: paragraphs are what blank lines set apart. Lines end in LF, CR LF or CR.
pub(super) fn read(text: String) -> Parsed {
    let mut blocks = Blocks::of(&text);
    let mut start = text.len() - text.trim_start_matches('\u{feff}').len();
    let mut line_start = start;
    for (at, _) in text.match_indices(['\n', '\r']).filter(|&(at, _)| !splits_crlf(&text, at)) {
        let blank = text.get(line_start..at).is_some_and(|line| line.trim().is_empty());
        if blank {
            blocks.push(BlockKind::Paragraph, start..line_start);
            start = line_start;
        }
        line_start = at + 1;
    }
    blocks.push(BlockKind::Paragraph, start..text.len());
    let blocks = blocks.finish();
    Parsed { title: None, language: None, blocks, text }
}

/// Whether the byte at `at` is the CR of a CR LF, which the LF ends.
fn splits_crlf(text: &str, at: usize) -> bool {
    text.as_bytes()[at..].starts_with(b"\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paragraphs(text: &str) -> Vec<String> {
        let parsed = read(text.to_owned());
        assert_eq!(parsed.text, text);
        parsed.blocks.iter().map(|block| block.span.of(text).expect("in range").to_owned()).collect()
    }

    #[test]
    fn blank_lines_part_paragraphs_whatever_ends_a_line() {
        assert_eq!(paragraphs("one\ntwo\n\n \t\nthree"), ["one\ntwo", "three"]);
        assert_eq!(paragraphs("one\r\ntwo\r\n\r\nthree\r\n"), ["one\r\ntwo", "three"]);
        assert_eq!(paragraphs("one\rtwo\r\rthree"), ["one\rtwo", "three"]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_paragraph() {
        assert_eq!(paragraphs("\u{feff}one\n\ntwo"), ["one", "two"]);
        assert_eq!(paragraphs("\u{feff}\n\ntwo"), ["two"]);
    }

    #[test]
    fn white_space_has_no_paragraphs() {
        assert!(paragraphs(" \n\n\t\n").is_empty());
        assert!(paragraphs("").is_empty());
    }
}
