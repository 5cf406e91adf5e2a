use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use jarre_core::{EmbedderInfo, Embeddings};

use super::{
    IndexConfig, Snapshot,
    analyzer::terms,
    compaction::{self, Size},
    lock::WriterLock,
    manifest::SegmentRecord,
    records::Entry,
    segment::{Draft, View},
    state::State,
    storage::{delete_orphans, sync_dir},
    term_index::Bag,
    vectors::inverse_length,
};
use crate::{Chunk, DocId, Document, Error, Result};

/// Changes an index. There is one at a time for an index, over all processes.
///
/// What is put and removed is kept in memory until [`commit`](Self::commit) makes all of it durable and visible at once. Dropping a writer
/// forgets what was not committed; so does killing its process, at any instant.
#[derive(Debug)]
pub struct IndexWriter {
    dir: PathBuf,
    state: Arc<State>,
    next_segment: u64,
    puts: BTreeMap<DocId, Put>,
    removals: BTreeSet<DocId>,
    _lock: WriterLock,
}

#[derive(Debug)]
struct Put {
    entry: Entry,
    vectors: Vec<f32>,
    terms: Vec<Vec<String>>,
}

impl IndexWriter {
    pub(super) fn open(dir: &Path, config: &IndexConfig) -> Result<Self> {
        let lock = WriterLock::acquire(dir)?;
        let state = State::load(dir)?;
        state.manifest.require(config, dir)?;
        delete_orphans(dir, |name| state.manifest.names(name))?;
        let next_segment = state.manifest.next_segment;
        Ok(Self {
            dir: dir.to_owned(),
            state: Arc::new(state),
            next_segment,
            puts: BTreeMap::new(),
            removals: BTreeSet::new(),
            _lock: lock,
        })
    }

    /// What the index is built with.
    pub fn config(&self) -> &IndexConfig {
        &self.state.manifest.config
    }

    /// The committed state; what was put since is not in it.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(Arc::clone(&self.state))
    }

    /// How many chunks were put since the last commit.
    pub fn pending_chunks(&self) -> usize {
        self.puts.values().map(|put| put.entry.chunks.len()).sum()
    }

    /// Adds a document with its chunks and their vectors (one row a chunk, in order), in place of the one of the same id.
    ///
    /// # Errors
    /// [`Rejected`](Error::Rejected), and nothing is changed, where a chunk is not named by the document and its place, its span is empty
    /// or not a piece of the text, or a vector is missing, has not the index's length, or has no direction (zero, infinite, NaN).
    pub fn put(&mut self, document: &Document, chunks: &[Chunk], vectors: &Embeddings) -> Result<()> {
        let put = self.prepare(document, chunks, vectors);
        let put = put.map_err(|reason| Error::Rejected { document: document.id.clone(), reason })?;
        self.removals.insert(document.id.clone());
        self.puts.insert(document.id.clone(), put);
        Ok(())
    }

    /// Removes a document from every leg; tells whether there was one.
    pub fn remove(&mut self, id: &DocId) -> bool {
        let was_put = self.puts.remove(id).is_some();
        let committed = self.state.find(id).is_some();
        let newly_removed = committed && self.removals.insert(id.clone());
        was_put || newly_removed
    }

    /// Makes what was put and removed since the last commit durable, and returns the state that has it. Where nothing was, nothing is
    /// written.
    ///
    /// # Errors
    /// Where the disk fails. Then the index is as before, and what was put and removed since the last commit is forgotten.
    pub fn commit(&mut self) -> Result<Snapshot> {
        let (puts, removals) = (std::mem::take(&mut self.puts), std::mem::take(&mut self.removals));
        let parts = self.without(&removals);
        let unchanged = puts.is_empty() && parts.iter().zip(&self.state.manifest.segments).all(|(part, before)| part.record == *before);
        if !unchanged {
            self.state = Arc::new(self.write(parts, puts)?);
            delete_orphans(&self.dir, |name| self.state.manifest.names(name))?;
        }
        Ok(self.snapshot())
    }

    /// Refuses a chunker and an encoder that the index was not built with.
    pub(super) fn require(&self, chunker: &str, encoder: &EmbedderInfo) -> Result<()> {
        let wanted = IndexConfig { encoder: encoder.clone(), chunker: chunker.to_owned() };
        self.state.manifest.require(&wanted, &self.dir)
    }

    fn prepare(&self, document: &Document, chunks: &[Chunk], vectors: &Embeddings) -> Result<Put, String> {
        check_vectors(vectors, chunks.len(), self.config().encoder.dims)?;
        let mut entry = Entry { document: document.clone(), chunks: chunks.to_vec(), terms: vec![0; chunks.len()] };
        if let Some(defect) = entry.defect() {
            return Err(defect);
        }
        let words = |chunk: &Chunk| terms(&chunk.indexed_text(document)).into_iter().map(|(term, _)| term).collect();
        let terms: Vec<Vec<String>> = chunks.iter().map(words).collect();
        entry.terms = terms.iter().map(|terms| terms.len() as u32).collect();
        Ok(Put { entry, vectors: vectors.as_slice().to_vec(), terms })
    }

    /// The committed segments with `removals` marked as dead.
    fn without(&self, removals: &BTreeSet<DocId>) -> Vec<Part> {
        let mut dead = vec![Vec::new(); self.state.views.len()];
        for place in removals.iter().filter_map(|id| self.state.find(id)) {
            dead[place.view as usize].push(place.entry);
        }
        let committed = self.state.manifest.segments.iter().zip(&self.state.views);
        committed.zip(dead).map(|((record, view), dead)| Part::without(record, view, dead)).collect()
    }

    fn write(&mut self, parts: Vec<Part>, puts: BTreeMap<DocId, Put>) -> Result<State> {
        let mut parts: Vec<Part> = parts.into_iter().filter(|part| part.view.has_live_documents()).collect();
        for draft in compact(&mut parts, puts)? {
            parts.push(self.write_segment(draft)?);
        }
        sync_dir(&self.dir)?;
        let (segments, views) = parts.into_iter().map(|part| (part.record, part.view)).unzip();
        let manifest = self.state.manifest.next(self.next_segment, segments);
        manifest.write(&self.dir)?;
        Ok(State::new(manifest, views))
    }

    /// A number is used once even where the commit fails: its files may have become part of the committed state.
    fn write_segment(&mut self, draft: Draft) -> Result<Part> {
        let id = self.next_segment;
        self.next_segment += 1;
        let (segment, record) = draft.write(&self.dir, id, self.config().encoder.dims)?;
        let view = View::new(Arc::new(segment), &record.dead).expect("a new segment has nothing dead");
        Ok(Part { record, view })
    }
}

fn check_vectors(vectors: &Embeddings, chunks: usize, dims: usize) -> Result<(), String> {
    if vectors.len() != chunks {
        return Err(format!("{} vectors for {chunks} chunks", vectors.len()));
    }
    if chunks > 0 && vectors.dims() != dims {
        return Err(format!("its vectors have {} values where the index has {dims}", vectors.dims()));
    }
    match vectors.rows().position(|row| inverse_length(row).is_none()) {
        Some(row) => Err(format!("the vector of chunk {row} is zero, not finite, or out of the range of its type")),
        None => Ok(()),
    }
}

/// A segment that a manifest will name.
#[derive(Debug)]
struct Part {
    record: SegmentRecord,
    view: View,
}

impl Part {
    fn without(record: &SegmentRecord, view: &View, dead: Vec<u32>) -> Self {
        if dead.is_empty() {
            return Self { record: record.clone(), view: view.clone() };
        }
        let mut record = record.clone();
        record.dead.extend(dead);
        record.dead.sort_unstable();
        let view = View::new(Arc::clone(&view.segment), &record.dead).expect("the dead were found in this segment");
        Self { record, view }
    }
}

/// Takes out of `parts` what is to be melted, and returns the segments to write: what was put, and what was melted, together where
/// both are small.
fn compact(parts: &mut Vec<Part>, puts: BTreeMap<DocId, Put>) -> Result<Vec<Draft>> {
    let mut sizes: Vec<Size> = parts.iter().map(|part| size(&part.view)).collect();
    let put: usize = puts.values().map(|put| 1 + put.entry.chunks.len()).sum();
    if put > 0 {
        sizes.push(Size { all: put, live: put });
    }
    let chosen = compaction::plan(&sizes);
    let with_puts = chosen.last() == Some(&parts.len());
    let mut melted = Draft::default();
    for at in (0..parts.len()).rev().filter(|at| chosen.contains(at)) {
        pour(&parts.remove(at).view, &mut melted)?;
    }
    let mut fresh = if with_puts { std::mem::take(&mut melted) } else { Draft::default() };
    for put in puts.into_values() {
        fresh.push(put.entry, &put.vectors, put.terms);
    }
    Ok([fresh, melted].into_iter().filter(|draft| !draft.is_empty()).collect())
}

fn size(view: &View) -> Size {
    let documents = view.segment.entries().len();
    Size { all: documents + view.segment.len(), live: view.live_entries().count() + view.live_rows() }
}

/// Adds the live documents of `view` to `draft`; their terms come back out of the term index, so that nothing is analysed twice.
fn pour(view: &View, draft: &mut Draft) -> Result<()> {
    let segment = &view.segment;
    let terms = segment.terms.rows(segment.len())?;
    for place in view.live_entries() {
        let rows = segment.rows_of(place);
        let repeated = terms[rows.clone()].iter().map(repeat).collect();
        draft.push(segment.entries()[place].clone(), segment.vectors.block(rows), repeated);
    }
    Ok(())
}

fn repeat(bag: &Bag) -> Vec<String> {
    bag.iter().flat_map(|(term, count)| std::iter::repeat_n(term.to_string(), *count as usize)).collect()
}
