//! Base64 (RFC 4648 section 4, padded): bytes in JSON and in data URLs, and in fields by `#[serde(with = "base64")]`.
//!
//! ```
//! use jarre_core::base64;
//!
//! assert_eq!(base64::encode(b"fo"), "Zm8=");
//! assert_eq!(base64::decode(b"Zm8="), Some(b"fo".to_vec()));
//! assert_eq!(base64::decode(b"Zm9="), None); // bits beyond the last byte
//! ```

use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Writes bytes as text.
///
/// # Errors
/// The serializer's.
pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&encode(bytes))
}

/// Reads bytes from text.
///
/// # Errors
/// Where the text is not padded base64.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    decode(text.as_bytes()).ok_or_else(|| D::Error::custom("the data is not padded base64"))
}

/// The text of `bytes`, padded.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let mut padded = [0; 4];
        padded[1..=group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes(padded);
        for place in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= group.len() { digit as char } else { '=' });
        }
    }
    text
}

/// The bytes of `text`; `None` where it is not padded base64, with every unused bit zero.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let (groups, rest) = text.as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    let mut bytes = Vec::with_capacity(groups.len() * 3);
    for (index, group) in groups.iter().enumerate() {
        let padding = group.iter().rev().take_while(|&&digit| digit == b'=').count();
        if padding > 2 || (padding > 0 && index + 1 < groups.len()) {
            return None;
        }
        bytes.extend_from_slice(&decode_group(&group[..4 - padding])?);
        bytes.truncate(bytes.len() - padding);
    }
    Some(bytes)
}

/// Three bytes from two to four digits; bits beyond the last whole byte must be zero, so that every text has one meaning.
fn decode_group(digits: &[u8]) -> Option<[u8; 3]> {
    let mut bits = 0;
    for &digit in digits {
        bits = bits << 6 | value(digit)?;
    }
    bits <<= 6 * (4 - digits.len());
    let unused = 8 * (4 - digits.len());
    (bits & ((1 << unused) - 1) == 0).then_some([(bits >> 16) as u8, (bits >> 8) as u8, bits as u8])
}

fn value(digit: u8) -> Option<u32> {
    Some(u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_vectors_of_rfc_4648() {
        let vectors = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")];
        for (plain, encoded) in vectors {
            assert_eq!(encode(plain.as_bytes()), encoded);
            assert_eq!(decode(encoded.as_bytes()).unwrap(), plain.as_bytes());
        }
    }

    #[test]
    fn malformed_text_is_refused() {
        for text in ["Z", "Zg", "Zg=", "Zg==Zg==", "====", "Zh==", "Zm9=", "Zm 9v", "Z===", "=Zm9", "Zm-_"] {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn bytes_come_back(bytes: Vec<u8>) {
            prop_assert_eq!(decode(encode(&bytes).as_bytes()), Some(bytes));
        }

        #[test]
        fn any_text_that_decodes_is_canonical(text in "[A-D/=]{0,12}") {
            if let Some(bytes) = decode(text.as_bytes()) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}
