use serde_json::Value;

use crate::scan::{Rule, Seen};

/// A JSON web token (RFC 7519) in its compact form: signed, with a header that names an algorithm.
pub(super) fn rule() -> Rule {
    let part = "[0-9A-Za-z_-]";
    Rule::new("jwt", format!(r"(?-u:\b)eyJ{part}{{8,1000}}\.eyJ{part}{{8,3000}}\.{part}{{16,1000}}"), judge)
}

fn judge(seen: &Seen<'_>) -> Option<f32> {
    let mut parts = seen.text.split('.').map(base64url);
    let header: Value = serde_json::from_slice(&parts.next()??).ok()?;
    let claims: Value = serde_json::from_slice(&parts.next()??).ok()?;
    (header["alg"].is_string() && claims.is_object()).then_some(0.95)
}

/// The bytes that `text` is in base 64 with the alphabet for URLs (RFC 4648, section 5), without padding.
fn base64url(text: &str) -> Option<Vec<u8>> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    };
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for group in text.as_bytes().chunks(4) {
        let bits = group.iter().try_fold(0u32, |bits, &byte| Some(bits << 6 | u32::from(value(byte)?)))? << (6 * (4 - group.len()));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    Some(bytes)
}
