use std::fmt::{self, Write};

/// What `Debug` wrote, with its escapes read: a value of several lines is what it was, and guards see it so.
pub(super) fn read_escapes(from: usize, text: &mut String) {
    if !text[from..].contains('\\') {
        return;
    }
    let written = text.split_off(from);
    let mut rest = written.as_str();
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let (character, length) = escape(&rest[at + 1..]).unwrap_or(('\\', 0));
        text.push(character);
        rest = &rest[at + 1 + length..];
    }
    text.push_str(rest);
}

/// The character that an escape means, and the length of the escape behind its backslash.
fn escape(text: &str) -> Option<(char, usize)> {
    let character = match text.chars().next()? {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '0' => '\0',
        same @ ('\\' | '"' | '\'') => same,
        'u' => {
            let digits = text[1..].strip_prefix('{')?;
            let end = digits.bytes().take(7).position(|byte| byte == b'}')?;
            return Some((char::from_u32(u32::from_str_radix(&digits[..end], 16).ok()?)?, end + 3));
        }
        _ => return None,
    };
    Some((character, 1))
}

/// Writes `text` on one line: no control character reaches a terminal, and no value can feign a line of the log.
pub(super) fn write_on_one_line(out: &mut impl Write, text: &str) -> fmt::Result {
    let mut at = 0;
    for (place, character) in text.char_indices().filter(|(_, character)| breaks(*character)) {
        out.write_str(&text[at..place])?;
        write!(out, "{}", character.escape_default())?;
        at = place + character.len_utf8();
    }
    out.write_str(&text[at..])
}

/// Controls, line and paragraph separators, and marks that turn the direction of writing.
fn breaks(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_as_debug_wrote_them() {
        for value in ["a\nb\t\"c\" \\ 'd'", "\u{202e}é\u{1b}[0m", "plain", "\0"] {
            let mut text = format!("x={value:?}");
            read_escapes(2, &mut text);
            assert_eq!(text, format!("x=\"{value}\""));
        }
        for odd in ["\\", "a\\q", "\\u{zz}", "\\u{110000}", "\\u{", "\\u"] {
            let mut text = odd.to_owned();
            read_escapes(0, &mut text);
            assert_eq!(text, odd);
        }
    }

    #[test]
    fn lines_stay_one() {
        let mut out = String::new();
        write_on_one_line(&mut out, "a\nERROR b\u{2028}\u{1b}[2J é").unwrap();
        assert_eq!(out, "a\\nERROR b\\u{2028}\\u{1b}[2J é");
    }
}
