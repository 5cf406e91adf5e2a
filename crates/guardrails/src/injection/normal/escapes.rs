//! Characters written as escapes: `&#105;`, `&lt;`, `\u0069`, `\u{69}`, `\x69`, `%69`.

use std::ops::Range;

use super::mapped::Mapped;

const NAMED: [(&str, &str); 8] =
    [("lt", "<"), ("gt", ">"), ("amp", "&"), ("quot", "\""), ("apos", "'"), ("nbsp", " "), ("NewLine", "\n"), ("Tab", "\t")];

/// The most percent-encoded bytes that are read at once: what is read in vain is bounded.
const RUN: usize = 32;

/// `text` with its escapes replaced by what they stand for, and how many there were; `None` where there is none.
pub(super) fn unescape(text: &str) -> Option<(Mapped, usize)> {
    let mut mapped = Mapped::default();
    let (mut kept, mut count, mut at) = (0, 0, 0);
    while let Some(start) = text[at..].bytes().position(|byte| matches!(byte, b'&' | b'\\' | b'%')).map(|found| at + found) {
        let Some((plain, length)) = escape(&text[start..]) else {
            at = start + 1;
            continue;
        };
        if count == 0 {
            mapped = Mapped::with_capacity(text.len());
        }
        count += 1;
        mapped.keep(&text[kept..start], kept);
        put(&mut mapped, &plain, start..start + length);
        at = start + length;
        kept = at;
    }
    if count == 0 {
        return None;
    }
    mapped.keep(&text[kept..], kept);
    Some((mapped, count))
}

/// A run of `%69`s is one escape of several characters; each has a third of it and more.
fn put(mapped: &mut Mapped, plain: &str, from: Range<usize>) {
    if from.len() == plain.len() * 3 {
        for (at, char) in plain.char_indices() {
            mapped.put_char(char, from.start + at * 3..from.start + (at + char.len_utf8()) * 3);
        }
    } else {
        mapped.put(plain, from);
    }
}

/// What the escape that `text` begins with stands for, and its bytes.
fn escape(text: &str) -> Option<(String, usize)> {
    match text.as_bytes()[0] {
        b'&' => entity(&text[1..]).map(|(plain, length)| (plain, length + 1)),
        b'\\' => backslash(&text[1..]).map(|(plain, length)| (plain.to_string(), length + 1)),
        _ => percent(text.as_bytes()),
    }
}

fn entity(text: &str) -> Option<(String, usize)> {
    if let Some(digits) = text.strip_prefix(['#']) {
        let (digits, radix, skipped) = digits.strip_prefix(['x', 'X']).map_or((digits, 10, 1), |hex| (hex, 16, 2));
        let (char, length) = number(digits, radix, 7)?;
        let end = skipped + length;
        return Some((char.to_string(), end + usize::from(text[end..].starts_with(';'))));
    }
    let (_, plain) = NAMED.iter().find(|(name, _)| text.strip_prefix(name).is_some_and(|rest| rest.starts_with(';')))?;
    let name = text.find(';').expect("a named entity ends with the semicolon that was just seen");
    Some(((*plain).into(), name + 1))
}

fn backslash(text: &str) -> Option<(char, usize)> {
    match text.as_bytes().first()? {
        b'n' | b'r' => Some(('\n', 1)),
        b't' => Some((' ', 1)),
        b'x' => exact(&text[1..], 2).map(|char| (char, 3)),
        b'U' => exact(&text[1..], 8).map(|char| (char, 9)),
        b'u' => match text[1..].strip_prefix('{') {
            Some(digits) => {
                let (char, length) = number(digits, 16, 6)?;
                digits[length..].starts_with('}').then_some((char, length + 3))
            }
            None => exact(&text[1..], 4).map(|char| (char, 5)),
        },
        _ => None,
    }
}

/// The character with the number that exactly so many hexadecimal digits give.
fn exact(text: &str, digits: usize) -> Option<char> {
    number(text, 16, digits).filter(|(_, length)| *length == digits).map(|(char, _)| char)
}

/// The character whose number `text` begins with, and the digits of it.
fn number(text: &str, radix: u32, most: usize) -> Option<(char, usize)> {
    let length = text.bytes().take(most).take_while(|&byte| char::from(byte).is_digit(radix)).count();
    let char = char::from_u32(u32::from_str_radix(&text[..length], radix).ok()?)?;
    (char != '\0').then_some((char, length))
}

/// The characters that a run of percent-encoded bytes begins with, at most [`RUN`] bytes of it.
fn percent(bytes: &[u8]) -> Option<(String, usize)> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = bytes.chunks_exact(3).take(RUN).map_while(|chunk| match chunk {
        [b'%', high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    let plain: Vec<u8> = pairs.collect();
    let plain = match String::from_utf8(plain) {
        Ok(plain) => plain,
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned()
        }
    };
    let length = plain.len() * 3;
    (length > 0).then_some((plain, length))
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn escapes_give_what_they_stand_for() {
        for (escaped, plain) in [
            ("&#105;gnore", "ignore"),
            ("&#x69;gnore &lt;b&gt;", "ignore <b>"),
            (r"\u0069gnore \x61ll \u{72}ules", "ignore all rules"),
            ("%69gnore%20all", "ignore all"),
            ("%C3%A9t%C3%A9", "été"),
        ] {
            assert_eq!(unescape(escaped).map(|(mapped, _)| mapped.text().to_owned()).as_deref(), Some(plain));
        }
    }

    #[test]
    fn what_is_no_escape_stays() {
        for text in ["100 % of R&D", "&#0; &#x110000; &foo;", r"\q \u12 \ud800", "%zz %C3 %ff%ff", "&", "\\", "%", "&é", "\\é"] {
            assert!(unescape(text).is_none(), "{text}");
        }
    }

    #[test]
    fn an_escape_leads_back_to_all_of_itself() {
        let (mapped, count) = unescape("a &#105; %69%67").unwrap();
        assert_eq!((mapped.text(), count), ("a i ig", 2));
        assert_eq!(mapped.original(2..3), 2..8);
        assert_eq!(mapped.original(5..6), 12..15);
    }
}
