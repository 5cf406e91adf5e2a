//! Readers see one committed state each, whatever writers do meanwhile.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use jarre_rag::index::Snapshot;

use crate::fixture::{chunk_id, doc_id, embed, open, put};

const DOCUMENTS: usize = 12;

fn text(version: usize) -> String {
    format!("version{version} of the harbour\nferries of version{version}\n")
}

#[test]
fn readers_that_open_during_commits_see_one_version_whole() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path()).writer().unwrap();
    let finished = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers = [0; 2].map(|_| scope.spawn(|| read_until(dir.path(), &finished)));
        for version in 0..60 {
            (0..DOCUMENTS).for_each(|id| put(&mut writer, &format!("d{id:02}"), &text(version)));
            writer.commit().unwrap();
        }
        finished.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().unwrap() > 1, "the reader saw the index change");
        }
    });
}

/// How many different states were seen.
fn read_until(dir: &std::path::Path, finished: &AtomicBool) -> usize {
    let mut seen = std::collections::BTreeSet::new();
    while !finished.load(Ordering::Relaxed) {
        let snapshot = Snapshot::open(dir).unwrap();
        let texts: Vec<&str> = snapshot.documents().map(|document| document.text.as_str()).collect();
        assert!(texts.is_empty() || texts.len() == DOCUMENTS);
        assert!(texts.iter().all(|text| *text == texts[0]), "one version in {texts:?}");
        assert_eq!(snapshot.sparse("ferries", 100, None).unwrap().len(), texts.len());
        assert!(seen.last().is_none_or(|&last| last <= snapshot.sequence()), "commits do not go backwards");
        seen.insert(snapshot.sequence());
    }
    seen.len()
}

#[test]
fn a_snapshot_stays_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path()).writer().unwrap();
    put(&mut writer, "a", &text(1));
    let before = writer.commit().unwrap();
    let digest = before.digest().unwrap();
    for version in 2..30 {
        put(&mut writer, "a", &text(version));
        put(&mut writer, &format!("b{version}"), &text(version));
        writer.commit().unwrap();
    }
    writer.remove(&doc_id("a"));
    writer.commit().unwrap();
    assert_eq!(before.digest().unwrap(), digest);
    assert_eq!(before.sparse("version1", 9, None).unwrap().len(), 2);
    assert_eq!(before.dense(&embed("harbour"), 9, None).unwrap().len(), 2);
    assert_eq!(before.chunk(&chunk_id("a", 1)).unwrap().1.span.of(&text(1)), Some("ferries of version1"));
}
