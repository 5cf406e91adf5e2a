use std::collections::BTreeSet;

use jarre_core::base64;

/// Letters of a needle, at least: what is shorter could stand anywhere.
const SHORTEST: usize = 12;

/// The ways in which `marker`, of lower-case letters, may be written, each as its letters and digits in lower case.
pub(super) fn disguises(marker: &str) -> Vec<String> {
    let reversed: String = marker.chars().rev().collect();
    let plain = [marker.to_owned(), rot13(marker), rot13(&reversed), reversed];
    let written = plain.iter().flat_map(|plain| [plain.clone(), plain.to_uppercase()]);
    let mut all: BTreeSet<String> = written.flat_map(|written| encoded(&written)).collect();
    all.extend(plain);
    all.retain(|needle| needle.len() >= SHORTEST);
    all.into_iter().collect()
}

fn rot13(text: &str) -> String {
    text.bytes().map(|letter| char::from((letter - b'a' + 13) % 26 + b'a')).collect()
}

fn encoded(written: &str) -> Vec<String> {
    let hex = |before: &str| written.bytes().flat_map(|byte| [before.to_owned(), format!("{byte:02x}")]).collect::<String>();
    let inside = (0..3).map(|offset| inside_base64(written, offset));
    inside.chain([hex(""), hex("x"), hex("0x")]).collect()
}

/// What is the same of the base64 of `written` wherever it stands `offset` bytes after a group of three begins.
fn inside_base64(written: &str, offset: usize) -> String {
    let mut bytes = vec![0; offset];
    bytes.extend_from_slice(written.as_bytes());
    let text = base64::encode(&bytes);
    // A digit belongs to the marker alone where all its six bits do.
    let (from, to) = ((offset * 8).div_ceil(6), bytes.len() * 8 / 6);
    text[from..to].chars().filter(char::is_ascii_alphanumeric).map(|digit| digit.to_ascii_lowercase()).collect()
}
