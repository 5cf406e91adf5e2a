use super::{Encoding, View, readable, runs::next_run};

/// The fewest bytes that are looked at.
const LEAST: usize = 8;

/// Finds numbers that are the bytes of a text: `69 67 6e`, `69676e`, `01101001 01100111`, `105, 103, 110`.
pub(super) fn find(text: &str, found: &mut Vec<View>) {
    let bytes = text.as_bytes();
    let begins = |at: &usize| bytes[*at].is_ascii_hexdigit() && (*at == 0 || !bytes[*at - 1].is_ascii_alphanumeric());
    let mut end = 0;
    while let Some(mut run) = next_run(bytes, end, LEAST * 2, in_run) {
        end = run.end;
        if let Some(start) = run.find(begins)
            && end - start >= LEAST * 2
            && let Some(plain) = decode(&text[start..end])
        {
            found.push(View { encoding: Encoding::Codes, text: plain, span: start..end });
        }
    }
}

fn in_run(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b' ' | b',' | b':' | b'-' | b'x' | b'\n')
}

fn decode(run: &str) -> Option<String> {
    let numbers: Vec<&str> = run.split([' ', ',', ':', '-', '\n']).filter(|number| !number.is_empty()).collect();
    [(2, 16), (8, 2)].iter().find_map(|&(digits, radix)| read(&numbers, digits, radix)).or_else(|| decimal(&numbers))
}

/// The text of numbers of so many digits, with or without something between them.
fn read(numbers: &[&str], digits: usize, radix: u32) -> Option<String> {
    let mut bytes = Vec::new();
    for number in numbers.iter().map(|number| number.strip_prefix("0x").unwrap_or(number)) {
        for group in number.as_bytes().chunks(digits) {
            // What stands around the numbers may look like one.
            let Some(byte) = std::str::from_utf8(group)
                .ok()
                .filter(|group| group.len() == digits)
                .and_then(|group| u8::from_str_radix(group, radix).ok())
            else {
                continue;
            };
            bytes.push(byte);
        }
    }
    (bytes.len() >= LEAST).then(|| readable(&bytes))?
}

fn decimal(numbers: &[&str]) -> Option<String> {
    let bytes: Vec<u8> = numbers.iter().filter_map(|number| number.parse().ok()).collect();
    (bytes.len() >= LEAST).then(|| readable(&bytes))?
}
