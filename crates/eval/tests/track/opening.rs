//! Files that are not what they should be, and files of before.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use jarre_core::SystemClock;
use jarre_eval::{
    Error, Result,
    track::{CalibrationState, RunStatus, SampleTexts, Tracker},
};
use rusqlite::Connection;

use crate::support::{new_run, sample};

fn open(path: &Path) -> Result<Tracker> {
    Tracker::open(path, Arc::new(SystemClock::new()))
}

/// A file with something in every sort of page, and its folder.
fn filled() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let tracker = open(&path).unwrap();
    let run = new_run(&tracker);
    let samples: Vec<_> = (0..100).map(|index| sample(&format!("item {index}"), 0)).collect();
    tracker.insert_samples(&run, &samples).unwrap();
    drop(tracker);
    assert!(!folder.path().join("runs.db-wal").exists(), "the last to close it tidies up");
    (folder, path)
}

/// Opens the file and reads it whole, and says what is wrong.
fn open_and_verify(path: &Path) -> Option<Error> {
    open(path).and_then(|tracker| tracker.verify()).err()
}

#[test]
fn what_is_no_tracking_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let foreign = folder.path().join("foreign");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)").unwrap();
    let marked = folder.path().join("marked");
    Connection::open(&marked).unwrap().execute_batch("PRAGMA application_id = 7; PRAGMA user_version = 2").unwrap();
    let contents = [b"hello".to_vec(), vec![0; 8192], b"SQLite format 3\0".to_vec(), fs::read(foreign).unwrap(), fs::read(marked).unwrap()];
    for content in contents {
        fs::write(&path, &content).unwrap();
        let error = open(&path).unwrap_err();
        assert!(matches!(error, Error::TrackingDamaged { .. }), "{error}");
        assert!(error.to_string().contains("file is not a sound tracking database"), "{error}");
        assert!(fs::read(&path).unwrap() == content, "{error}");
    }
}

#[test]
fn a_file_that_was_cut_off_is_refused() {
    let (_folder, path) = filled();
    let whole = fs::read(&path).unwrap();
    let cuts = [1, 15, 17, 100, 4095, 4096, whole.len() / 2, whole.len() - 4096, whole.len() - 1];
    for length in cuts {
        fs::write(&path, &whole[..length]).unwrap();
        let error = open(&path).unwrap_err();
        assert!(matches!(error, Error::TrackingDamaged { .. }), "{length} bytes: {error}");
        assert!(fs::read(&path).unwrap() == whole[..length], "{length} bytes: the file was changed");
    }
}

#[test]
fn a_damaged_page_is_found() {
    let (_folder, path) = filled();
    let whole = fs::read(&path).unwrap();
    assert!(whole.len() > 20 * 4096);
    for page in 0..whole.len() / 4096 {
        let mut damaged = whole.clone();
        damaged[page * 4096..(page + 1) * 4096].fill(0xa5);
        fs::write(&path, &damaged).unwrap();
        let error = open_and_verify(&path).unwrap_or_else(|| panic!("page {page} is damaged, and nothing is said"));
        assert!(matches!(error, Error::TrackingDamaged { .. }), "page {page}: {error}");
    }
    fs::write(&path, whole).unwrap();
    assert!(open_and_verify(&path).is_none());
}

#[test]
fn a_file_of_a_later_version_is_refused() {
    let (_folder, path) = filled();
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let whole = fs::read(&path).unwrap();
    let error = open(&path).unwrap_err();
    assert!(matches!(error, Error::TrackingNewer { found: 99, known: 2, .. }), "{error}");
    assert!(fs::read(&path).unwrap() == whole);
    Connection::open(&path).unwrap().pragma_update(None, "user_version", -1).unwrap();
    assert!(matches!(open(&path), Err(Error::TrackingNewer { .. })));
}

#[test]
fn tables_that_another_script_made_are_refused() {
    let (_folder, path) = filled();
    Connection::open(&path).unwrap().execute("UPDATE migration SET checksum = 'x' WHERE version = 1", []).unwrap();
    let error = open(&path).unwrap_err().to_string();
    assert!(error.contains("tables of version 1"), "{error}");
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    // A folder, a file's inside, a folder that is not there, and a file system that takes no files even of root.
    for path in [folder.path().to_owned(), file.join("runs.db"), folder.path().join("none/runs.db"), "/proc/runs.db".into()] {
        let error = open(&path).unwrap_err();
        assert!(matches!(error, Error::Tracking { .. }), "{error:?}");
        assert!(error.to_string().contains(path.to_str().unwrap()) && std::error::Error::source(&error).is_some());
    }
    assert!(open(&file).is_ok(), "an empty file is one that is to be filled");
}

/// A file as the first version left it, with a run and a sample.
fn first_version(path: &Path) {
    let script = include_str!("../../src/track/schema_1.sql");
    let connection = Connection::open(path).unwrap();
    let begin = "PRAGMA application_id = 0x4a526576; PRAGMA user_version = 1;
                 CREATE TABLE migration (version INTEGER PRIMARY KEY, checksum TEXT NOT NULL) STRICT;";
    connection.execute_batch(begin).unwrap();
    connection.execute_batch(script).unwrap();
    connection.execute("INSERT INTO migration VALUES (1, ?1)", [blake3::hash(script.as_bytes()).to_hex().as_str()]).unwrap();
    let rows = r#"INSERT INTO experiment (name, created) VALUES ('old', 5);
        INSERT INTO run (id, experiment, name, status, provenance, model, created) VALUES ('00000000005aaaaa', 1, 'a', 'done', '{"model":"m"}', 'm', 5);
        INSERT INTO sample VALUES (1, 1, 'item', 0, NULL, NULL, 'i', 'r', 't', NULL, 1, 2, 0, 3, NULL, 4, 1, NULL, 5);
        INSERT INTO sample_text VALUES (1, 'in', NULL, 'out', NULL);
        INSERT INTO score (sample, scorer, version, status, value, created, current) VALUES (1, 'f1', '1', 'scored', 0.5, 5, 1);"#;
    connection.execute_batch(rows).unwrap();
}

#[test]
fn a_file_of_the_first_version_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    first_version(&path);
    let tracker = open(&path).unwrap();
    let run = "00000000005aaaaa".parse().unwrap();
    assert_eq!((tracker.run(&run).unwrap().status, tracker.run(&run).unwrap().provenance.model.as_str()), (RunStatus::Done, "m"));
    let samples = tracker.samples(&run, SampleTexts::Whole).unwrap();
    assert_eq!((samples[0].output.as_str(), samples[0].value("f1")), ("out", Some(0.5)));
    tracker.register_prompt("p", "{{a}}", "", "").unwrap();
    assert_eq!(tracker.calibration("j", "1").unwrap(), CalibrationState::Missing);
    drop(tracker);
    open(&path).unwrap().verify().unwrap();
    let version: i64 = Connection::open(&path).unwrap().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 2);
}

#[test]
fn a_migration_that_fails_leaves_the_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    first_version(&path);
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE judge_calibration (theirs)").unwrap();
    let whole = fs::read(&path).unwrap();
    assert!(matches!(open(&path), Err(Error::Tracking { .. })));
    assert!(fs::read(&path).unwrap() == whole);
}

#[test]
fn versions_of_prompts_cannot_be_changed_behind_the_back() {
    let (_folder, path) = filled();
    open(&path).unwrap().register_prompt("p", "a", "", "").unwrap();
    let connection = Connection::open(&path).unwrap();
    for sql in ["UPDATE prompt_version SET template = 'b'", "DELETE FROM prompt_version"] {
        assert!(connection.execute(sql, []).is_err());
    }
}
