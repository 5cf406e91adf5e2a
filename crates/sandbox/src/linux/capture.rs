use std::{collections::VecDeque, fmt::Write};

use crate::Captured;

/// Keeps the head and the tail of a stream, a half of the room each.
#[derive(Debug)]
pub(super) struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    room: usize,
    written: u64,
}

impl Capture {
    /// Room for `room` bytes.
    pub(super) fn new(room: usize) -> Self {
        Self { head: Vec::new(), tail: VecDeque::new(), room, written: 0 }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.written = self.written.saturating_add(bytes.len() as u64);
        let (head, rest) = bytes.split_at(bytes.len().min((self.room - self.room / 2).saturating_sub(self.head.len())));
        self.head.extend_from_slice(head);
        let half = self.room / 2;
        let rest = &rest[rest.len().saturating_sub(half)..];
        self.tail.drain(..(self.tail.len() + rest.len()).saturating_sub(half));
        self.tail.extend(rest);
    }

    /// Bytes that were dropped.
    pub(super) fn dropped(&self) -> u64 {
        self.written - (self.head.len() + self.tail.len()) as u64
    }

    /// The stream as text.
    pub(super) fn finish(self) -> Captured {
        let dropped = self.dropped();
        let tail = Vec::from(self.tail);
        if dropped == 0 {
            return Captured { text: printable(&[self.head, tail].concat()), dropped };
        }
        let text = format!("{}\n[{dropped} bytes dropped]\n{}", printable(&self.head), printable(&tail));
        Captured { text, dropped }
    }
}

/// Text in which nothing steers a terminal: control characters (ECMA-48) but for line ends and tabs, and those that turn the direction of
/// writing (Unicode UAX #9), are written out.
fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\n' | '\t' => out.push(character),
            '\r' if characters.peek() == Some(&'\n') => {}
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => write!(out, "\\x{:02x}", u32::from(character)).expect("a string takes all"),
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                write!(out, "\\u{{{:x}}}", u32::from(character)).expect("a string takes all");
            }
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::Capture;

    fn captured(room: usize, parts: &[&[u8]]) -> (String, u64) {
        let mut capture = Capture::new(room);
        for part in parts {
            capture.push(part);
        }
        let captured = capture.finish();
        (captured.text, captured.dropped)
    }

    #[test]
    fn the_middle_is_dropped() {
        assert_eq!(captured(6, &[b"abcdef"]), ("abcdef".into(), 0));
        assert_eq!(captured(6, &[b"ab", b"cdefghij", b"kl"]), ("abc\n[6 bytes dropped]\njkl".into(), 6));
        assert_eq!(captured(6, &[b"abcdefghijkl"]), ("abc\n[6 bytes dropped]\njkl".into(), 6));
        assert_eq!(captured(0, &[b"abc"]), ("\n[3 bytes dropped]\n".into(), 3));
        assert_eq!(captured(1, &[b"a", b"b"]), ("a\n[1 bytes dropped]\n".into(), 1));
    }

    #[test]
    fn nothing_steers_a_terminal() {
        let text = captured(99, &["a\x1b[2Jb\u{9b}31m\r\nc\rd\u{202e}e\u{7f}\u{0}".as_bytes(), b"\xff\t\xe2\x82"]).0;
        assert_eq!(text, "a\\x1b[2Jb\\x9b31m\nc\\x0dd\\u{202e}e\\x7f\\x00\u{fffd}\t\u{fffd}");
    }
}
