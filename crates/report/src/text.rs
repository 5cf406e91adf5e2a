//! What text looks like without a font at hand: which characters may be shown, and about how wide they are.

use unicode_width::UnicodeWidthChar;

/// The character itself, or U+FFFD where no XML document may hold it: controls other than tab and line breaks, and noncharacters.
pub(crate) fn printable(character: char) -> char {
    let code = u32::from(character);
    let noncharacter = (0xfdd0..=0xfdef).contains(&code) || code & 0xfffe == 0xfffe;
    let control = character.is_control() && !matches!(character, '\t' | '\n' | '\r');
    if noncharacter || control { char::REPLACEMENT_CHARACTER } else { character }
}

/// Whether the character changes the direction of text around it.
pub(crate) fn is_direction_control(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text, isolated (UAX #9) where letters that run from right to left would reorder what stands beside them.
pub(crate) fn isolated(text: String) -> String {
    let runs_left = |character| matches!(character, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}');
    if text.contains(runs_left) { format!("\u{2068}{text}\u{2069}") } else { text }
}

/// One line: line breaks and tabs become spaces.
pub(crate) fn single_line(text: &str) -> String {
    text.chars().map(|character| if character.is_whitespace() { ' ' } else { printable(character) }).collect()
}

/// Columns that the text takes in a terminal.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(|character| character.width().unwrap_or(0)).sum()
}

/// An upper estimate of the width in pixels, in a sans-serif font of the given size. The classes are those of the common sans-serif
/// faces, whose widths differ by a few per cent.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(em).sum::<f64>() * size
}

/// The text, cut so that it is at most `limit` pixels wide, with an ellipsis where something is missing.
pub(crate) fn fit(text: &str, size: f64, limit: f64) -> String {
    let text = single_line(text);
    if width(&text, size) <= limit {
        return text;
    }
    let mut left = limit - width("…", size);
    let mut kept: String = text
        .chars()
        .take_while(|character| {
            left -= em(*character) * size;
            left >= 0.0
        })
        .collect();
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    kept
}

fn em(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | '|' | '!' | '\'' | '.' | ',' | ':' | ';' | ' ' | 'I' => 0.3,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '{' | '}' | '/' | '\\' | '-' | '"' | '`' => 0.4,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' => 0.95,
        '\u{20}'..='\u{7e}' if character.is_ascii_uppercase() => 0.72,
        '\u{20}'..='\u{7e}' => 0.58,
        _ => match character.width() {
            None | Some(0) => 0.0,
            Some(1) => 0.68,
            Some(_) => 1.05,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_forbids_is_replaced() {
        let kept = "\t\n\rä\u{85}\u{0}\u{1f}\u{7f}\u{ffff}\u{1fffe}\u{fdd0}\u{10000}";
        let shown: String = kept.chars().map(printable).collect();
        assert_eq!(shown, "\t\n\rä\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{10000}");
    }

    #[test]
    fn text_is_cut_to_its_room() {
        assert_eq!(fit("short", 12.0, 100.0), "short");
        let cut = fit("a long name of a series", 12.0, 60.0);
        assert!(cut.ends_with('…') && width(&cut, 12.0) <= 60.0, "{cut}");
        assert_eq!(fit("two\nlines", 12.0, 100.0), "two lines");
        assert_eq!(fit("名前名前名前", 10.0, 1.0), "…");
    }

    #[test]
    fn wide_and_combining_characters_count() {
        assert_eq!((columns("ab"), columns("名"), columns("e\u{301}")), (2, 2, 1));
        assert!(width("名", 10.0) > width("m", 10.0));
    }
}
