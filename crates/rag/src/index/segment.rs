//! A segment: some documents, their chunks, vectors and terms, written together once and never changed.

#[cfg(feature = "hnsw")]
use std::sync::OnceLock;
use std::{ops::Range, path::Path, sync::Arc};

use super::{
    manifest::SegmentRecord,
    records::{self, Entry},
    storage::{self, FileRecord, Part, corrupt},
    term_index::TermIndex,
    vectors::Vectors,
};
use crate::{Chunk, Document, Result};

/// A segment in memory. Its rows are the chunks of its documents, in order.
#[derive(Debug)]
pub(super) struct Segment {
    entries: Vec<Entry>,
    /// Where the rows of each entry start, and one past the last row.
    starts: Vec<usize>,
    /// Which entry each row belongs to.
    owners: Vec<u32>,
    pub(super) vectors: Vectors,
    pub(super) terms: TermIndex,
    #[cfg(feature = "hnsw")]
    pub(super) graph: OnceLock<super::ann::Graph>,
}

impl Segment {
    /// Loads a committed segment, holding every file to its checksum and to the others.
    pub(super) fn open(dir: &Path, record: &SegmentRecord, dims: usize) -> Result<Self> {
        let path = |part: Part| dir.join(part.file_name(record.id));
        let read = |part: Part, file: &FileRecord| storage::read_checked(&path(part), file);
        let entries = records::decode(&read(Part::Records, &record.records)?, &path(Part::Records))?;
        let rows = entries.iter().map(|entry| entry.chunks.len()).sum();
        let vectors = Vectors::decode(&read(Part::Vectors, &record.vectors)?, dims, &path(Part::Vectors))?;
        if vectors.len() != rows {
            return Err(corrupt(path(Part::Vectors), format!("it has {} vectors for {rows} chunks", vectors.len())));
        }
        let terms = TermIndex::open(read(Part::Terms, &record.terms)?, rows, &path(Part::Terms))?;
        Ok(Self::assemble(entries, vectors, terms))
    }

    fn assemble(entries: Vec<Entry>, vectors: Vectors, terms: TermIndex) -> Self {
        let mut starts = vec![0];
        let mut owners = Vec::with_capacity(vectors.len());
        for (place, entry) in entries.iter().enumerate() {
            owners.resize(owners.len() + entry.chunks.len(), place as u32);
            starts.push(owners.len());
        }
        Self {
            entries,
            starts,
            owners,
            vectors,
            terms,
            #[cfg(feature = "hnsw")]
            graph: OnceLock::new(),
        }
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn len(&self) -> usize {
        self.owners.len()
    }

    pub(super) fn rows_of(&self, entry: usize) -> Range<usize> {
        self.starts[entry]..self.starts[entry + 1]
    }

    pub(super) fn owner(&self, row: usize) -> usize {
        self.owners[row] as usize
    }

    pub(super) fn at(&self, row: usize) -> (&Document, &Chunk) {
        let owner = self.owner(row);
        let entry = &self.entries[owner];
        (&entry.document, &entry.chunks[row - self.starts[owner]])
    }
}

/// A segment before it is written.
#[derive(Debug, Default)]
pub(super) struct Draft {
    entries: Vec<Entry>,
    vectors: Vec<f32>,
    terms: Vec<Vec<String>>,
}

impl Draft {
    pub(super) fn push(&mut self, entry: Entry, vectors: &[f32], terms: Vec<Vec<String>>) {
        self.entries.push(entry);
        self.vectors.extend_from_slice(vectors);
        self.terms.extend(terms);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Writes the three files of segment `id` and hands back what the manifest will say of them.
    pub(super) fn write(self, dir: &Path, id: u64, dims: usize) -> Result<(Segment, SegmentRecord)> {
        let vectors = Vectors::new(dims, self.vectors).expect("every row was checked when it was put");
        let terms = TermIndex::build(self.terms.iter().map(Vec::as_slice))?;
        let save = |part: Part, content: &[u8]| storage::write_new(&dir.join(part.file_name(id)), content);
        let record = SegmentRecord {
            id,
            records: save(Part::Records, &records::encode(&self.entries))?,
            vectors: save(Part::Vectors, &vectors.encode())?,
            terms: save(Part::Terms, &terms)?,
            dead: Vec::new(),
        };
        let terms = TermIndex::open(terms, vectors.len(), &dir.join(Part::Terms.file_name(id)))?;
        Ok((Segment::assemble(self.entries, vectors, terms), record))
    }
}

/// A segment as one commit sees it: some of its documents are gone.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) segment: Arc<Segment>,
    live: Arc<[bool]>,
    live_rows: usize,
    live_terms: u64,
}

impl View {
    /// `None` where `dead` names a document that the segment has not.
    pub(super) fn new(segment: Arc<Segment>, dead: &[u32]) -> Option<Self> {
        let mut live = vec![true; segment.entries.len()];
        for &place in dead {
            *live.get_mut(place as usize)? = false;
        }
        let kept = || segment.entries.iter().zip(&live).filter(|&(_, &live)| live).map(|(entry, _)| entry);
        let live_rows = kept().map(|entry| entry.chunks.len()).sum();
        let live_terms = kept().flat_map(|entry| &entry.terms).map(|&count| u64::from(count)).sum();
        Some(Self { segment, live: live.into(), live_rows, live_terms })
    }

    /// The places of the documents that are there, ascending.
    pub(super) fn live_entries(&self) -> impl Iterator<Item = usize> {
        self.live.iter().enumerate().filter(|&(_, &live)| live).map(|(place, _)| place)
    }

    pub(super) fn is_live(&self, row: usize) -> bool {
        self.live[self.segment.owner(row)]
    }

    pub(super) fn live_rows(&self) -> usize {
        self.live_rows
    }

    pub(super) fn live_terms(&self) -> u64 {
        self.live_terms
    }

    pub(super) fn all_live(&self) -> bool {
        self.live_rows == self.segment.len()
    }

    pub(super) fn has_live_documents(&self) -> bool {
        self.live.contains(&true)
    }
}
