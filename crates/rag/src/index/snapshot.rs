use std::{path::Path, sync::Arc};

#[cfg(feature = "hnsw")]
use super::ann::{self, AnnConfig};
use super::{
    Accept, Hit, IndexConfig, dense,
    dense::Query,
    digest, sparse,
    state::{Place, State},
    terms,
};
use crate::{Chunk, ChunkId, DocId, Document, Result, Span};

/// An immutable view of one committed state of an index. Cloning is cheap; later commits do not change it, and searches on it need no
/// lock.
///
/// The texts, vectors and terms are in memory.
#[derive(Clone, Debug)]
pub struct Snapshot {
    state: Arc<State>,
    #[cfg(feature = "hnsw")]
    ann: Option<AnnConfig>,
}

impl Snapshot {
    /// Loads the committed state of the index in `dir`, whether or not a writer is at work there. No file is written.
    ///
    /// # Errors
    /// [`NoIndex`](crate::Error::NoIndex) where there is none, [`Corrupt`](crate::Error::Corrupt) naming the file that is not what was
    /// committed, [`Mismatch`](crate::Error::Mismatch) for a format of another version.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self> {
        State::load(dir.as_ref()).map(|state| Self::of(Arc::new(state)))
    }

    pub(super) fn of(state: Arc<State>) -> Self {
        Self {
            state,
            #[cfg(feature = "hnsw")]
            ann: None,
        }
    }

    /// The same state, whose [`dense`](Self::dense) searches a graph of neighbours (HNSW, arXiv 1603.09320) in place of every vector,
    /// for each segment of at least [`AnnConfig::threshold`] chunks.
    ///
    /// Building takes minutes for some hundred thousand chunks; the graph is kept in memory beside its segment, and serves later
    /// snapshots of this process for as long as that segment lives. Searches are then approximate: the scores are exact, but a neighbour
    /// can be missed.
    #[cfg(feature = "hnsw")]
    pub fn with_ann(self, config: AnnConfig) -> Self {
        for view in &self.state.views {
            ann::build(view, config);
        }
        Self { ann: Some(config), ..self }
    }

    pub(super) fn require(&self, config: &IndexConfig, dir: &Path) -> Result<()> {
        self.state.manifest.require(config, dir)
    }

    /// What the index was built with.
    pub fn config(&self) -> &IndexConfig {
        &self.state.manifest.config
    }

    /// How many commits led here.
    pub fn sequence(&self) -> u64 {
        self.state.manifest.sequence
    }

    /// How many chunks there are.
    pub fn len(&self) -> usize {
        self.state.live_rows()
    }

    /// Whether there are no chunks.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The document of that id.
    pub fn document(&self, id: &DocId) -> Option<&Document> {
        self.state.find(id).map(|place| &self.state.entry(place).document)
    }

    /// The chunk of that id, and its document.
    pub fn chunk(&self, id: &ChunkId) -> Option<(&Document, &Chunk)> {
        let entry = self.state.entry(self.state.find(&id.doc)?);
        Some((&entry.document, entry.chunks.get(id.ordinal as usize)?))
    }

    /// All documents, ordered by id.
    pub fn documents(&self) -> impl ExactSizeIterator<Item = &Document> {
        self.state.places().iter().map(|&place| &self.state.entry(place).document)
    }

    /// The chunks of a document, in text order; none where there is no such document.
    pub fn chunks_of(&self, id: &DocId) -> &[Chunk] {
        self.state.find(id).map_or(&[], |place| &self.state.entry(place).chunks)
    }

    /// All chunks with their documents, ordered by id.
    pub fn chunks(&self) -> impl Iterator<Item = (&Document, &Chunk)> {
        let entries = self.state.places().iter().map(|&place| self.state.entry(place));
        entries.flat_map(|entry| entry.chunks.iter().map(|chunk| (&entry.document, chunk)))
    }

    /// The vector of a chunk as it was put, `[dims]`.
    pub fn vector(&self, id: &ChunkId) -> Option<&[f32]> {
        let Place { view, entry } = self.state.find(&id.doc)?;
        let segment = &self.state.views[view as usize].segment;
        let row = segment.rows_of(entry as usize).nth(id.ordinal as usize)?;
        Some(segment.vectors.row(row))
    }

    /// The `k` chunks whose vectors have the greatest cosine similarity with `query`, best first, equal ones by chunk id, among those
    /// that `accept` takes.
    ///
    /// Every vector is compared: the answer is exact and costs time in proportion to [`len`](Self::len). A selective filter costs nothing.
    ///
    /// # Errors
    /// [`Query`](crate::Error::Query) where `query` has not the length of the index's vectors or has no direction.
    pub fn dense(&self, query: &[f32], k: usize, accept: Option<&Accept<'_>>) -> Result<Vec<Hit>> {
        let query = Query::parse(query, self.config().encoder.dims)?;
        #[cfg(feature = "hnsw")]
        if let Some(config) = self.ann {
            return Ok(ann::search(&self.state, query, k, accept, config));
        }
        Ok(dense::search(&self.state, query, k, accept))
    }

    /// The `k` chunks with the greatest BM25 scores (k1 1.2, b 0.75) for the [`terms`](super::terms) of `query`, best first, equal ones by
    /// chunk id, among those that `accept` takes.
    ///
    /// Any text is a query: there is no query syntax. Chunks that hold none of the terms are no hits, so there may be fewer than `k`.
    ///
    /// # Errors
    /// [`Terms`](crate::Error::Terms) where the term index cannot be read.
    pub fn sparse(&self, query: &str, k: usize, accept: Option<&Accept<'_>>) -> Result<Vec<Hit>> {
        sparse::search(&self.state, query, k, accept)
    }

    /// The terms of a text and where they stand in it: [`terms`](super::terms), which needs no index.
    pub fn terms(&self, text: &str) -> Vec<(String, Span)> {
        terms(text)
    }

    /// In how many chunks a term, as [`terms`](super::terms) gives it, stands.
    ///
    /// # Errors
    /// [`Terms`](crate::Error::Terms) where the term index cannot be read.
    pub fn doc_freq(&self, term: &str) -> Result<u64> {
        sparse::doc_freq(&self.state, term)
    }

    /// A BLAKE3 hash, in hexadecimal, of what is indexed: ids, texts, spans, metadata, vectors and terms in the order of the ids. It is
    /// the same for the same content, whatever the batches, crashes, removals and compactions that led there.
    ///
    /// # Errors
    /// [`Terms`](crate::Error::Terms) where the term index cannot be read.
    pub fn digest(&self) -> Result<String> {
        digest::digest(&self.state)
    }
}
