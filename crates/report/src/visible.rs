use std::fmt::Write;

/// The text with characters that cannot be seen, or that turn the direction of others, written out by their numbers: `⟨U+202E⟩`. Line breaks
/// and tabs stay, and so do joiners and variation selectors after a character that is no ASCII.
///
/// Invisible characters carry instructions that a reader should see, and controls command a terminal. See Unicode Technical Report 36,
/// "Unicode Security Considerations".
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut joins = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' | '\t' => shown.push(character),
            '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' if joins => shown.push(character),
            hidden if is_hidden(hidden) => {
                write!(shown, "⟨U+{:04X}⟩", u32::from(hidden)).expect("a string takes whatever is written to it");
            }
            plain => shown.push(plain),
        }
        joins = !character.is_ascii() && !is_hidden(character);
    }
    shown
}

/// As [`visible`], on one line, cut to `limit` characters.
pub fn excerpt(text: &str, limit: usize) -> String {
    // No more than can be shown is looked at: an output may be megabytes long.
    let start: String = text.trim_start().chars().take(limit.saturating_mul(8)).collect();
    let words = start.split_whitespace().collect::<Vec<_>>().join(" ");
    let kept: String = words.chars().take(limit).collect();
    let is_cut = kept.len() < words.len() || start.len() < text.trim().len();
    visible(&kept) + if is_cut { "…" } else { "" }
}

/// Characters of the categories Cc, Cf, Zl and Zp, others that are drawn as nothing, and noncharacters.
pub fn is_hidden(character: char) -> bool {
    let code = u32::from(character);
    let is_noncharacter = (0xfdd0..=0xfdef).contains(&code) || code & 0xfffe == 0xfffe;
    is_noncharacter
        || character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}'
            | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_hides_is_written_out_and_what_is_read_stays() {
        assert_eq!(visible("a\0\u{1b}[2J\u{7f}\u{9b}"), "a⟨U+0000⟩⟨U+001B⟩[2J⟨U+007F⟩⟨U+009B⟩");
        assert_eq!(visible("user\u{202e}txt.exe\u{2066}"), "user⟨U+202E⟩txt.exe⟨U+2066⟩");
        assert_eq!(visible("1\u{200b}2\u{2028}3\u{e0041}\u{ffff}"), "1⟨U+200B⟩2⟨U+2028⟩3⟨U+E0041⟩⟨U+FFFF⟩");
        assert_eq!(visible("\u{fdd0}\u{1fffe}"), "⟨U+FDD0⟩⟨U+1FFFE⟩");
        assert_eq!(visible("a\r\nb\rc"), "a\nb⟨U+000D⟩c");
        assert_eq!(visible("a\u{200d}\u{200d}"), "a⟨U+200D⟩⟨U+200D⟩", "joiners with nothing to join");
        for text in ["two\nlines\tand", "עברית", "👩\u{200d}💻 ❤\u{fe0f}", "می\u{200c}خواهم", "名前", "e\u{301}"] {
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn an_excerpt_is_one_line() {
        assert_eq!(excerpt("  one\n\ntwo  three ", 30), "one two three");
        assert_eq!(excerpt("äbcdef", 3), "äbc…");
        assert_eq!(excerpt(&"x".repeat(10_000_000), 5), "xxxxx…");
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left(text: String, limit in 0..40_usize) {
            let shown = visible(&text);
            let may_join = |c| matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}');
            prop_assert!(!shown.chars().any(|c| is_hidden(c) && !may_join(c) && c != '\n' && c != '\t'));
            prop_assert_eq!(visible(&shown), shown);
            prop_assert!(!excerpt(&text, limit).contains('\n'));
        }
    }
}
