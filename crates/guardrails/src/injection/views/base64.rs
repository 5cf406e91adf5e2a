use super::{Encoding, View, readable};

/// The fewest digits that are looked at: 12 bytes.
const LEAST: usize = 16;
/// A line at least this long may go on on the next one.
const LINE: usize = 60;
/// The digits by which one sees whether there is text.
const PROBE: usize = 64;

/// Finds runs of base64 digits that decode to text, wherever in the run its groups begin.
pub(super) fn find(text: &str, found: &mut Vec<View>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if value(bytes[at]).is_none() {
            at += 1;
            continue;
        }
        let end = run(bytes, at);
        if end - at >= LEAST
            && let Some(plain) = decode_run(&bytes[at..end])
        {
            let padding = bytes[end..].iter().take(2).take_while(|byte| **byte == b'=').count();
            found.push(View { encoding: Encoding::Base64, text: plain, span: at..end + padding });
        }
        at = end;
    }
}

/// Where the digits that begin at `start` end.
fn run(bytes: &[u8], start: usize) -> usize {
    let (mut line, mut at) = (start, start);
    loop {
        at += bytes[at..].iter().take_while(|byte| value(**byte).is_some()).count();
        let rest = &bytes[at..];
        let newline = if rest.starts_with(b"\r\n") { 2 } else { usize::from(rest.starts_with(b"\n")) };
        let more = rest.get(newline).is_some_and(|byte| value(*byte).is_some());
        if newline == 0 || at - line < LINE || !more {
            return at;
        }
        at += newline;
        line = at;
    }
}

fn decode_run(digits: &[u8]) -> Option<String> {
    let start = (0..4).find(|&start| readable(&decode(&digits[start..digits.len().min(start + PROBE)])).is_some())?;
    readable(&decode(&digits[start..]))
}

fn decode(digits: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0);
    for digit in digits.iter().filter_map(|byte| value(*byte)) {
        bits = bits << 6 | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xff) as u8);
        }
    }
    bytes
}

fn value(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}
