//! Addresses of crypto-currencies.

use sha2::{Digest, Sha256};

/// `Base58Check`, as Bitcoin has it: the last four of 25 bytes begin the double SHA-256 of the others.
pub fn base58check(text: &str) -> bool {
    let Some(bytes) = base58(text) else { return false };
    let (payload, check) = bytes.split_at(21);
    Sha256::digest(Sha256::digest(payload))[..4] == *check
}

/// The number that `text` is in base 58, in 25 bytes; every leading zero byte is a `1`.
fn base58(text: &str) -> Option<[u8; 25]> {
    const ALPHABET: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut bytes = [0u8; 25];
    for char in text.bytes() {
        let mut carry = ALPHABET.iter().position(|&known| known == char)? as u32;
        for byte in bytes.iter_mut().rev() {
            carry += u32::from(*byte) * 58;
            *byte = carry as u8;
            carry >>= 8;
        }
        if carry > 0 {
            return None;
        }
    }
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    let ones = text.bytes().take_while(|&byte| byte == b'1').count();
    (zeros == ones).then_some(bytes)
}

/// Bech32 or Bech32m (BIP 173, BIP 350), in one case.
pub fn bech32(text: &str) -> bool {
    const ALPHABET: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let lower = text.to_ascii_lowercase();
    if lower != text && text.to_ascii_uppercase() != text {
        return false;
    }
    let Some((prefix, data)) = lower.rsplit_once('1').filter(|(prefix, data)| !prefix.is_empty() && data.len() >= 6) else { return false };
    let values = data.bytes().map(|char| ALPHABET.iter().position(|&known| known == char).map(|at| at as u32));
    let Some(values) = values.collect::<Option<Vec<u32>>>() else { return false };
    let prefix: Vec<u32> = prefix.bytes().map(u32::from).collect();
    let all = prefix.iter().map(|char| char >> 5).chain([0]).chain(prefix.iter().map(|char| char & 31)).chain(values);
    matches!(all.fold(1, bech32_step), 1 | 0x2bc8_30a3)
}

fn bech32_step(sum: u32, value: u32) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let top = sum >> 25;
    let sum = (sum & 0x1ff_ffff) << 5 ^ value;
    GENERATOR.iter().enumerate().filter(|(bit, _)| top >> bit & 1 == 1).fold(sum, |sum, (_, generator)| sum ^ generator)
}
