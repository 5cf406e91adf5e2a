//! Keeping an index in step with its sources.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use jarre_core::{Embedder, EmbedderInfo, Embeddings, testing::HashEmbedder};
use jarre_rag::{
    Chunk, Chunker, DocId, Document, Error,
    index::{Event, IndexWriter, Snapshot, Source, Summary, Updater},
};

use crate::fixture::{Lines, doc_id, document, embedder, fresh, open};

/// A file of which it is counted how often it is read.
struct File {
    id: DocId,
    text: String,
    unreadable: bool,
    loads: Cell<usize>,
}

impl Source for File {
    type Error = &'static str;

    fn id(&self) -> &DocId {
        &self.id
    }

    fn content_hash(&self) -> Result<String, &'static str> {
        if self.unreadable { Err("permission denied") } else { Ok(jarre_rag::ingest::content_hash(self.text.as_bytes())) }
    }

    fn load(&self) -> Result<Document, &'static str> {
        self.loads.set(self.loads.get() + 1);
        match self.text.as_str() {
            "%broken" => Err("not a document"),
            "%stray" => Ok(document("stray", "a document of another name\n")),
            text => Ok(document(&self.id.0, text)),
        }
    }
}

fn file(id: &str, text: &str) -> File {
    File { id: doc_id(id), text: text.to_owned(), unreadable: false, loads: Cell::new(0) }
}

fn files(texts: &[(&str, &str)]) -> Vec<File> {
    texts.iter().map(|(id, text)| file(id, text)).collect()
}

fn update(writer: &mut IndexWriter, files: &[File]) -> Summary {
    let (chunker, embedder) = (Lines, embedder());
    Updater::new(&chunker, &embedder).run(writer, files, |_| ()).unwrap()
}

#[test]
fn only_what_changed_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path()).writer().unwrap();
    let first = update(&mut writer, &files(&[("a", "harbour\nferries\n"), ("b", "engine\n"), ("c", "oil\n")]));
    assert_eq!(first, Summary { added: 3, chunks: 4, ..Summary::default() });
    let now = files(&[("a", "harbour\nferries\n"), ("b", "turbine\n"), ("d", "\n")]);
    let second = update(&mut writer, &now);
    assert_eq!(second, Summary { added: 1, replaced: 1, removed: 1, unchanged: 1, chunks: 1, ..Summary::default() });
    assert_eq!(now.iter().map(|file| file.loads.get()).collect::<Vec<_>>(), [0, 1, 1]);
    let sequence = writer.snapshot().sequence();
    assert_eq!(update(&mut writer, &now).unchanged, 3, "a document without chunks is remembered too");
    assert_eq!(writer.snapshot().sequence(), sequence, "and nothing is written");
    let plain = tempfile::tempdir().unwrap();
    let plain = fresh(plain.path(), [("a", "harbour\nferries\n"), ("b", "turbine\n"), ("d", "\n")]);
    assert_eq!(Snapshot::open(dir.path()).unwrap().digest().unwrap(), plain.digest().unwrap());
}

#[test]
fn a_source_that_fails_does_not_stop_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path()).writer().unwrap();
    update(&mut writer, &files(&[("a", "harbour\n"), ("b", "engine\n")]));
    let mut now = files(&[("a", "harbour, changed\n"), ("b", "%broken"), ("c", "%stray"), ("d", "oil\n"), ("d", "oil again\n")]);
    now[0].unreadable = true;
    let summary = update(&mut writer, &now);
    let failed: BTreeMap<String, String> = summary.failed.iter().map(|(id, reason)| (id.0.clone(), reason.clone())).collect();
    assert_eq!(failed["a"], "permission denied");
    assert_eq!(failed["b"], "not a document");
    assert!(failed["c"].contains("`stray`") && failed["d"].contains("same id"));
    assert_eq!((summary.added, summary.removed, summary.unchanged), (1, 1, 0));
    let there: Vec<String> = writer.snapshot().documents().map(|document| document.text.clone()).collect();
    assert_eq!(there, ["harbour\n", "oil\n"], "what cannot be read stays, what is no longer understood goes");
}

/// Remembers how many texts came at once, and has no vector for one word.
struct Recorder(Mutex<Vec<usize>>);

impl Embedder for Recorder {
    fn info(&self) -> &EmbedderInfo {
        static INNER: std::sync::LazyLock<HashEmbedder> = std::sync::LazyLock::new(embedder);
        INNER.info()
    }

    fn embed(&self, texts: &[&str]) -> jarre_core::Result<Embeddings> {
        self.0.lock().unwrap().push(texts.len());
        let rows = texts.iter().flat_map(|text| if text.contains("void") { vec![0.0; 24] } else { crate::fixture::embed(text) });
        Embeddings::new(24, rows.collect())
    }
}

#[test]
fn chunks_are_embedded_in_batches_across_documents_and_committed_now_and_then() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path()).writer().unwrap();
    let recorder = Recorder(Mutex::default());
    let sources: Vec<File> = (0..20).map(|id| file(&format!("d{id:02}"), "one\ntwo\nthree\n")).collect();
    let commits = RefCell::new(Vec::new());
    let chunker = Lines;
    let updater = Updater::new(&chunker, &recorder).with_batch(8).with_commit_every(20);
    let summary = updater.run(&mut writer, &sources, |progress| {
        assert!(progress.done <= progress.total && progress.total == 20);
        if matches!(progress.event, Event::Committed) {
            commits.borrow_mut().push((progress.done, progress.chunks));
        }
    });
    assert_eq!(summary.unwrap().chunks, 60);
    assert_eq!(*recorder.0.lock().unwrap(), [8, 1, 8, 1, 8, 1, 8, 1, 8, 1, 8, 1, 6], "three documents fill a batch");
    assert_eq!(*commits.borrow(), [(9, 27), (18, 54), (20, 60)]);
}

#[test]
fn a_vector_without_direction_fails_its_document_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path()).writer().unwrap();
    update(&mut writer, &files(&[("b", "engine\n")]));
    let recorder = Recorder(Mutex::default());
    let sources = files(&[("a", "harbour\n"), ("b", "engine\nvoid\n"), ("c", "oil\n")]);
    let summary = Updater::new(&Lines, &recorder).run(&mut writer, &sources, |_| ()).unwrap();
    assert!(summary.failed[0].0 == doc_id("b") && summary.failed[0].1.contains("zero"), "{summary:?}");
    let there: Vec<DocId> = writer.snapshot().documents().map(|document| document.id.clone()).collect();
    assert_eq!(there, [doc_id("a"), doc_id("c")]);
}

#[test]
fn a_cancelled_run_keeps_what_it_has_read_and_the_next_one_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path()).writer().unwrap();
    let sources: Vec<File> = (0..9).map(|id| file(&format!("d{id}"), &format!("text {id}\n"))).collect();
    let (cancel, chunker, embedder) = (AtomicBool::new(false), Lines, embedder());
    let updater = Updater::new(&chunker, &embedder).with_cancel(&cancel);
    let summary = updater.run(&mut writer, &sources, |progress| cancel.store(progress.done == 4, Ordering::Relaxed)).unwrap();
    assert!(summary.cancelled && summary.added == 4);
    assert_eq!(Snapshot::open(dir.path()).unwrap().len(), 4);
    let rest = update(&mut writer, &sources);
    assert_eq!((rest.unchanged, rest.added, rest.cancelled), (4, 5, false));
}

#[test]
fn an_updater_of_another_chunker_or_embedder_is_refused() {
    struct Windows;
    impl Chunker for Windows {
        fn fingerprint(&self) -> String {
            "windows".into()
        }
        fn max_tokens(&self) -> usize {
            9
        }
        fn chunk(&self, _: &Document) -> jarre_rag::Result<Vec<Chunk>> {
            unreachable!("nothing is read")
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path()).writer().unwrap();
    let sources = files(&[("a", "harbour\n")]);
    let (lines, windows, same, other) = (Lines, Windows, embedder(), HashEmbedder::new(24, 5));
    for updater in [Updater::new(&windows, &same), Updater::new(&lines, &other)] {
        assert!(matches!(updater.run(&mut writer, &sources, |_| ()), Err(Error::Mismatch { .. })));
    }
}
