use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// Bytes of an HTML page that are searched for a declaration of its encoding. The standard looks at 1,024; pages with a long licence
/// comment on top are common.
const PRESCAN: usize = 4096;

/// Decodes text as UTF-8, invalid bytes replaced and a byte order mark kept; with a UTF-16 byte order mark, as UTF-16.
pub(super) fn decode_text(bytes: Vec<u8>) -> String {
    match Encoding::for_bom(&bytes) {
        Some((encoding, mark)) if encoding != UTF_8 => encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned(),
        _ => String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

/// Decodes an HTML page: by its byte order mark, else by the encoding it declares, else as UTF-8 where it is valid, else as
/// windows-1252, which is what browsers take undeclared pages for.
pub(super) fn decode_html(bytes: &[u8]) -> Cow<'_, str> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0;
    }
    match declared(&bytes[..bytes.len().min(PRESCAN)]) {
        Some(encoding) => encoding.decode_without_bom_handling(bytes).0,
        None => UTF_8
            .decode_without_bom_handling_and_without_replacement(bytes)
            .unwrap_or_else(|| WINDOWS_1252.decode_without_bom_handling(bytes).0),
    }
}

/// The encoding that `<meta charset>`, `<meta content="..; charset=">` or `<?xml encoding=?>` names. A page whose declaration can be
/// read as ASCII is not UTF-16, whatever it says.
fn declared(head: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let xml = head.trim_start().strip_prefix("<?xml").and_then(|rest| rest.split("?>").next()).and_then(|rest| label(rest, "encoding"));
    let mut tags = head.split("<meta").skip(1).map(|rest| rest.split('>').next().unwrap_or(rest));
    let encoding = xml.or_else(|| tags.find_map(|tag| label(tag, "charset")))?;
    Some(encoding.output_encoding())
}

/// The encoding that follows `key=` in `markup`, quoted or not.
fn label(markup: &str, key: &str) -> Option<&'static Encoding> {
    markup.match_indices(key).find_map(|(at, _)| {
        let value = markup[at + key.len()..].trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
        let end = value.find(|c: char| c.is_whitespace() || "\"';>/?".contains(c)).unwrap_or(value.len());
        Encoding::for_label(&value.as_bytes()[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declared_encoding_is_used() {
        assert_eq!(decode_html(b"<meta charset=ISO-8859-1><p>caf\xe9"), "<meta charset=ISO-8859-1><p>caf\u{e9}");
        assert!(
            decode_html(b"<meta http-equiv=\"Content-Type\" content=\"text/html; charset=windows-1252\">\x93hi\x94")
                .ends_with("\u{201c}hi\u{201d}")
        );
        assert!(decode_html(b"<?xml version=\"1.0\" encoding='shift_jis'?><p>\x93\xfa").ends_with('\u{65e5}'));
    }

    #[test]
    fn a_page_that_calls_itself_utf_16_in_ascii_is_utf_8() {
        assert!(decode_html("<meta charset=utf-16><p>caf\u{e9}".as_bytes()).ends_with("caf\u{e9}"));
    }

    #[test]
    fn undeclared_pages_are_utf_8_where_valid_and_windows_1252_elsewhere() {
        assert_eq!(decode_html("na\u{ef}ve".as_bytes()), "na\u{ef}ve");
        assert_eq!(decode_html(b"na\xefve \x80"), "na\u{ef}ve \u{20ac}");
    }

    #[test]
    fn a_byte_order_mark_beats_the_declaration() {
        let utf16: Vec<u8> =
            [0xff, 0xfe].into_iter().chain("<meta charset=latin1>\u{e9}".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(decode_html(&utf16), "<meta charset=latin1>\u{e9}");
        assert_eq!(decode_text(utf16), "<meta charset=latin1>\u{e9}");
    }

    #[test]
    fn text_keeps_its_bytes_and_replaces_invalid_ones() {
        assert_eq!(decode_text(b"\xef\xbb\xbfa\r\n\0".to_vec()), "\u{feff}a\r\n\0");
        assert_eq!(decode_text(b"a\xffb".to_vec()), "a\u{fffd}b");
    }
}
