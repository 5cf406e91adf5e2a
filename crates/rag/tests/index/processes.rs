//! Other processes: this test binary, started again to play one part.

use std::{
    env,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use jarre_rag::{Error, index::Snapshot};

use crate::fixture::{fresh, open, put};

const DIR: &str = "JARRE_TEST_INDEX_DIR";

/// Starts this binary with `part`, an ignored test, alone; it finds its directory with [`part_dir`].
pub(crate) fn start(part: &str, dir: &Path) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([part, "--exact", "--ignored", "--nocapture"]).env(DIR, dir);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// The directory that a part plays in; `None` where someone runs the ignored tests by hand.
#[expect(clippy::disallowed_methods, reason = "how the parent process tells a part its directory")]
pub(crate) fn part_dir() -> Option<PathBuf> {
    env::var_os(DIR).map(PathBuf::from)
}

/// Waits until the part has printed `line`.
pub(crate) fn wait_for(child: &mut Child, line: &str) {
    let output = BufReader::new(child.stdout.as_mut().unwrap());
    assert!(output.lines().any(|printed| printed.unwrap().contains(line)), "the part ended without saying {line}");
}

#[test]
#[ignore = "a part of another test"]
fn hold_the_lock() {
    let Some(dir) = part_dir() else { return };
    let _writer = open(&dir).writer().unwrap();
    println!("holding");
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn a_second_process_is_told_who_writes_and_readers_are_not_hindered() {
    let dir = tempfile::tempdir().unwrap();
    fresh(dir.path(), [("a", "harbour\n")]);
    let mut other = start("processes::hold_the_lock", dir.path());
    wait_for(&mut other, "holding");
    let error = open(dir.path()).writer().unwrap_err();
    let named = format!("in use by process {}", other.id());
    assert!(matches!(error, Error::InUse { .. }) && error.to_string().contains(&named), "{error}");
    assert_eq!(Snapshot::open(dir.path()).unwrap().len(), 1);
    other.kill().unwrap();
    other.wait().unwrap();
    put(&mut open(dir.path()).writer().unwrap(), "b", "the lock died with its process\n");
}

#[test]
fn a_second_writer_of_this_process_is_refused_too() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    let writer = index.writer().unwrap();
    let error = index.writer().unwrap_err().to_string();
    assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
    drop(writer);
    index.writer().unwrap();
}
