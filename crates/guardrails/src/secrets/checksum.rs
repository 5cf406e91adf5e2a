/// Whether the last six characters of `text` are the CRC-32 (IEEE 802.3) of those before, in base 62 with the digits first, then capitals:
/// the check that tokens of GitHub and npm carry after their prefix.
pub fn crc32_base62(text: &str) -> bool {
    const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let Some((body, check)) = text.len().checked_sub(6).and_then(|at| text.split_at_checked(at)) else { return false };
    let value = check.bytes().try_fold(0u64, |value, byte| Some(value * 62 + ALPHABET.iter().position(|&digit| digit == byte)? as u64));
    value == Some(u64::from(crc32(body.as_bytes())))
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
}
