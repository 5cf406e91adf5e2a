use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use jarre_core::{Clock, Embedder, SystemClock, TokenCounter};
use serde::{Deserialize, Serialize};

use crate::{
    Chunker, DocId, Document, Result,
    answer::{Answer, Answerer, Extractive, Passages},
    chunk::StructureChunker,
    index::{Index, IndexConfig, Progress, Snapshot, Source, Summary, Updater},
    ingest::{self, FoundFile, Limits, Reason, Unreadable},
    retrieve::{Retrieved, Retriever, Strategy},
};

/// The whole way from a folder of documents to answers, with one setting for each choice on it.
///
/// [`Rag::builder`] opens an index in a directory, [`ingest`](Self::ingest) brings it in step with files, [`retrieve`](Self::retrieve)
/// finds passages and [`ask`](Self::ask) answers from them. Each stage is a type of its own that can be used without this one.
#[derive(Clone)]
pub struct Rag {
    settings: RagBuilder,
    index: Index,
    retriever: Retriever,
}

impl Rag {
    /// Starts from an encoder; the rest has defaults.
    pub fn builder<E: Embedder + TokenCounter + 'static>(encoder: Arc<E>) -> RagBuilder {
        RagBuilder::new(encoder)
    }

    /// Reads every file under `roots` that is new or changed since the last time, removes from the index what is gone, and searches the
    /// result from then on. `cancel`, once true, ends the run before the next file; what was read until then stays.
    ///
    /// # Errors
    /// [`InUse`](crate::Error::InUse) where another process changes the index; where the encoder or the disk fails. A file that cannot be
    /// read is no error but an entry of the report.
    pub fn ingest(&mut self, roots: &[PathBuf], cancel: Option<&AtomicBool>, on_progress: impl FnMut(&Progress<'_>)) -> Result<Report> {
        let walk = ingest::walk(roots, &self.settings.limits);
        let sources: Vec<FileSource<'_>> = walk.files.iter().map(|file| FileSource { file, limits: &self.settings.limits }).collect();
        let mut writer = self.index.writer()?;
        let updater = Updater::new(&*self.settings.chunker, &*self.settings.embedder);
        let updater = cancel.map_or(updater, |cancel| updater.with_cancel(cancel));
        let summary = updater.run(&mut writer, &sources, on_progress)?;
        self.retriever = self.settings.retriever(writer.snapshot())?;
        Ok(Report { summary, unsupported: walk.unsupported, unreadable: walk.unreadable })
    }

    /// The passages that `question` is about, best first.
    ///
    /// # Errors
    /// Where the encoder or the index fails.
    pub fn retrieve(&self, question: &str) -> Result<Retrieved> {
        self.retriever.retrieve(question, None)
    }

    /// Answers `question` from the passages that it finds, with citations that were checked against their documents, or refuses.
    ///
    /// # Errors
    /// Where the encoder, the index or the model that writes fails.
    pub async fn ask(&self, question: &str) -> Result<Reply> {
        let retrieved = self.retrieve(question)?;
        let start = self.settings.clock.now();
        let passages = Passages::resolve(self.snapshot(), &retrieved.hits);
        let answer = self.settings.answerer.answer(question, &passages).await?;
        Ok(Reply { answer, retrieved, answering: self.settings.clock.now().saturating_sub(start) })
    }

    /// The state of the index that is searched.
    pub fn snapshot(&self) -> &Snapshot {
        self.retriever.snapshot()
    }
}

impl fmt::Debug for Rag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rag").field("index", &self.index.dir()).field("retriever", &self.retriever).finish_non_exhaustive()
    }
}

/// The choices of a [`Rag`].
#[derive(Clone)]
pub struct RagBuilder {
    embedder: Arc<dyn Embedder>,
    chunker: Arc<dyn Chunker>,
    answerer: Arc<dyn Answerer>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    strategy: Strategy,
    k: usize,
}

impl RagBuilder {
    fn new<E: Embedder + TokenCounter + 'static>(encoder: Arc<E>) -> Self {
        let chunker = Arc::new(StructureChunker::new(Arc::clone(&encoder) as Arc<dyn TokenCounter>));
        Self {
            embedder: encoder,
            chunker,
            answerer: Arc::new(Extractive::new()),
            clock: Arc::new(SystemClock::new()),
            limits: Limits::default(),
            strategy: Strategy::default(),
            k: 8,
        }
    }

    /// Cuts documents by `chunker`; by default a [`StructureChunker`] that counts the encoder's tokens.
    pub fn with_chunker(mut self, chunker: Arc<dyn Chunker>) -> Self {
        self.chunker = chunker;
        self
    }

    /// Answers by `answerer`; by default by [`Extractive`], which quotes.
    pub fn with_answerer(mut self, answerer: Arc<dyn Answerer>) -> Self {
        self.answerer = answerer;
        self
    }

    /// Measures by `clock`.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What a file may cost before it is given up.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Searches by `strategy`; by default by vectors and terms, fused.
    pub fn with_strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// Retrieves `k` passages for a question; 8 by default.
    pub fn with_k(mut self, k: usize) -> Self {
        self.k = k;
        self
    }

    /// Opens the index in `dir`, or makes one.
    ///
    /// # Errors
    /// [`Mismatch`](crate::Error::Mismatch) where it was built with another encoder, chunker or version;
    /// [`Corrupt`](crate::Error::Corrupt) where a file of it is damaged.
    pub fn open(self, dir: impl AsRef<Path>) -> Result<Rag> {
        let index = Index::open_or_create(dir.as_ref(), self.config())?;
        self.finish(index)
    }

    /// Makes a new index in `dir`, in place of any that is there.
    ///
    /// # Errors
    /// [`InUse`](crate::Error::InUse) where another process changes the index there; where the disk fails.
    pub fn rebuild(self, dir: impl AsRef<Path>) -> Result<Rag> {
        let index = Index::recreate(dir.as_ref(), self.config())?;
        self.finish(index)
    }

    fn config(&self) -> IndexConfig {
        IndexConfig { encoder: self.embedder.info().clone(), chunker: self.chunker.fingerprint() }
    }

    fn finish(self, index: Index) -> Result<Rag> {
        let retriever = self.retriever(index.snapshot()?)?;
        Ok(Rag { settings: self, index, retriever })
    }

    fn retriever(&self, snapshot: Snapshot) -> Result<Retriever> {
        let retriever = Retriever::new(snapshot, Arc::clone(&self.embedder))?.with_clock(Arc::clone(&self.clock));
        Ok(retriever.with_strategy(self.strategy).with_k(self.k))
    }
}

impl fmt::Debug for RagBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RagBuilder")
            .field("encoder", &self.embedder.info().name)
            .field("chunker", &self.chunker.fingerprint())
            .field("limits", &self.limits)
            .field("strategy", &self.strategy)
            .field("k", &self.k)
            .finish_non_exhaustive()
    }
}

/// What [`Rag::ingest`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What became of the files that could be read by their name.
    pub summary: Summary,
    /// How many files were passed over because their format is not read.
    pub unsupported: usize,
    /// Files and folders that could not be looked into.
    pub unreadable: Vec<Unreadable>,
}

/// An answer and what it was made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The answer.
    pub answer: Answer,
    /// The passages that were found, and how long the stages of the search took.
    pub retrieved: Retrieved,
    /// How long answering took, the search not counted.
    pub answering: Duration,
}

impl Reply {
    /// How long it took from question to answer.
    pub fn total(&self) -> Duration {
        self.retrieved.timings.total() + self.answering
    }
}

struct FileSource<'a> {
    file: &'a FoundFile,
    limits: &'a Limits,
}

impl Source for FileSource<'_> {
    type Error = Reason;

    fn id(&self) -> &DocId {
        &self.file.id
    }

    fn content_hash(&self) -> Result<String, Reason> {
        let size = fs::metadata(&self.file.path).map_err(|error| Reason::io(&error))?.len();
        if size > self.limits.max_bytes {
            return Err(Reason::TooLarge { bytes: size, limit: self.limits.max_bytes });
        }
        Ok(ingest::content_hash(&fs::read(&self.file.path).map_err(|error| Reason::io(&error))?))
    }

    fn load(&self) -> Result<Document, Reason> {
        ingest::read_file(self.file, self.limits).map_err(|unreadable| unreadable.reason)
    }
}
