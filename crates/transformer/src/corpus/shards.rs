//! Token shards, read by position.
//!
//! Rows are read with positioned reads (`pread`) straight from the operating system's page cache. That is what mapping the file into memory
//! comes down to for rows of some kilobytes - what is read often stays in memory, nothing is loaded up front, any number of processes share
//! it - without its two drawbacks: a mapped file that another process shortens ends the reader with a signal, and mapping needs `unsafe`. A
//! file that is shortened under this reader is an error.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::shard_format::{BLOCK, HEADER, Header, damaged};
use super::shard_writer::{ShardWriter, Vocabulary};
use crate::error::{Error, Result};

/// A file of tokens with the ends of the documents that they are of. Opened once and read from any thread.
#[derive(Debug)]
pub struct Shard {
    path: PathBuf,
    storage: Storage,
    header: Header,
    /// For each document, the number of tokens up to its end.
    ends: Vec<u64>,
    blocks: Vec<[u8; 32]>,
}

impl Shard {
    /// Opens a shard and checks its header, its length and its tables; the tokens are checked by [`verify`](Self::verify).
    ///
    /// Memory: 8 bytes a document.
    ///
    /// # Errors
    /// Where the file cannot be read or is not whole ([`Error::Damaged`]).
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = File::open(path).map_err(Error::io(path))?;
        let length = file.metadata().map_err(Error::io(path))?.len();
        Self::parse(path, Storage::File(PositionedFile::new(file)), length)
    }

    /// Reads a shard that lies in memory.
    ///
    /// # Errors
    /// As [`open`](Self::open); the path of the error is `(memory)`.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        let length = bytes.len() as u64;
        Self::parse(Path::new("(memory)"), Storage::Memory(bytes), length)
    }

    /// A shard in memory of `documents`, of which those without tokens are left out.
    ///
    /// # Errors
    /// Where a token is not below `vocab_size`.
    pub fn from_documents<D: AsRef<[u32]>>(vocab_size: u32, documents: impl IntoIterator<Item = D>) -> Result<Self> {
        let vocabulary = Vocabulary { size: vocab_size, fingerprint: [0; 32] };
        let in_memory = Error::io("(memory)");
        let mut problem = None;
        let write = || {
            let mut writer = ShardWriter::new(std::io::Cursor::new(Vec::new()), vocabulary)?;
            for document in documents {
                let tokens = document.as_ref();
                problem = problem.or(tokens.iter().copied().find(|token| *token >= vocab_size));
                if !tokens.is_empty() {
                    writer.push(tokens)?;
                }
            }
            Ok(writer.finish()?.1.into_inner())
        };
        let bytes = write().map_err(in_memory)?;
        match problem {
            Some(token) => Err(Error::Corpus(format!("token {token} is not in a vocabulary of {vocab_size}"))),
            None => Self::from_bytes(bytes),
        }
    }

    /// Number of tokens.
    pub fn tokens(&self) -> u64 {
        self.header.tokens
    }

    /// Number of documents.
    pub fn documents(&self) -> u64 {
        self.header.documents
    }

    /// Size of the vocabulary: every token is below.
    pub fn vocab_size(&self) -> usize {
        self.header.vocab_size as usize
    }

    /// Reads `tokens.len()` tokens from token `start` on.
    ///
    /// # Errors
    /// Where they go beyond the end, the file cannot be read, or a token is not in the vocabulary.
    pub fn read(&self, start: u64, tokens: &mut [u32]) -> Result<()> {
        let (width, count) = (self.header.width(), tokens.len() as u64);
        if start.checked_add(count).is_none_or(|end| end > self.header.tokens) {
            let problem = format!("tokens {start} and {count} more are beyond the {} of {}", self.header.tokens, self.path.display());
            return Err(Error::Corpus(problem));
        }
        let mut bytes = vec![0; tokens.len() * width.bytes()];
        let offset = HEADER as u64 + start * width.bytes() as u64;
        self.read_bytes(offset, &mut bytes)?;
        width.read(&bytes, tokens);
        match tokens.iter().position(|token| *token >= self.header.vocab_size) {
            Some(at) => Err(self.damaged(offset + (at * width.bytes()) as u64, format!("token {} is not in the vocabulary", tokens[at]))),
            None => Ok(()),
        }
    }

    /// Reads all tokens and holds them to their checksums. Cost: a read of the file.
    ///
    /// # Errors
    /// Where the file cannot be read, or [`Error::Damaged`] with the first mebibyte that differs.
    pub fn verify(&self) -> Result<()> {
        let mut bytes = vec![0; BLOCK.min(self.header.token_bytes() as usize)];
        let mut offset = HEADER as u64;
        for checksum in &self.blocks {
            let block = &mut bytes[..BLOCK.min((self.header.tables_at() - offset) as usize)];
            self.read_bytes(offset, block)?;
            if blake3::hash(block).as_bytes() != checksum {
                return Err(self.damaged(offset, format!("the {} bytes from here are not what was written", block.len())));
            }
            offset += block.len() as u64;
        }
        Ok(())
    }

    /// For each document, the number of tokens up to its end.
    pub(super) fn ends(&self) -> &[u64] {
        &self.ends
    }

    pub(super) fn vocabulary(&self) -> Vocabulary {
        Vocabulary { size: self.header.vocab_size, fingerprint: self.header.vocabulary }
    }

    pub(super) fn checksum(&self) -> [u8; 32] {
        self.header.checksum
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn parse(path: &Path, storage: Storage, length: u64) -> Result<Self> {
        let mut head = [0; HEADER];
        if length < HEADER as u64 {
            return Err(damaged(path, length, "it ends inside its header"));
        }
        storage.read_exact_at(0, &mut head).map_err(Error::io(path))?;
        let header = Header::parse(&head, length, path)?;
        let mut tables = vec![0; (length - header.tables_at()) as usize];
        storage.read_exact_at(header.tables_at(), &mut tables).map_err(Error::io(path))?;
        if header.checksum_with(&tables) != header.checksum {
            return Err(damaged(path, header.tables_at(), "the header or the tables are not what was written"));
        }
        let (ends, blocks) = tables.split_at(8 * header.documents as usize);
        let ends: Vec<u64> = ends.as_chunks().0.iter().map(|end| u64::from_le_bytes(*end)).collect();
        let shard = Self { path: path.to_owned(), storage, ends, blocks: blocks.as_chunks().0.to_vec(), header };
        shard.check_ends()?;
        Ok(shard)
    }

    /// Documents follow one another, have tokens, and the last ends where the tokens do.
    fn check_ends(&self) -> Result<()> {
        let mut before = 0;
        for (document, &end) in self.ends.iter().enumerate() {
            if end <= before {
                return Err(
                    self.damaged(self.header.tables_at() + 8 * document as u64, format!("document {document} ends before it begins"))
                );
            }
            before = end;
        }
        if before != self.header.tokens {
            let problem = format!("the documents have {before} tokens of {}", self.header.tokens);
            return Err(self.damaged(self.header.tables_at(), problem));
        }
        Ok(())
    }

    fn read_bytes(&self, offset: u64, bytes: &mut [u8]) -> Result<()> {
        self.storage.read_exact_at(offset, bytes).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => self.damaged(offset, "the file was shortened after it was opened"),
            _ => Error::io(&self.path)(error),
        })
    }

    fn damaged(&self, offset: u64, reason: impl Into<String>) -> Error {
        damaged(&self.path, offset, reason)
    }
}

/// Where the bytes of a shard are.
#[derive(Debug)]
enum Storage {
    File(PositionedFile),
    Memory(Vec<u8>),
}

impl Storage {
    fn read_exact_at(&self, offset: u64, bytes: &mut [u8]) -> std::io::Result<()> {
        match self {
            Self::File(file) => file.read_exact_at(offset, bytes),
            Self::Memory(all) => {
                let range = offset as usize..offset as usize + bytes.len();
                bytes.copy_from_slice(all.get(range).ok_or(std::io::ErrorKind::UnexpectedEof)?);
                Ok(())
            }
        }
    }
}

/// A file that many threads read by position.
#[cfg(unix)]
#[derive(Debug)]
struct PositionedFile(File);

#[cfg(unix)]
impl PositionedFile {
    fn new(file: File) -> Self {
        Self(file)
    }

    fn read_exact_at(&self, offset: u64, bytes: &mut [u8]) -> std::io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.0, bytes, offset)
    }
}

/// Elsewhere the position belongs to the file, so that readers take turns.
#[cfg(not(unix))]
#[derive(Debug)]
struct PositionedFile(std::sync::Mutex<File>);

#[cfg(not(unix))]
impl PositionedFile {
    fn new(file: File) -> Self {
        Self(std::sync::Mutex::new(file))
    }

    fn read_exact_at(&self, offset: u64, bytes: &mut [u8]) -> std::io::Result<()> {
        use std::io::{Read, Seek, SeekFrom};

        let mut file = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::super::shard_writer::ShardSetWriter;
    use super::*;

    /// A shard on disk of `documents` over a vocabulary of `size`.
    fn written(folder: &Path, size: u32, documents: &[Vec<u32>]) -> PathBuf {
        let vocabulary = Vocabulary { size, fingerprint: [3; 32] };
        let mut writer = ShardSetWriter::new(folder, "part".to_owned(), vocabulary, u64::MAX);
        for document in documents {
            writer.push(document).unwrap();
        }
        let records = writer.finish().unwrap();
        folder.join(&records[0].file)
    }

    fn offset(error: &Error) -> u64 {
        match error {
            Error::Damaged { offset, .. } => *offset,
            other => panic!("damage was expected, not {other}"),
        }
    }

    #[test]
    fn what_is_written_is_read_at_any_place_and_width() {
        let folder = tempfile::tempdir().unwrap();
        for size in [500, 70_000] {
            let documents: Vec<Vec<u32>> = (1..40_u32).map(|length| (0..length * 700).map(|at| (at * length) % size).collect()).collect();
            let shard = Shard::open(written(folder.path(), size, &documents)).unwrap();
            shard.verify().unwrap();
            let all = documents.concat();
            assert_eq!((shard.tokens(), shard.documents(), shard.vocab_size()), (all.len() as u64, 39, size as usize));
            for (start, length) in [(0, 10), (123_456, 999), (all.len() - 1, 1), (all.len(), 0), (0, all.len())] {
                let mut tokens = vec![0; length];
                shard.read(start as u64, &mut tokens).unwrap();
                assert_eq!(tokens, all[start..start + length]);
            }
            assert!(matches!(shard.read(all.len() as u64, &mut [0]), Err(Error::Corpus(_))));
            assert!(matches!(shard.read(u64::MAX, &mut [0]), Err(Error::Corpus(_))));
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_format() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = fs::read(written(folder.path(), 300, &[vec![1, 2], vec![], vec![299]])).unwrap();
        assert_eq!(bytes[..24], *b"JARRETOK\x01\0\0\0\x02\0\0\0\x2c\x01\0\0\0\0\0\0");
        assert_eq!((&bytes[24..40], &bytes[40..72]), ([3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0].as_slice(), [3; 32].as_slice()));
        assert_eq!(bytes[128..134], [1, 0, 2, 0, 43, 1]);
        assert_eq!(bytes[134..150], [2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[150..], *blake3::hash(&bytes[128..134]).as_bytes());
        let checksum = blake3::hash(&[&bytes[..72], &bytes[134..]].concat());
        assert_eq!(bytes[72..104], *checksum.as_bytes());
    }

    #[test]
    fn every_truncation_and_every_flipped_byte_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let whole = fs::read(written(folder.path(), 300, &[vec![1, 2, 3], vec![299; 20]])).unwrap();
        Shard::from_bytes(whole.clone()).unwrap().verify().unwrap();
        for length in 0..whole.len() {
            let error = Shard::from_bytes(whole[..length].to_vec()).unwrap_err();
            assert!(offset(&error) <= length as u64, "{length}: {error}");
        }
        // The last 24 bytes of the header are kept free.
        for at in (0..104).chain(128..whole.len()) {
            let mut spoilt = whole.clone();
            spoilt[at] ^= 0x10;
            assert!(Shard::from_bytes(spoilt).and_then(|shard| shard.verify()).is_err(), "byte {at}");
        }
    }

    #[test]
    fn damage_is_placed_to_the_mebibyte() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path(), 300, &vec![vec![7; 100_000]; 13]);
        let mut bytes = fs::read(&path).unwrap();
        bytes[128 + BLOCK + 5] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let shard = Shard::open(&path).unwrap();
        assert_eq!(offset(&shard.verify().unwrap_err()), (128 + BLOCK) as u64);
        bytes[128 + BLOCK + 5] = 0xff;
        fs::write(&path, &bytes).unwrap();
        let at = (BLOCK / 2 + 2) as u64;
        assert_eq!(offset(&shard.read(at - 10, &mut [0; 20]).unwrap_err()), 128 + 2 * at);
    }

    #[test]
    fn a_file_that_is_shortened_while_it_is_open_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path(), 300, &[vec![7; 1000]]);
        let shard = Shard::open(&path).unwrap();
        File::options().write(true).open(&path).unwrap().set_len(500).unwrap();
        shard.read(0, &mut [0; 100]).unwrap();
        assert_eq!(offset(&shard.read(100, &mut [0; 200]).unwrap_err()), 328);
        assert!(shard.verify().is_err());
    }

    #[test]
    fn tables_with_a_right_checksum_and_wrong_ends_are_refused() {
        for ends in [[5_u64, 3], [0, 3], [3, 3], [1, 2], [u64::MAX, 3]] {
            let tables = [ends[0].to_le_bytes().as_slice(), &ends[1].to_le_bytes(), blake3::hash(&[0; 6]).as_bytes()].concat();
            let header = Header { vocab_size: 9, tokens: 3, documents: 2, vocabulary: [0; 32], checksum: [0; 32] }.sealed(&tables);
            let bytes = [header.to_bytes().as_slice(), &[0; 6], &tables].concat();
            assert!(matches!(Shard::from_bytes(bytes), Err(Error::Damaged { .. })), "{ends:?}");
        }
    }

    #[test]
    fn tokens_beyond_the_vocabulary_are_not_written() {
        assert!(matches!(Shard::from_documents(10, [vec![1, 10]]), Err(Error::Corpus(_))));
        assert_eq!(Shard::from_documents(10, [vec![1, 9], vec![]]).unwrap().documents(), 1);
        assert_eq!(Shard::from_documents(10, [[0_u32; 0]; 0]).unwrap().tokens(), 0);
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            drop(Shard::from_bytes(bytes));
        }
    }
}
