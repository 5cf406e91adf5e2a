use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::durable;
use super::shard_format::{BLOCK, HEADER, Header, Width};
use crate::error::{Error, Result};

/// What a manifest says of a shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ShardRecord {
    /// Its name inside the folder.
    pub(super) file: String,
    pub(super) tokens: u64,
    pub(super) documents: u64,
    /// That of its header, in hexadecimal digits.
    pub(super) checksum: String,
}

/// The vocabulary that tokens are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Vocabulary {
    pub(super) size: u32,
    pub(super) fingerprint: [u8; 32],
}

/// Writes documents to as many shards as they need.
///
/// A document is never cut, so a shard has at most `shard_tokens` and one document's tokens.
#[derive(Debug)]
pub(super) struct ShardSetWriter {
    folder: PathBuf,
    prefix: String,
    vocabulary: Vocabulary,
    shard_tokens: u64,
    open: Option<(String, ShardWriter<File>)>,
    finished: Vec<ShardRecord>,
}

impl ShardSetWriter {
    /// Shards `{prefix}-00000.tokens` and so on in `folder`.
    pub(super) fn new(folder: &Path, prefix: String, vocabulary: Vocabulary, shard_tokens: u64) -> Self {
        Self { folder: folder.to_owned(), prefix, vocabulary, shard_tokens, open: None, finished: Vec::new() }
    }

    /// Adds a document; one without tokens is none.
    pub(super) fn push(&mut self, tokens: &[u32]) -> Result<()> {
        if tokens.is_empty() {
            return Ok(());
        }
        let (name, mut writer) = match self.open.take() {
            Some(open) => open,
            None => self.start()?,
        };
        let path = durable::draft_of(&self.folder.join(&name));
        writer.push(tokens).map_err(Error::io(path))?;
        let full = writer.tokens() >= self.shard_tokens;
        self.open = Some((name, writer));
        if full { self.close() } else { Ok(()) }
    }

    /// Puts the last shard in its place; the records of all, in order.
    pub(super) fn finish(mut self) -> Result<Vec<ShardRecord>> {
        self.close()?;
        Ok(self.finished)
    }

    fn start(&self) -> Result<(String, ShardWriter<File>)> {
        let name = format!("{}-{:05}.tokens", self.prefix, self.finished.len());
        let draft = durable::draft_of(&self.folder.join(&name));
        let file = File::create(&draft).map_err(Error::io(&draft))?;
        let writer = ShardWriter::new(file, self.vocabulary).map_err(Error::io(&draft))?;
        Ok((name, writer))
    }

    fn close(&mut self) -> Result<()> {
        let Some((file, writer)) = self.open.take() else { return Ok(()) };
        let path = self.folder.join(&file);
        let (header, handle) = writer.finish().map_err(Error::io(durable::draft_of(&path)))?;
        durable::publish(&handle, &path)?;
        let checksum = blake3::Hash::from_bytes(header.checksum).to_hex().to_string();
        self.finished.push(ShardRecord { file, tokens: header.tokens, documents: header.documents, checksum });
        Ok(())
    }
}

/// Writes one shard, in the [format](super::shard_format) that `Shard` reads. The ends of documents stay in memory until the end.
#[derive(Debug)]
pub(super) struct ShardWriter<W: Write + Seek> {
    out: BufWriter<W>,
    vocabulary: Vocabulary,
    ends: Vec<u64>,
    block: blake3::Hasher,
    block_bytes: usize,
    blocks: Vec<[u8; 32]>,
}

impl<W: Write + Seek> ShardWriter<W> {
    /// Room for the header comes first: what it says is known at the end.
    pub(super) fn new(out: W, vocabulary: Vocabulary) -> std::io::Result<Self> {
        let mut out = BufWriter::with_capacity(1 << 18, out);
        out.write_all(&[0; HEADER])?;
        Ok(Self { out, vocabulary, ends: Vec::new(), block: blake3::Hasher::new(), block_bytes: 0, blocks: Vec::new() })
    }

    pub(super) fn tokens(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Adds a document of at least one token, all below the vocabulary's size.
    pub(super) fn push(&mut self, tokens: &[u32]) -> std::io::Result<()> {
        let mut bytes = Vec::with_capacity(4 * tokens.len());
        Width::of(self.vocabulary.size).write(tokens, &mut bytes);
        self.ends.push(self.tokens() + tokens.len() as u64);
        self.hash(&bytes);
        self.out.write_all(&bytes)
    }

    /// Completes the shard; what it says of itself, and where it was written.
    pub(super) fn finish(mut self) -> std::io::Result<(Header, W)> {
        if self.block_bytes > 0 {
            self.blocks.push(*self.block.finalize().as_bytes());
        }
        let mut tables: Vec<u8> = self.ends.iter().flat_map(|end| end.to_le_bytes()).collect();
        tables.extend(self.blocks.iter().flatten());
        let Vocabulary { size, fingerprint } = self.vocabulary;
        let (tokens, documents) = (self.tokens(), self.ends.len() as u64);
        let header = Header { vocab_size: size, tokens, documents, vocabulary: fingerprint, checksum: [0; 32] }.sealed(&tables);
        self.out.write_all(&tables)?;
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&header.to_bytes())?;
        Ok((header, self.out.into_inner().map_err(std::io::IntoInnerError::into_error)?))
    }

    fn hash(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.block_bytes));
            self.block.update(now);
            self.block_bytes += now.len();
            if self.block_bytes == BLOCK {
                self.blocks.push(*self.block.finalize().as_bytes());
                self.block.reset();
                self.block_bytes = 0;
            }
            bytes = later;
        }
    }
}
