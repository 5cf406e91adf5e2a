//! A guard against nesting: the parser calls itself for each array and dictionary inside another, and a stack that overflows ends the
//! whole process, which no wall can prevent.

use pdf_oxide::decoders::{FlateDecoder, StreamDecoder};

/// Deepest nesting of arrays and dictionaries that is parsed. Producers stay below a hundred; the parser's stack holds ten times more.
const DEEPEST: usize = 10_000;
/// How many times a file's length is read at most: objects that are not inside each other take one time.
const PASSES: usize = 8;

/// Whether an object of the file, or of one of its compressed object streams, nests deeper than can be parsed.
///
/// A reader starts wherever the file's table of objects says, so each `obj` and `trailer` counts as a start, one in a string too. Object
/// streams of an encrypted file are not looked into.
pub(super) fn is_too_deep(file: &[u8]) -> bool {
    let mut left = PASSES * file.len();
    for start in starts(file) {
        let object = &file[start..];
        let Some(length) = length_of(object) else { return true };
        let Some(rest) = left.checked_sub(length) else { return true };
        left = rest;
        if packed_too_deep(&object[..length], &object[length..]) {
            return true;
        }
    }
    false
}

/// Where the keywords end that an object or the trailer follows.
fn starts(file: &[u8]) -> impl Iterator<Item = usize> {
    let ends_keyword =
        |end: &usize| file[..*end].ends_with(b"trailer") || (file[..*end].ends_with(b"obj") && !file[..*end].ends_with(b"endobj"));
    let candidates = file.iter().enumerate().filter(|(_, byte)| matches!(byte, b'j' | b'r')).map(|(at, _)| at + 1);
    candidates.filter(ends_keyword)
}

/// The length of the object that `bytes` begins with; `None` where it nests too deep.
fn length_of(bytes: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let closes = rest.starts_with(b"]") || rest.starts_with(b">>");
        match rest {
            [b'(', ..] => at += string_length(rest) - 1,
            [b'%', ..] => at += rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len() - 1),
            [b'[', ..] => depth += 1,
            [b'<', b'<', ..] => (depth, at) = (depth + 1, at + 1),
            [b'>', b'>', ..] => (depth, at) = (depth.saturating_sub(1), at + 1),
            [b']', ..] => depth = depth.saturating_sub(1),
            [b'e', ..] if depth == 0 && rest.starts_with(b"endobj") => return Some(at),
            _ => {}
        }
        at += 1;
        if depth > DEEPEST {
            return None;
        }
        if depth == 0 && closes {
            break;
        }
    }
    Some(at.min(bytes.len()))
}

/// The length of the string in parentheses that `bytes` begins with.
fn string_length(bytes: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut escaped = false;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' => depth += 1,
            b')' if depth == 1 => return at + 1,
            b')' => depth -= 1,
            _ => {}
        }
    }
    bytes.len()
}

/// Whether `object` is the dictionary of an object stream (ISO 32000-1, 7.5.7) whose objects, packed in what follows, nest too deep.
fn packed_too_deep(object: &[u8], follows: &[u8]) -> bool {
    let is_object_stream = object.windows(6).any(|window| window == b"ObjStm");
    is_object_stream && unpacked(follows).is_some_and(|objects| opened(&objects) > DEEPEST && !each_is_shallow(&objects))
}

fn unpacked(follows: &[u8]) -> Option<Vec<u8>> {
    let data = follows.trim_ascii_start().strip_prefix(b"stream")?;
    let data = data.strip_prefix(b"\r\n").or_else(|| data.strip_prefix(b"\n")).unwrap_or(data);
    FlateDecoder::default().decode(data).ok()
}

/// How many arrays and dictionaries begin: no nesting is deeper.
fn opened(objects: &[u8]) -> usize {
    objects.windows(2).filter(|window| window[0] == b'[' || *window == b"<<").count()
}

/// Whether none of the objects that stand one after another nests too deep.
fn each_is_shallow(mut objects: &[u8]) -> bool {
    while !objects.is_empty() {
        let Some(length) = length_of(objects) else { return false };
        objects = &objects[length.max(1)..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(inner: &str) -> bool {
        is_too_deep(format!("1 0 obj\n{inner}\nendobj\n").as_bytes())
    }

    #[test]
    fn nesting_is_counted() {
        assert!(object(&"[".repeat(DEEPEST + 1)));
        assert!(object(&"<</A ".repeat(DEEPEST + 1)));
        assert!(is_too_deep(format!("trailer {}", "[".repeat(DEEPEST + 1)).as_bytes()));
        assert!(!object(&"[ << /A [ 1 ] >> ]".repeat(DEEPEST)));
        assert!(!is_too_deep(&"1 0 obj << /A [[ 1 ] (a] [) ] >> stream [[[[ endstream endobj ".repeat(DEEPEST).into_bytes()));
    }

    #[test]
    fn strings_and_comments_close_nothing() {
        assert!(object(&"[(])".repeat(DEEPEST + 1)));
        assert!(object(&"[(\\)])".repeat(DEEPEST + 1)));
        assert!(object(&"[%]\n".repeat(DEEPEST + 1)));
        assert!(is_too_deep(format!("( 1 0 obj {}", "[(])".repeat(DEEPEST + 1)).as_bytes()));
    }

    #[test]
    fn objects_inside_each_other_are_not_read_for_ever() {
        assert!(is_too_deep("1 0 obj [".repeat(DEEPEST).as_bytes()));
    }
}
