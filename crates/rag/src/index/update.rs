use std::{
    collections::BTreeSet,
    fmt::Display,
    sync::atomic::{AtomicBool, Ordering},
};

use jarre_core::{Embedder, Embeddings};

use super::IndexWriter;
use crate::{Chunk, Chunker, DocId, Document, Error, Result};

/// Something that a document is read from: a file, a page.
pub trait Source {
    /// Why it could not be read.
    type Error: Display;

    /// The id of its document.
    fn id(&self) -> &DocId;

    /// What [`Document::content_hash`] would be: BLAKE3 of its bytes, in hexadecimal.
    ///
    /// # Errors
    /// Where the bytes cannot be read.
    fn content_hash(&self) -> Result<String, Self::Error>;

    /// The document, whose id is [`id`](Self::id).
    ///
    /// # Errors
    /// Where the bytes cannot be read or understood.
    fn load(&self) -> Result<Document, Self::Error>;
}

/// Keeps an index in step with a set of sources: reads, chunks and embeds what is new or changed, removes what is gone, and leaves alone
/// what is as it was.
///
/// It commits now and then, so a run that is killed is taken up by the next one. Batches start anew after each commit; as long as the
/// sources are given in the same order, the resumed run embeds the same batches as an undisturbed one would have.
#[derive(Clone, Copy)]
pub struct Updater<'a> {
    chunker: &'a dyn Chunker,
    embedder: &'a dyn Embedder,
    batch: usize,
    commit_every: usize,
    cancel: Option<&'a AtomicBool>,
}

impl std::fmt::Debug for Updater<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let chunker = self.chunker.fingerprint();
        f.debug_struct("Updater").field("chunker", &chunker).field("embedder", self.embedder.info()).finish_non_exhaustive()
    }
}

impl<'a> Updater<'a> {
    /// Batches of 64 chunks, a commit every 512 chunks.
    pub fn new(chunker: &'a dyn Chunker, embedder: &'a dyn Embedder) -> Self {
        Self { chunker, embedder, batch: 64, commit_every: 512, cancel: None }
    }

    /// How many chunks go to the embedder at once; at least one.
    pub fn with_batch(self, batch: usize) -> Self {
        Self { batch: batch.max(1), ..self }
    }

    /// After how many new chunks a commit is made; at least one.
    pub fn with_commit_every(self, chunks: usize) -> Self {
        Self { commit_every: chunks.max(1), ..self }
    }

    /// A flag that, once true, ends the run before the next source; what has been read by then is embedded and committed.
    pub fn with_cancel(self, cancel: &'a AtomicBool) -> Self {
        Self { cancel: Some(cancel), ..self }
    }

    /// Brings the index to what `sources` hold and commits it, telling `on_progress` of each step.
    ///
    /// A source that cannot be read, or whose document cannot be indexed, is a failure of that source; the others go on. Where its bytes
    /// cannot be read, what the index has of it stays; where they have changed and cannot be understood, it goes.
    ///
    /// # Errors
    /// [`Mismatch`](Error::Mismatch) where the index was built with another chunker or embedder; [`Model`](Error::Model) where the
    /// embedder fails; where the disk fails. What was committed by then stays.
    pub fn run<S: Source>(&self, writer: &mut IndexWriter, sources: &[S], on_progress: impl FnMut(&Progress<'_>)) -> Result<Summary> {
        writer.require(&self.chunker.fingerprint(), self.embedder.info())?;
        let state = Progress { event: Event::Committed, done: 0, total: sources.len(), chunks: 0, bytes: 0 };
        let mut run = Run { settings: *self, writer, on_progress, state, queue: Vec::new(), uncommitted: 0, summary: Summary::default() };
        run.remove_all_but(sources);
        let mut seen = BTreeSet::new();
        for source in sources {
            if self.cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed)) {
                run.summary.cancelled = true;
                break;
            }
            run.take(source, seen.insert(source.id()))?;
        }
        run.finish()
    }
}

/// Where a run stands.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// What has just happened.
    pub event: Event<'a>,
    /// Sources dealt with.
    pub done: usize,
    /// Sources in all.
    pub total: usize,
    /// Chunks embedded.
    pub chunks: usize,
    /// Bytes of text read, of new and changed documents.
    pub bytes: u64,
}

/// A step of a run.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The source's document is in the index as it is.
    Unchanged(&'a DocId),
    /// A new or changed document was read and cut into so many chunks, which wait to be embedded.
    Read {
        /// Which.
        document: &'a DocId,
        /// How many.
        chunks: usize,
    },
    /// A source failed.
    Failed {
        /// Which.
        document: &'a DocId,
        /// Why.
        reason: &'a str,
    },
    /// A document whose source is gone was removed.
    Removed(&'a DocId),
    /// A batch was embedded.
    Embedded,
    /// What was read and embedded is durable.
    Committed,
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Documents that were not there before.
    pub added: usize,
    /// Documents that took the place of an older version.
    pub replaced: usize,
    /// Documents that were removed.
    pub removed: usize,
    /// Documents that were there as they are.
    pub unchanged: usize,
    /// Sources that failed, and why.
    pub failed: Vec<(DocId, String)>,
    /// Chunks embedded and added.
    pub chunks: usize,
    /// Whether the run was cancelled before the last source.
    pub cancelled: bool,
}

struct Run<'a, 'w, F> {
    settings: Updater<'a>,
    writer: &'w mut IndexWriter,
    on_progress: F,
    state: Progress<'static>,
    /// Documents whose chunks wait to be embedded.
    queue: Vec<(Document, Vec<Chunk>)>,
    /// Chunks put since the last commit.
    uncommitted: usize,
    summary: Summary,
}

impl<F: FnMut(&Progress<'_>)> Run<'_, '_, F> {
    fn remove_all_but<S: Source>(&mut self, sources: &[S]) {
        let wanted: BTreeSet<&DocId> = sources.iter().map(Source::id).collect();
        let snapshot = self.writer.snapshot();
        for document in snapshot.documents().filter(|document| !wanted.contains(&document.id)) {
            self.writer.remove(&document.id);
            self.summary.removed += 1;
            self.tell(Event::Removed(&document.id));
        }
    }

    fn take<S: Source>(&mut self, source: &S, first_of_its_id: bool) -> Result<()> {
        self.state.done += 1;
        let id = source.id();
        if !first_of_its_id {
            self.fail(id, "an earlier source has the same id".to_owned());
            return Ok(());
        }
        match source.content_hash() {
            Err(error) => self.fail(id, error.to_string()),
            Ok(hash) if self.has(id, &hash) => {
                self.summary.unchanged += 1;
                self.tell(Event::Unchanged(id));
            }
            Ok(_) => match load(source) {
                Ok(document) => self.enqueue(document)?,
                Err(reason) => self.drop_stale(id, reason),
            },
        }
        Ok(())
    }

    fn has(&self, id: &DocId, hash: &str) -> bool {
        self.writer.snapshot().document(id).is_some_and(|document| document.content_hash == hash)
    }

    fn fail(&mut self, id: &DocId, reason: String) {
        self.tell(Event::Failed { document: id, reason: &reason });
        self.summary.failed.push((id.clone(), reason));
    }

    /// An index must not cite what its source no longer says.
    fn drop_stale(&mut self, id: &DocId, reason: String) {
        self.summary.removed += usize::from(self.writer.remove(id));
        self.fail(id, reason);
    }

    fn enqueue(&mut self, document: Document) -> Result<()> {
        let chunks = self.settings.chunker.chunk(&document)?;
        self.state.bytes += document.text.len() as u64;
        self.tell(Event::Read { document: &document.id, chunks: chunks.len() });
        self.queue.push((document, chunks));
        let waiting: usize = self.queue.iter().map(|(_, chunks)| chunks.len().max(1)).sum();
        if waiting >= self.settings.batch {
            self.drain()?;
        }
        if self.uncommitted >= self.settings.commit_every {
            self.commit()?;
        }
        Ok(())
    }

    /// Embeds and puts what waits.
    fn drain(&mut self) -> Result<()> {
        let queue = std::mem::take(&mut self.queue);
        let texts =
            |(document, chunks): &(Document, Vec<Chunk>)| chunks.iter().map(|chunk| chunk.indexed_text(document)).collect::<Vec<_>>();
        let texts: Vec<String> = queue.iter().flat_map(texts).collect();
        let vectors = self.embed(&texts)?;
        let mut rows = vectors.chunks_exact(self.settings.embedder.info().dims.max(1));
        for (document, chunks) in queue {
            let own: Vec<f32> = rows.by_ref().take(chunks.len()).flatten().copied().collect();
            self.put(&document, &chunks, own)?;
        }
        Ok(())
    }

    fn embed(&mut self, texts: &[String]) -> Result<Vec<f32>> {
        let mut vectors = Vec::new();
        for batch in texts.chunks(self.settings.batch) {
            let batch: Vec<&str> = batch.iter().map(String::as_str).collect();
            vectors.extend(self.settings.embedder.embed(&batch)?.into_vec());
            self.state.chunks += batch.len();
            self.tell(Event::Embedded);
        }
        Ok(vectors)
    }

    fn put(&mut self, document: &Document, chunks: &[Chunk], vectors: Vec<f32>) -> Result<()> {
        let vectors = Embeddings::new(self.settings.embedder.info().dims, vectors)?;
        let known = self.writer.snapshot().document(&document.id).is_some();
        match self.writer.put(document, chunks, &vectors) {
            Ok(()) => {
                *(if known { &mut self.summary.replaced } else { &mut self.summary.added }) += 1;
                self.summary.chunks += chunks.len();
                self.uncommitted += chunks.len().max(1);
            }
            Err(Error::Rejected { reason, .. }) => self.drop_stale(&document.id, reason),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        self.drain()?;
        self.writer.commit()?;
        self.uncommitted = 0;
        self.tell(Event::Committed);
        Ok(())
    }

    fn finish(mut self) -> Result<Summary> {
        self.commit()?;
        Ok(self.summary)
    }

    fn tell(&mut self, event: Event<'_>) {
        (self.on_progress)(&Progress { event, ..self.state });
    }
}

fn load<S: Source>(source: &S) -> Result<Document, String> {
    let document = source.load().map_err(|error| error.to_string())?;
    if document.id == *source.id() {
        return Ok(document);
    }
    Err(format!("its document is named `{}`", document.id))
}
