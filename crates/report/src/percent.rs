use std::fmt::Write;

/// Percent-encoding of everything but letters, digits and `-._~` (RFC 3986, section 2.3), for a part of an address.
///
/// ```
/// assert_eq!(jarre_report::percent_encoded("a/../b?ä"), "a%2F..%2Fb%3F%C3%A4");
/// ```
pub fn percent_encoded(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => written.push(char::from(byte)),
            _ => write!(written, "%{byte:02X}").expect("a string takes whatever is written to it"),
        }
    }
    written
}
