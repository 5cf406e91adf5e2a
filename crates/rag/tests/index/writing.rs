//! What a writer takes, refuses, forgets and leaves behind.

use std::fs;

use jarre_core::Embeddings;
use jarre_rag::{
    Chunk, Error, Span,
    index::{Index, IndexConfig, Snapshot},
};

use crate::fixture::{DIMS, chunk_id, config, doc_id, document, embed, fresh, lines, open, put};

#[test]
fn what_is_not_committed_is_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    fresh(dir.path(), [("a", "harbour\n")]);
    let mut writer = open(dir.path()).writer().unwrap();
    put(&mut writer, "b", "ferries\n");
    assert!(writer.remove(&doc_id("a")) && !writer.remove(&doc_id("a")));
    assert_eq!(writer.snapshot().len(), 1, "nothing shows before the commit");
    drop(writer);
    let snapshot = Snapshot::open(dir.path()).unwrap();
    assert!(snapshot.document(&doc_id("a")).is_some() && snapshot.document(&doc_id("b")).is_none());
}

#[test]
fn a_removed_document_is_in_no_leg() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path()).writer().unwrap();
    for id in 0..30 {
        put(&mut writer, &format!("d{id}"), &format!("unique{id} harbour\nsecond line {id}\n"));
    }
    writer.commit().unwrap();
    for (at, id) in [3, 17, 29].into_iter().enumerate() {
        assert!(writer.remove(&doc_id(&format!("d{id}"))));
        let snapshot = writer.commit().unwrap();
        let gone = doc_id(&format!("d{id}"));
        assert_eq!(snapshot.len(), 58 - 2 * at);
        assert_eq!(snapshot.doc_freq(&format!("unique{id}")).unwrap(), 0);
        assert!(snapshot.sparse(&format!("unique{id}"), 9, None).unwrap().is_empty());
        let everything = snapshot.dense(&embed("harbour"), 1000, None).unwrap();
        assert!(everything.len() == snapshot.len() && everything.iter().all(|hit| hit.chunk.doc != gone));
        assert!(snapshot.sparse("harbour line", 1000, None).unwrap().iter().all(|hit| hit.chunk.doc != gone));
        assert!(snapshot.documents().all(|document| document.id != gone) && snapshot.chunks().all(|(document, _)| document.id != gone));
    }
}

#[test]
fn compaction_drops_the_dead_from_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path()).writer().unwrap();
    for id in 0..10 {
        put(&mut writer, &format!("d{id}"), &format!("secret{id} word\n"));
    }
    writer.commit().unwrap();
    let on_disk = |word: &str| {
        let files = fs::read_dir(dir.path()).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
        files.into_iter().any(|bytes| bytes.windows(word.len()).any(|window| window == word.as_bytes()))
    };
    assert!(on_disk("secret1 word"));
    for id in 1..4 {
        writer.remove(&doc_id(&format!("d{id}")));
    }
    let snapshot = writer.commit().unwrap();
    assert!(!on_disk("secret1 word") && on_disk("secret5 word"), "three tenths were dead");
    assert_eq!(snapshot.len(), 7);
    for id in (0..10).filter(|id| !(1..4).contains(id)) {
        writer.remove(&doc_id(&format!("d{id}")));
    }
    writer.commit().unwrap();
    assert!(segment_files(dir.path()).is_empty(), "nothing is left");
}

#[test]
fn many_commits_leave_few_segments() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path()).writer().unwrap();
    for id in 0..40 {
        put(&mut writer, &format!("d{id}"), "harbour\n");
        writer.commit().unwrap();
        assert!(segment_files(dir.path()).len() <= 8 * 3);
    }
}

fn segment_files(dir: &std::path::Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("segment-")).collect()
}

#[test]
fn orphans_of_a_crash_go_and_other_peoples_files_stay() {
    let dir = tempfile::tempdir().unwrap();
    fresh(dir.path(), [("a", "harbour\n")]);
    let orphans = ["segment-00000077.records", "segment-00000077.vectors", "segment-00000078.terms", "manifest.json.new"];
    let foreign = ["notes.txt", "segment-1a.records", "segment-00000079.backup", "manifest.json.bak"];
    for name in orphans.iter().chain(&foreign) {
        fs::write(dir.path().join(name), b"left behind").unwrap();
    }
    Snapshot::open(dir.path()).unwrap();
    assert!(dir.path().join(orphans[0]).exists(), "a reader deletes nothing");
    drop(open(dir.path()).writer().unwrap());
    assert!(orphans.iter().all(|name| !dir.path().join(name).exists()));
    Index::recreate(dir.path(), config()).unwrap();
    assert!(foreign.iter().all(|name| dir.path().join(name).exists()));
}

#[test]
fn a_commit_of_nothing_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path()).writer().unwrap();
    put(&mut writer, "a", "harbour\n");
    let sequence = writer.commit().unwrap().sequence();
    assert!(!writer.remove(&doc_id("zz")));
    put(&mut writer, "b", "ferries\n");
    assert!(writer.remove(&doc_id("b")));
    assert_eq!(writer.commit().unwrap().sequence(), sequence);
}

#[test]
fn what_cannot_be_searched_or_cited_is_rejected() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path()).writer().unwrap();
    let document = document("a", "größe\nferries\n");
    let good = lines(&document);
    let vectors = |value: f32| Embeddings::new(DIMS, vec![value; 2 * DIMS]).unwrap();
    let with = |change: fn(&mut Vec<Chunk>)| {
        let mut chunks = good.clone();
        change(&mut chunks);
        chunks
    };
    let cases = [
        (with(|chunks| chunks[0].span = Span::new(0, 3)), vectors(1.0), "not a piece of the text"),
        (with(|chunks| chunks[1].span = Span::new(8, 900)), vectors(1.0), "not a piece of the text"),
        (with(|chunks| chunks[1].span = Span::new(8, 8)), vectors(1.0), "not a piece of the text"),
        (with(|chunks| chunks.swap(0, 1)), vectors(1.0), "named by document and place"),
        (with(|chunks| chunks[0].id = chunk_id("b", 0)), vectors(1.0), "named by document and place"),
        (with(|chunks| drop(chunks.pop())), vectors(1.0), "2 vectors for 1 chunks"),
        (good.clone(), Embeddings::new(2, vec![1.0; 4]).unwrap(), "has 24"),
        (good.clone(), vectors(0.0), "zero"),
        (good.clone(), vectors(f32::NAN), "not finite"),
        (good.clone(), vectors(f32::INFINITY), "not finite"),
        (good.clone(), vectors(1e-30), "out of the range"),
    ];
    for (chunks, vectors, reason) in cases {
        let error = writer.put(&document, &chunks, &vectors).unwrap_err();
        assert!(matches!(error, Error::Rejected { .. }) && error.to_string().contains(reason), "{error}: {reason}");
    }
    assert!(writer.commit().unwrap().is_empty());
    writer.put(&document, &good, &vectors(1.0)).unwrap();
    writer.put(&self::document("b", ""), &[], &Embeddings::default()).unwrap();
    let snapshot = writer.commit().unwrap();
    assert_eq!((snapshot.len(), snapshot.documents().len()), (2, 2), "a document may have no chunks");
}

type Change = fn(&mut IndexConfig);

#[test]
fn another_encoder_or_chunker_is_refused_until_the_index_is_recreated() {
    let dir = tempfile::tempdir().unwrap();
    fresh(dir.path(), [("a", "harbour\n")]);
    let changes: [(&str, Change); 3] = [
        ("encoder", |config| config.encoder.fingerprint = "sha-2".into()),
        ("vector length", |config| config.encoder.dims += 1),
        ("chunker", |config| config.chunker = "windows of 200".into()),
    ];
    for (what, change) in changes {
        let mut other = config();
        change(&mut other);
        let error = Index::open_or_create(dir.path(), other).unwrap_err();
        let message = error.to_string();
        assert!(matches!(error, Error::Mismatch { .. }) && message.contains(what) && message.contains("--rebuild"), "{message}");
    }
    let mut renamed = config();
    renamed.encoder.name = "the same model under another name".into();
    assert_eq!(Index::open_or_create(dir.path(), renamed).unwrap().snapshot().unwrap().len(), 1);

    let mut other = config();
    other.chunker = "windows of 200".into();
    let old = open(dir.path());
    let index = Index::recreate(dir.path(), other).unwrap();
    assert!(index.snapshot().unwrap().is_empty());
    assert!(matches!(old.snapshot(), Err(Error::Mismatch { .. })) && matches!(old.writer(), Err(Error::Mismatch { .. })));
}
