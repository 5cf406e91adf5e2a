use super::{Encoding, View, readable, reads, runs::next_run};

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
    while let Some(line) = next_run(bytes, at, LEAST, |byte| value(byte).is_some()) {
        let start = line.start;
        at = run(bytes, start);
        if let Some(plain) = decode_run(&bytes[start..at]) {
            let padding = bytes[at..].iter().take(2).take_while(|byte| **byte == b'=').count();
            found.push(View { encoding: Encoding::Base64, text: plain, span: start..at + padding });
        }
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
    let mut bytes = Vec::new();
    let start = (0..4).find(|&start| reads(decode(&digits[start..digits.len().min(start + PROBE)], &mut bytes)))?;
    readable(decode(&digits[start..], &mut bytes))
}

/// What `digits` are, in the place of what `bytes` held.
fn decode<'a>(digits: &[u8], bytes: &'a mut Vec<u8>) -> &'a [u8] {
    bytes.clear();
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
    VALUES[usize::from(byte)]
}

/// What each byte stands for.
static VALUES: [Option<u8>; 256] = {
    let (mut values, mut byte) = ([None; 256], 0);
    while byte < 256 {
        values[byte] = digit(byte as u8);
        byte += 1;
    }
    values
};

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}
