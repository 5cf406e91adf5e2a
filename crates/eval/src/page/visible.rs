use std::fmt::Write;

/// The text with what cannot be seen, or turns the direction of what can, written out by its number.
/// Line breaks and tabs stay, and so do joiners and variation selectors after a letter or sign that can use them.
///
/// Tag characters (U+E0000 and following) and runs of invisible letters carry hidden instructions; nobody should have to read a file's bytes
/// to find them. See Unicode Technical Report 36, "Unicode Security Considerations".
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut before = ' ';
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' | '\t' => shown.push(character),
            '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' if can_join(before) => shown.push(character),
            _ if is_invisible(character) => {
                write!(shown, "⟨U+{:04X}⟩", u32::from(character)).expect("a string takes whatever is written to it");
            }
            _ if is_noncharacter(character) => shown.push(char::REPLACEMENT_CHARACTER),
            _ => shown.push(character),
        }
        before = character;
    }
    shown
}

/// The text on one line, cut to `limit` characters.
pub(super) fn excerpt(text: &str, limit: usize) -> String {
    // No more than can be shown is looked at: an output may be ten megabytes long.
    let start: String = text.trim_start().chars().take(8 * limit).collect();
    let words = start.split_whitespace().collect::<Vec<_>>().join(" ");
    let kept: String = words.chars().take(limit).collect();
    let cut = kept.len() < words.len() || start.len() < text.trim().len();
    visible(&kept) + if cut { "…" } else { "" }
}

/// Whether joiners mean something after this character: in emoji and in scripts whose letters join.
fn can_join(before: char) -> bool {
    !before.is_ascii() && !is_invisible(before)
}

/// Characters of the categories Cc, Cf, Zl and Zp, and others that are drawn as nothing.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn is_noncharacter(character: char) -> bool {
    let code = u32::from(character);
    (0xfdd0..=0xfdef).contains(&code) || code & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_hides_is_written_out() {
        assert_eq!(visible("a\0\u{1b}[2J\u{7f}\u{85}"), "a⟨U+0000⟩⟨U+001B⟩[2J⟨U+007F⟩⟨U+0085⟩");
        assert_eq!(visible("user\u{202e}txt.exe\u{2066}"), "user⟨U+202E⟩txt.exe⟨U+2066⟩");
        assert_eq!(visible("1\u{200b}2\u{2028}3\u{feff}"), "1⟨U+200B⟩2⟨U+2028⟩3⟨U+FEFF⟩");
        assert_eq!(visible("\u{e0041}\u{e0042}"), "⟨U+E0041⟩⟨U+E0042⟩");
        assert_eq!(visible("\u{fdd0}\u{ffff}\u{1fffe}"), "\u{fffd}\u{fffd}\u{fffd}");
    }

    #[test]
    fn what_is_meant_to_be_read_stays() {
        for text in ["two\nlines\tand a tab", "👩\u{200d}💻 ❤\u{fe0f}", "می\u{200c}خواهم", "עברית", "名前", "e\u{301}"]
        {
            assert_eq!(visible(text), text);
        }
        assert_eq!(visible("a\r\nb\rc"), "a\nb⟨U+000D⟩c");
        assert_eq!(visible("a\u{200d}\u{200d}"), "a⟨U+200D⟩⟨U+200D⟩", "joiners with nothing to join");
    }

    #[test]
    fn an_excerpt_is_one_line() {
        assert_eq!(excerpt("  one\n\ntwo  three ", 30), "one two three");
        assert_eq!(excerpt("abcdef", 3), "abc…");
        assert_eq!(excerpt(&"x".repeat(10_000_000), 5), "xxxxx…");
    }

    proptest! {
        #[test]
        fn nothing_invisible_is_left(text: String) {
            let shown = visible(&text);
            let joins = |character| matches!(character, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}');
            let hides = |character| is_invisible(character) && !joins(character) && !matches!(character, '\n' | '\t');
            prop_assert!(!shown.chars().any(|character| hides(character) || is_noncharacter(character)));
            prop_assert_eq!(visible(&shown), shown);
        }
    }
}
