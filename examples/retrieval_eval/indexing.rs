//! Building the index that is searched.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use jarre_core::{Embedder, Embeddings, TokenCounter};
use jarre_rag::{
    Chunk, ChunkId, Chunker, DocId, Document, Span,
    index::{Index, IndexConfig, IndexWriter, Snapshot},
};
use tempfile::TempDir;

use crate::memo::Memo;

/// Chunks that are encoded in one call: enough to sort them into batches of like length, few enough that the progress bar moves.
const BATCH: usize = 256;

/// A folder for an index: the caller's, or one that is deleted at the end.
pub(crate) enum Folder {
    Given(PathBuf),
    Temporary(TempDir),
}

impl Folder {
    pub(crate) fn new(given: Option<&Path>) -> Result<Self> {
        match given {
            Some(folder) => Ok(Self::Given(folder.to_owned())),
            None => Ok(Self::Temporary(tempfile::tempdir().context("cannot make a temporary folder; name one with --index")?)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Given(folder) => folder,
            Self::Temporary(folder) => folder.path(),
        }
    }
}

/// What is in an index and what it took to build.
pub(crate) struct Indexed {
    pub(crate) snapshot: Snapshot,
    pub(crate) took: Duration,
}

/// Brings the index in `folder` to hold exactly `documents`, cut by `chunker`.
pub(crate) fn index(folder: &Path, documents: &[Document], chunker: &dyn Chunker, encoder: &Arc<Memo>, label: &str) -> Result<Indexed> {
    let config = IndexConfig { encoder: encoder.info().clone(), chunker: chunker.fingerprint() };
    let mut writer = Index::open_or_create(folder, config)?.writer()?;
    let before = writer.snapshot();
    let wanted: HashSet<&DocId> = documents.iter().map(|document| &document.id).collect();
    for stale in before.documents().filter(|document| !wanted.contains(&document.id)) {
        writer.remove(&stale.id);
    }
    let is_new = |document: &&Document| before.document(&document.id).is_none_or(|indexed| indexed.content_hash != document.content_hash);
    let new: Vec<&Document> = documents.iter().filter(is_new).collect();
    let bar = progress(new.len(), label);
    add(&mut writer, &new, chunker, encoder, &bar)?;
    let snapshot = writer.commit()?;
    bar.finish_and_clear();
    Ok(Indexed { snapshot, took: bar.elapsed() })
}

fn add(writer: &mut IndexWriter, documents: &[&Document], chunker: &dyn Chunker, encoder: &Arc<Memo>, bar: &ProgressBar) -> Result<()> {
    let mut waiting: Vec<(&Document, Vec<Chunk>)> = Vec::new();
    for (place, document) in documents.iter().enumerate() {
        waiting.push((document, chunker.chunk(document)?));
        let chunks: usize = waiting.iter().map(|(_, chunks)| chunks.len()).sum();
        if chunks >= BATCH || place + 1 == documents.len() {
            put(writer, &waiting, encoder)?;
            bar.inc(waiting.len() as u64);
            waiting.clear();
        }
    }
    Ok(())
}

fn put(writer: &mut IndexWriter, documents: &[(&Document, Vec<Chunk>)], encoder: &Arc<Memo>) -> Result<()> {
    let texts: Vec<String> =
        documents.iter().flat_map(|(document, chunks)| chunks.iter().map(|chunk| chunk.indexed_text(document))).collect();
    let vectors = encoder.embed(&texts.iter().map(String::as_str).collect::<Vec<_>>())?;
    let mut first = 0;
    for (document, chunks) in documents {
        let dims = vectors.dims();
        let rows = vectors.as_slice()[first * dims..(first + chunks.len()) * dims].to_vec();
        writer.put(document, chunks, &Embeddings::new(dims, rows)?)?;
        first += chunks.len();
    }
    Ok(())
}

/// Leaves each document whole: for corpora that come in paragraphs.
pub(crate) struct WholeDocument(pub(crate) Arc<Memo>);

impl Chunker for WholeDocument {
    fn fingerprint(&self) -> String {
        "whole document".to_owned()
    }

    fn max_tokens(&self) -> usize {
        usize::MAX
    }

    fn chunk(&self, document: &Document) -> jarre_rag::Result<Vec<Chunk>> {
        let span = Span::new(0, document.text.len());
        if document.text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let id = ChunkId { doc: document.id.clone(), ordinal: 0 };
        Ok(vec![Chunk { id, span, headings: Vec::new(), page: None, tokens: self.0.count_tokens(&document.text) }])
    }
}

/// A bar on standard error; nothing is drawn where that is no terminal.
pub(crate) fn progress(length: usize, label: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:24} {bar:32} {human_pos}/{human_len} {per_sec:>12} {eta:>4} left")
        .expect("the template is a constant with known keys");
    ProgressBar::new(length as u64).with_style(style).with_message(label.to_owned())
}
