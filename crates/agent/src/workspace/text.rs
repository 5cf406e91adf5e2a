/// How many bytes are looked at for what no text has.
const SNIFFED: usize = 8 << 10;

/// The text that a file holds.
///
/// # Errors
/// What it holds instead, in words.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<String, String> {
    if bytes.iter().take(SNIFFED).any(|byte| *byte == 0) {
        return Err("it is a binary file".into());
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].split(|byte| *byte == b'\n').count();
        format!("it is not UTF-8: byte {valid}, in line {line}, begins no character")
    })
}

/// Whether every line of a text ends as DOS ends them.
pub(crate) fn has_dos_lines(text: &str) -> bool {
    let ends = text.bytes().filter(|byte| *byte == b'\n').count();
    ends > 0 && text.matches("\r\n").count() == ends
}

/// `text` with the lines ended as DOS ends them.
pub(crate) fn to_dos_lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

/// `text` cut to so many characters, with a mark where something is missing.
pub(crate) fn clipped(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}… ({} more characters)", &text[..end], text[end..].chars().count()),
        None => text.to_owned(),
    }
}

/// `text` with control characters written as `\n`, `\u{1b}` and the like.
pub(crate) fn printable(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_told() {
        assert_eq!(decode(b"a\0".to_vec()).unwrap_err(), "it is a binary file");
        assert_eq!(decode(b"a\nb\xff".to_vec()).unwrap_err(), "it is not UTF-8: byte 3, in line 2, begins no character");
        assert_eq!(decode("é\u{feff}".into()).unwrap(), "é\u{feff}");
    }

    #[test]
    fn lines_are_dos_lines_where_all_are() {
        assert!(has_dos_lines("a\r\nb\r\n") && !has_dos_lines("a\r\nb\n") && !has_dos_lines("a"));
        assert_eq!(to_dos_lines("a\nb\r\n"), "a\r\nb\r\n");
        assert_eq!(printable("it's\n\x1b"), r"it's\n\u{1b}");
        assert_eq!(clipped("éèà", 2), "éè… (1 more characters)");
    }
}
