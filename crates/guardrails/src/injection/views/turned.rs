use super::{Encoding, View};

/// Words of which some stand in almost every sentence that asks for something.
const COMMON: [u64; 46] = sorted([
    pack(b"a"),
    pack(b"all"),
    pack(b"and"),
    pack(b"any"),
    pack(b"are"),
    pack(b"as"),
    pack(b"be"),
    pack(b"do"),
    pack(b"follow"),
    pack(b"for"),
    pack(b"from"),
    pack(b"give"),
    pack(b"have"),
    pack(b"how"),
    pack(b"ignore"),
    pack(b"in"),
    pack(b"is"),
    pack(b"it"),
    pack(b"me"),
    pack(b"my"),
    pack(b"no"),
    pack(b"not"),
    pack(b"now"),
    pack(b"of"),
    pack(b"on"),
    pack(b"or"),
    pack(b"previous"),
    pack(b"print"),
    pack(b"prompt"),
    pack(b"reveal"),
    pack(b"rules"),
    pack(b"say"),
    pack(b"show"),
    pack(b"system"),
    pack(b"tell"),
    pack(b"that"),
    pack(b"the"),
    pack(b"this"),
    pack(b"to"),
    pack(b"what"),
    pack(b"with"),
    pack(b"without"),
    pack(b"write"),
    pack(b"you"),
    pack(b"your"),
    pack(b"yourself"),
]);
/// The longest of these, in bytes.
const LONGEST: usize = 8;
/// What is read at once, in bytes: a line, or as much of it.
const LINE: usize = 2048;

/// Finds lines whose words are common ones only once they are turned: by 13 letters, or end to start.
pub(super) fn find(text: &str, found: &mut Vec<View>) {
    let mut at = 0;
    while at < text.len() {
        let limit = crate::scan::boundary_before(text, at + LINE);
        let end = text[at..limit].find('\n').map_or(limit, |length| at + length + 1);
        let line = &text[at..end];
        if let Some(encoding) = turned(line) {
            let plain = if encoding == Encoding::Rot13 { line.chars().map(rot13).collect() } else { line.chars().rev().collect() };
            found.push(View { encoding, text: plain, span: at..end });
        }
        at = end;
    }
}

fn turned(line: &str) -> Option<Encoding> {
    let (mut words, mut plain, mut rotated, mut reversed) = (0, 0, 0, 0);
    let mut buffer = [0; LONGEST];
    for word in line.as_bytes().split(|byte| !byte.is_ascii_alphabetic()).filter(|word| !word.is_empty()) {
        words += 1;
        let Some(buffer) = buffer.get_mut(..word.len()) else { continue };
        buffer.copy_from_slice(word);
        buffer.make_ascii_lowercase();
        plain += usize::from(is_common(buffer));
        // A letter is common turned as well.
        buffer.reverse();
        reversed += usize::from(word.len() > 1 && is_common(buffer));
        buffer.reverse();
        for byte in &mut *buffer {
            *byte = rotate(*byte);
        }
        rotated += usize::from(word.len() > 1 && is_common(buffer));
    }
    let most = rotated.max(reversed);
    (most >= 2 && most > plain * 2 && most * 6 >= words).then_some(if rotated >= reversed { Encoding::Rot13 } else { Encoding::Reversed })
}

fn is_common(word: &[u8]) -> bool {
    COMMON.binary_search(&pack(word)).is_ok()
}

/// At most eight bytes as one number.
const fn pack(word: &[u8]) -> u64 {
    let (mut packed, mut at) = (0, 0);
    while at < word.len() {
        packed = packed << 8 | word[at] as u64;
        at += 1;
    }
    packed
}

const fn sorted<const N: usize>(mut numbers: [u64; N]) -> [u64; N] {
    let mut at = 1;
    while at < N {
        let mut place = at;
        while place > 0 && numbers[place - 1] > numbers[place] {
            numbers.swap(place - 1, place);
            place -= 1;
        }
        at += 1;
    }
    numbers
}

fn rot13(char: char) -> char {
    if char.is_ascii() { char::from(rotate(char as u8)) } else { char }
}

fn rotate(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => (byte - b'a' + 13) % 26 + b'a',
        b'A'..=b'Z' => (byte - b'A' + 13) % 26 + b'A',
        _ => byte,
    }
}
