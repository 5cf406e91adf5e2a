//! Keeping chunks, their vectors and their terms in a directory, so that they are found again: durable, incremental, one commit for all
//! legs.
//!
//! - [`Index`] names the directory and what it is built with; [`IndexWriter`] changes it; [`Snapshot`] searches one committed state of it.
//! - [`Updater`] keeps an index in step with a set of files.
//! - [`terms`] is the analysis that the sparse leg shares with whoever explains or answers.
//!
//! # On disk
//! `manifest.json` names, with length and BLAKE3 hash, each file of the committed state; a commit writes new files, syncs them, and then
//! replaces the manifest atomically. A segment has three files that never change: `.records` (documents and chunks, a line of JSON each),
//! `.vectors` (`f32` rows) and `.terms` (a packed tantivy index). What the manifest does not name is left from a crash and deleted by
//! the next writer. Documents that are replaced or removed are marked in the manifest; compaction drops them from the files when they
//! are more than a fifth of a segment, and keeps the number of segments at eight or fewer.

mod analyzer;
#[cfg(feature = "hnsw")]
mod ann;
mod compaction;
mod dense;
mod digest;
mod lock;
mod manifest;
mod records;
mod segment;
mod snapshot;
mod sparse;
mod state;
mod storage;
mod term_index;
mod topk;
mod update;
mod vectors;
mod writer;

use std::{
    fs,
    path::{Path, PathBuf},
};

use jarre_core::EmbedderInfo;
use serde::{Deserialize, Serialize};

pub use analyzer::terms;
#[cfg(feature = "hnsw")]
pub use ann::AnnConfig;
pub use snapshot::Snapshot;
pub use update::{Event, Progress, Source, Summary, Updater};
pub use writer::IndexWriter;

use crate::{Chunk, ChunkId, Document, Result};
use lock::WriterLock;
use manifest::Manifest;
use storage::io_error;

/// What an index is built with. Content made with another encoder or chunker does not mix with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexConfig {
    /// The embedder of chunks and queries. Its fingerprint and its vectors' length must agree; its name is for people.
    pub encoder: EmbedderInfo,
    /// [`Chunker::fingerprint`](crate::Chunker::fingerprint).
    pub chunker: String,
}

/// A chunk that a search found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// Which.
    pub chunk: ChunkId,
    /// How well it matches, in the unit of the leg that found it: the greater the better.
    pub score: f32,
}

/// A filter: whether a search may return this chunk of this document. It is asked about chunks that would otherwise be among the best,
/// in no particular order, and must answer the same each time.
pub type Accept<'a> = dyn Fn(&Document, &Chunk) -> bool + Sync + 'a;

/// A directory with an index in it.
///
/// ```
/// use jarre_core::{Embedder, testing::HashEmbedder};
/// use jarre_rag::index::{Index, IndexConfig, Snapshot};
/// use jarre_rag::{Chunk, ChunkId, DocId, Document, Format, Span};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path();
/// let embedder = HashEmbedder::default();
/// let config = IndexConfig { encoder: embedder.info().clone(), chunker: "whole documents".into() };
/// let index = Index::open_or_create(dir, config)?;
///
/// let text = "Ferries leave from the eastern quay.";
/// let id = DocId("harbour.txt".into());
/// let document = Document {
///     id: id.clone(), source: "harbour.txt".into(), title: None, language: None, format: Format::Text,
///     content_hash: "1".into(), text: text.into(), blocks: vec![], metadata: Default::default(),
/// };
/// let chunk = Chunk { id: ChunkId { doc: id, ordinal: 0 }, span: Span::new(0, text.len()), headings: vec![], page: None, tokens: 7 };
///
/// let mut writer = index.writer()?;
/// writer.put(&document, &[chunk], &embedder.embed(&[text])?)?;
/// writer.commit()?;
///
/// let snapshot = Snapshot::open(dir)?;
/// assert_eq!(snapshot.sparse("which quay does the ferry leave from", 5, None)?.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Index {
    dir: PathBuf,
    config: IndexConfig,
}

impl Index {
    /// The index in `dir`, which is made, with nothing in it, where there is none.
    ///
    /// # Errors
    /// [`Mismatch`](crate::Error::Mismatch) where the index there was built with another encoder, chunker or version: then
    /// [`recreate`](Self::recreate) is the way on. [`InUse`](crate::Error::InUse) where there is none and another process is making one.
    pub fn open_or_create(dir: impl Into<PathBuf>, config: IndexConfig) -> Result<Self> {
        let dir = dir.into();
        fs::create_dir_all(&dir).map_err(io_error("create", &dir))?;
        if Manifest::read(&dir)?.is_none() {
            create_empty(&dir, &config)?;
        }
        let index = Self { dir, config };
        index.require_config()?;
        Ok(index)
    }

    /// An index in `dir` with nothing in it, whatever was there; files that are not an index's are left alone.
    ///
    /// # Errors
    /// [`InUse`](crate::Error::InUse) where a writer is at work there; where the disk fails.
    pub fn recreate(dir: impl Into<PathBuf>, config: IndexConfig) -> Result<Self> {
        let dir = dir.into();
        fs::create_dir_all(&dir).map_err(io_error("create", &dir))?;
        let _lock = WriterLock::acquire(&dir)?;
        let before = Manifest::read(&dir).ok().flatten().map(|(manifest, _)| manifest);
        let mut manifest = Manifest::empty(config.clone());
        // A reader at work on the old index finds its files or none: the new one uses other names.
        if let Some(before) = before {
            manifest.sequence = before.sequence + 1;
            manifest.next_segment = before.next_segment;
        }
        manifest.write(&dir)?;
        storage::delete_orphans(&dir, |name| manifest.names(name))?;
        Ok(Self { dir, config })
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What it is built with.
    pub fn config(&self) -> &IndexConfig {
        &self.config
    }

    /// Loads the committed state.
    ///
    /// # Errors
    /// As [`Snapshot::open`]; [`Mismatch`](crate::Error::Mismatch) where the index has been rebuilt with another configuration since.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let snapshot = Snapshot::open(&self.dir)?;
        snapshot.require(&self.config, &self.dir)?;
        Ok(snapshot)
    }

    /// Starts to change it. What a crash left behind is deleted.
    ///
    /// # Errors
    /// [`InUse`](crate::Error::InUse) where another writer, of this process or another, is at work; as [`snapshot`](Self::snapshot).
    pub fn writer(&self) -> Result<IndexWriter> {
        IndexWriter::open(&self.dir, &self.config)
    }

    fn require_config(&self) -> Result<()> {
        match Manifest::read(&self.dir)? {
            Some((manifest, _)) => manifest.require(&self.config, &self.dir),
            None => Err(crate::Error::NoIndex { path: self.dir.clone() }),
        }
    }
}

fn create_empty(dir: &Path, config: &IndexConfig) -> Result<()> {
    let _lock = WriterLock::acquire(dir)?;
    match Manifest::read(dir)? {
        Some(_) => Ok(()),
        None => Manifest::empty(config.clone()).write(dir),
    }
}
