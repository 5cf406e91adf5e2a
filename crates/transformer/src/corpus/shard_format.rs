//! The bytes of a token shard.
//!
//! All numbers are little-endian.
//!
//! | bytes | what |
//! | --- | --- |
//! | 0..8 | `JARRETOK` |
//! | 8..12 | version, 1 |
//! | 12..16 | bytes of a token: 2 where the vocabulary has at most 65,536 ids, else 4 |
//! | 16..24 | size of the vocabulary |
//! | 24..32 | number of tokens |
//! | 32..40 | number of documents |
//! | 40..72 | fingerprint of the vocabulary |
//! | 72..104 | BLAKE3 of bytes 0..72 followed by the tables |
//! | 104..128 | zero |
//! | 128.. | the tokens |
//! | then | table: for each document, the number of tokens up to its end, as `u64` |
//! | then | table: for each mebibyte of token bytes, its BLAKE3 |
//!
//! So the header vouches for the tables and the tables for the tokens, and damage is found to the mebibyte.

use std::path::Path;

use crate::error::{Error, Result};

pub(super) const HEADER: usize = 128;

/// Token bytes that share a checksum.
pub(super) const BLOCK: usize = 1 << 20;

const MAGIC: &[u8; 8] = b"JARRETOK";
const VERSION: u32 = 1;
const CHECKED: usize = 72;

/// What a shard says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) vocab_size: u32,
    pub(super) tokens: u64,
    pub(super) documents: u64,
    pub(super) vocabulary: [u8; 32],
    pub(super) checksum: [u8; 32],
}

/// How wide a token is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    Two,
    Four,
}

impl Width {
    pub(super) fn of(vocab_size: u32) -> Self {
        if vocab_size <= 1 << 16 { Self::Two } else { Self::Four }
    }

    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Four => 4,
        }
    }

    /// Appends `tokens`, each below the vocabulary's size.
    pub(super) fn write(self, tokens: &[u32], bytes: &mut Vec<u8>) {
        match self {
            Self::Two => tokens.iter().for_each(|token| bytes.extend((*token as u16).to_le_bytes())),
            Self::Four => tokens.iter().for_each(|token| bytes.extend(token.to_le_bytes())),
        }
    }

    /// The tokens in `bytes`, as many as there is room for in `tokens`.
    pub(super) fn read(self, bytes: &[u8], tokens: &mut [u32]) {
        match self {
            Self::Two => bytes.as_chunks().0.iter().zip(tokens).for_each(|(two, token)| *token = u16::from_le_bytes(*two).into()),
            Self::Four => bytes.as_chunks().0.iter().zip(tokens).for_each(|(four, token)| *token = u32::from_le_bytes(*four)),
        }
    }
}

impl Header {
    pub(super) fn width(&self) -> Width {
        Width::of(self.vocab_size)
    }

    /// Bytes of the tokens; the header was checked against the file's length, so this does not overflow.
    pub(super) fn token_bytes(&self) -> u64 {
        self.tokens * self.width().bytes() as u64
    }

    /// Where the tables begin.
    pub(super) fn tables_at(&self) -> u64 {
        HEADER as u64 + self.token_bytes()
    }

    /// The header with the checksum over itself and `tables`.
    pub(super) fn sealed(mut self, tables: &[u8]) -> Self {
        self.checksum = self.checksum_with(tables);
        self
    }

    pub(super) fn checksum_with(&self, tables: &[u8]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.to_bytes()[..CHECKED]);
        hasher.update(tables);
        *hasher.finalize().as_bytes()
    }

    pub(super) fn to_bytes(&self) -> [u8; HEADER] {
        let mut bytes = Vec::with_capacity(HEADER);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend((self.width().bytes() as u32).to_le_bytes());
        bytes.extend(u64::from(self.vocab_size).to_le_bytes());
        bytes.extend(self.tokens.to_le_bytes());
        bytes.extend(self.documents.to_le_bytes());
        bytes.extend(self.vocabulary);
        bytes.extend(self.checksum);
        bytes.resize(HEADER, 0);
        bytes.try_into().expect("it was given this length above")
    }

    /// Reads a header and holds it to the length of its file, so that every size it states can be relied on.
    pub(super) fn parse(bytes: &[u8; HEADER], file_length: u64, path: &Path) -> Result<Self> {
        let damaged = |offset: usize, reason: String| damaged(path, offset as u64, reason);
        if bytes[..8] != *MAGIC {
            return Err(damaged(0, "it is no token shard".to_owned()));
        }
        if number::<4>(bytes, 8) != u64::from(VERSION) {
            return Err(damaged(8, format!("it has version {} and this is version {VERSION}", number::<4>(bytes, 8))));
        }
        let vocab_size = number::<8>(bytes, 16);
        let Some(vocab_size) = u32::try_from(vocab_size).ok().filter(|size| *size > 0) else {
            return Err(damaged(16, format!("a vocabulary cannot have {vocab_size} ids")));
        };
        let header = Self {
            vocab_size,
            tokens: number::<8>(bytes, 24),
            documents: number::<8>(bytes, 32),
            vocabulary: field(bytes, 40),
            checksum: field(bytes, 72),
        };
        if number::<4>(bytes, 12) != header.width().bytes() as u64 {
            return Err(damaged(12, format!("a vocabulary of {vocab_size} has no tokens of {} bytes", number::<4>(bytes, 12))));
        }
        match header.file_length() {
            Some(length) if length == file_length => Ok(header),
            _ => Err(damaged(
                24,
                format!("{} tokens of {} documents do not make a file of {file_length} bytes", header.tokens, header.documents),
            )),
        }
    }

    fn file_length(&self) -> Option<u64> {
        let token_bytes = self.tokens.checked_mul(self.width().bytes() as u64)?;
        let documents = self.documents.checked_mul(8)?;
        let blocks = token_bytes.div_ceil(BLOCK as u64).checked_mul(32)?;
        token_bytes.checked_add(documents)?.checked_add(blocks)?.checked_add(HEADER as u64)
    }
}

pub(super) fn damaged(path: &Path, offset: u64, reason: impl Into<String>) -> Error {
    Error::Damaged { path: path.to_owned(), offset, reason: reason.into() }
}

fn field<const N: usize>(bytes: &[u8; HEADER], at: usize) -> [u8; N] {
    *bytes[at..].first_chunk().expect("every field lies inside the header")
}

fn number<const N: usize>(bytes: &[u8; HEADER], at: usize) -> u64 {
    let mut wide = [0; 8];
    wide[..N].copy_from_slice(&field::<N>(bytes, at));
    u64::from_le_bytes(wide)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(vocab_size: u32, tokens: u64, documents: u64) -> Header {
        Header { vocab_size, tokens, documents, vocabulary: [7; 32], checksum: [9; 32] }
    }

    #[test]
    fn tokens_are_two_bytes_wide_as_long_as_they_fit() {
        for (vocab_size, width) in [(1, Width::Two), (1 << 16, Width::Two), ((1 << 16) + 1, Width::Four), (u32::MAX, Width::Four)] {
            assert_eq!(Width::of(vocab_size), width);
            let tokens = [0, vocab_size / 2, vocab_size - 1];
            let (mut bytes, mut back) = (Vec::new(), [u32::MAX; 3]);
            width.write(&tokens, &mut bytes);
            width.read(&bytes, &mut back);
            assert_eq!((bytes.len(), back), (3 * width.bytes(), tokens));
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let path = Path::new("x");
        let good = header(300, 10, 2);
        let length = good.file_length().unwrap();
        assert_eq!(length, 128 + 20 + 16 + 32);
        assert_eq!(Header::parse(&good.to_bytes(), length, path).unwrap(), good);
        for (at, value) in [(0, 0), (8, 2), (12, 4), (16, 0), (24, 11), (32, 3)] {
            let mut bytes = good.to_bytes();
            bytes[at] = value;
            bytes[17] *= u8::from(at != 16);
            let error = Header::parse(&bytes, length, path).unwrap_err();
            let expected = if at == 32 { 24 } else { at as u64 };
            assert!(matches!(error, Error::Damaged { offset, .. } if offset == expected), "{at}: {error}");
        }
        assert!(Header::parse(&good.to_bytes(), length - 1, path).is_err());
    }

    #[test]
    fn sizes_that_overflow_are_refused() {
        for (tokens, documents) in [(u64::MAX, 1), (u64::MAX / 2, 1), (1, u64::MAX / 8), (u64::MAX / 4, u64::MAX / 16)] {
            assert!(Header::parse(&header(300, tokens, documents).to_bytes(), 1000, Path::new("x")).is_err());
        }
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), HEADER - 12), length: u64) {
            let bytes = [MAGIC.as_slice(), &VERSION.to_le_bytes(), &bytes].concat().try_into().unwrap();
            drop(Header::parse(&bytes, length, Path::new("x")));
        }
    }
}
