use super::{Encoding, View};

/// Words of which some stand in almost every sentence that asks for something; none has more than [`LONGEST`] letters.
const COMMON: [&str; 46] = [
    "a", "all", "and", "any", "are", "as", "be", "do", "follow", "for", "from", "give", "have", "how", "ignore", "in", "is", "it", "me",
    "my", "no", "not", "now", "of", "on", "or", "previous", "print", "prompt", "reveal", "rules", "say", "show", "system", "tell", "that",
    "the", "this", "to", "what", "with", "without", "write", "you", "your", "yourself",
];
const LONGEST: usize = 8;
/// These words, [packed](pack), each where its [place](place) is or behind it, before an empty one.
static PLACES: [u64; 512] = {
    let (mut places, mut word) = ([0; 512], 0);
    while word < COMMON.len() {
        let packed = pack(COMMON[word].as_bytes());
        let mut at = place(packed);
        while places[at] != 0 {
            at = (at + 1) % places.len();
        }
        places[at] = packed;
        word += 1;
    }
    places
};
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
    let (mut word, mut turned, mut length) = (0_u64, 0_u64, 0_usize);
    for byte in line.bytes().chain([b' ']) {
        if byte.is_ascii_alphabetic() {
            let byte = byte.to_ascii_lowercase();
            (word, turned, length) = (word << 8 | u64::from(byte), turned << 8 | u64::from(rotate(byte)), length + 1);
            continue;
        }
        if (1..=LONGEST).contains(&length) {
            plain += usize::from(is_common(word));
            // A letter is common turned as well.
            rotated += usize::from(length > 1 && is_common(turned));
            reversed += usize::from(length > 1 && is_common(word.swap_bytes() >> (8 * (LONGEST - length))));
        }
        words += usize::from(length > 0);
        (word, turned, length) = (0, 0, 0);
    }
    let most = rotated.max(reversed);
    (most >= 2 && most > plain * 2 && most * 6 >= words).then_some(if rotated >= reversed { Encoding::Rot13 } else { Encoding::Reversed })
}

fn is_common(packed: u64) -> bool {
    let mut at = place(packed);
    while PLACES[at] != 0 && PLACES[at] != packed {
        at = (at + 1) % PLACES.len();
    }
    PLACES[at] == packed
}

/// Where a word is looked for first.
const fn place(packed: u64) -> usize {
    (packed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 55) as usize
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
