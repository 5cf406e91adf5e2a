//! Kill -9 at any instant, and run again: the index ends as if nothing had happened.

use std::{fs, path::Path, process::Child, thread, time::Duration};

use jarre_rag::{
    DocId, Document, Error,
    index::{Snapshot, Source, Summary, Updater},
};

use crate::{
    fixture::{Lines, Numbers, document, embedder, open},
    processes::{part_dir, start},
};

const SOURCES: usize = 90;
const VERSIONS: usize = 4;
const KILLS_A_VERSION: usize = 8;

struct Text(Document);

impl Source for Text {
    type Error = String;

    fn id(&self) -> &DocId {
        &self.0.id
    }

    fn content_hash(&self) -> Result<String, String> {
        Ok(self.0.content_hash.clone())
    }

    fn load(&self) -> Result<Document, String> {
        Ok(self.0.clone())
    }
}

/// From version to version two thirds of the documents change, some come, and some go.
fn sources(version: usize) -> Vec<Text> {
    let there = (0..SOURCES).filter(|id| !(id + version).is_multiple_of(7));
    there.map(|id| Text(document(&format!("d{id:03}"), &text(id, usize::midpoint(version, id % 3))))).collect()
}

fn text(id: usize, edition: usize) -> String {
    let lines: Vec<String> = (0..=id % 4).map(|line| format!("line {line} of document {id} in edition {edition}\n")).collect();
    lines.concat()
}

fn run(dir: &Path, version: usize) -> Summary {
    let (chunker, embedder) = (Lines, embedder());
    let updater = Updater::new(&chunker, &embedder).with_batch(3).with_commit_every(7);
    updater.run(&mut open(dir).writer().unwrap(), &sources(version), |_| ()).unwrap()
}

#[test]
#[ignore = "a part of another test"]
fn keep_updating() {
    let Some(dir) = part_dir() else { return };
    let version = fs::read_to_string(dir.join("version")).unwrap().parse().unwrap();
    run(&dir, version);
}

#[test]
fn an_index_whose_writers_are_killed_ends_like_an_undisturbed_one() {
    let dir = tempfile::tempdir().unwrap();
    let undisturbed = tempfile::tempdir().unwrap();
    let mut numbers = Numbers(11);
    let mut interrupted = 0;
    for version in 0..VERSIONS {
        run(undisturbed.path(), version);
        fs::write(dir.path().join("version"), version.to_string()).unwrap();
        let mut reach = 40;
        for _ in 0..KILLS_A_VERSION {
            interrupted += usize::from(kill_after(start("crash::keep_updating", dir.path()), numbers.below(reach), &mut reach));
            assert_whole(dir.path());
        }
        let summary = run(dir.path(), version);
        assert!(summary.failed.is_empty() && !summary.cancelled);
        let digest = |dir| Snapshot::open(dir).unwrap().digest().unwrap();
        assert_eq!(digest(dir.path()), digest(undisturbed.path()), "version {version}");
    }
    assert!(interrupted >= 20, "{interrupted} writers were killed at work");
}

/// Kills after some milliseconds; whether the part was still at work then. Where it was done, later kills come earlier.
fn kill_after(mut part: Child, milliseconds: u64, reach: &mut u64) -> bool {
    thread::sleep(Duration::from_millis(milliseconds));
    part.kill().unwrap();
    let finished = part.wait().unwrap().success();
    *reach = if finished { (milliseconds * 2 / 3).max(4) } else { *reach + 4 };
    !finished
}

/// What is there is readable, and each document is one of the editions, with all its chunks in all legs.
fn assert_whole(dir: &Path) {
    let snapshot = match Snapshot::open(dir) {
        Err(Error::NoIndex { .. }) => return,
        opened => opened.unwrap(),
    };
    for document in snapshot.documents() {
        let id: usize = document.id.0[1..].parse().unwrap();
        assert!((0..VERSIONS).any(|edition| text(id, edition) == document.text), "{document:?}");
        assert_eq!(snapshot.chunks_of(&document.id).len(), 1 + id % 4);
    }
    assert_eq!(snapshot.sparse("edition", 10_000, None).unwrap().len(), snapshot.len());
}
