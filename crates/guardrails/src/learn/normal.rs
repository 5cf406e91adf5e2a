use unicode_normalization::UnicodeNormalization;

/// Hands the characters of `text` to `each` as classifiers see them.
///
/// In this order: compatibility composition (NFKC); lower case; what does not show (controls other than white space, zero-widths, marks of
/// direction, soft hyphens, variation selectors, tags) is dropped; white space becomes a space, and a digit of any script `0`.
pub fn normalise(text: &str, mut each: impl FnMut(char)) {
    let mut rest = text;
    while !rest.is_empty() {
        let plain = rest.bytes().position(|byte| !byte.is_ascii()).unwrap_or(rest.len());
        let other = rest[plain..].bytes().position(|byte| byte.is_ascii()).map_or(rest.len(), |length| plain + length);
        // The last plain character may be composed with what follows; none is with what stands before.
        let start = if other > plain { plain.saturating_sub(1) } else { plain };
        rest[..start].bytes().filter_map(ascii).for_each(&mut each);
        composed(&rest[start..other], &mut each);
        rest = &rest[other..];
    }
}

fn composed(text: &str, each: &mut impl FnMut(char)) {
    for char in text.nfkc() {
        if char.is_ascii() {
            ascii(char as u8).into_iter().for_each(&mut *each);
        } else if char.is_whitespace() {
            each(' ');
        } else if char.is_numeric() {
            each('0');
        } else if !is_unseen(char) {
            char.to_lowercase().for_each(&mut *each);
        }
    }
}

fn ascii(byte: u8) -> Option<char> {
    match byte {
        b'0'..=b'9' => Some('0'),
        b'\t'..=b'\r' => Some(' '),
        byte if byte.is_ascii_control() => None,
        byte => Some(byte.to_ascii_lowercase() as char),
    }
}

/// Whether nothing of it shows: the default-ignorable characters of Unicode that texts are found to hide in.
fn is_unseen(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}')
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}')
        || matches!(char, '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(text: &str) -> String {
        let mut normal = String::new();
        normalise(text, |char| normal.push(char));
        normal
    }

    #[test]
    fn forms_of_one_text_are_one() {
        assert_eq!(normal("Ig\u{200b}n\u{ad}ore\tALL 12\u{0}3"), "ignore all 000");
        assert_eq!(normal("ｉｇｎｏｒｅ\u{3000}ａｌｌ ①٣"), "ignore all 00");
        assert_eq!(normal("e\u{301}ÉÉ\u{202e}"), "ééé");
        assert_eq!(normal("A\u{e0041}B\r\n"), "ab  ");
    }

    proptest::proptest! {
        #[test]
        fn runs_are_read_as_the_whole(text in r"[aA1 \u{301}\u{308}\u{e9}\u{df}\u{fb01}\u{2460}\u{ac00}\u{1100}\u{1161}\u{200b}\t\u{b7}e-]{0,24}") {
            let mut whole = String::new();
            composed(&text, &mut |char| whole.push(char));
            proptest::prop_assert_eq!(normal(&text), whole);
        }
    }
}
