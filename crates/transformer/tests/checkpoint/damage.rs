//! A checkpoint that is not what was saved is passed over, said to be, and left where it is.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jarre_transformer::{Error, train::CheckpointStore};

use crate::fixture::{FILES, open, small, step_of, steps_in, three_saved, tree};

fn files_of(dir: &Path, step: u64) -> Vec<PathBuf> {
    let files = tree(&dir.join(format!("step-{step}")));
    assert_eq!(files.len(), FILES.len() + 1, "the files and the manifest");
    files
}

/// The newest whole one is that of step 20, and the reason names what is wrong with that of step 30.
fn assert_passed_over(dir: &Path, damaged: &Path, what: &str) {
    let before = tree(dir);
    let found = CheckpointStore::latest_in(dir).unwrap();
    assert_eq!(step_of(&found), Some(20), "{what}: {}", damaged.display());
    let [skipped] = &found.skipped[..] else { panic!("one is passed over: {:?}", found.skipped) };
    let name = damaged.file_name().unwrap().to_str().unwrap();
    assert!(skipped.path.ends_with("step-30") && skipped.to_string().contains(name), "{what}: {skipped}");
    assert_eq!(tree(dir), before, "nothing is deleted");
}

#[test]
fn a_file_cut_or_grown_anywhere_gives_the_checkpoint_before() {
    let dir = three_saved();
    for path in files_of(dir.path(), 30) {
        let whole = fs::read(&path).unwrap();
        for length in (0..whole.len()).step_by(37).chain(whole.len().checked_sub(1)) {
            fs::write(&path, &whole[..length]).unwrap();
            assert_passed_over(dir.path(), &path, &format!("cut at {length}"));
        }
        fs::write(&path, [&whole, b"\0".as_slice()].concat()).unwrap();
        assert_passed_over(dir.path(), &path, "grown");
        fs::write(&path, whole).unwrap();
    }
    assert_eq!(step_of(&CheckpointStore::latest_in(dir.path()).unwrap()), Some(30));
}

#[test]
fn a_flipped_bit_anywhere_gives_the_checkpoint_before() {
    let dir = three_saved();
    for path in files_of(dir.path(), 30) {
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            fs::write(&path, flipped).unwrap();
            assert_passed_over(dir.path(), &path, &format!("a flipped bit in byte {at}"));
        }
        fs::write(&path, whole).unwrap();
    }
}

#[test]
fn a_missing_file_and_one_of_another_kind_give_the_checkpoint_before() {
    let dir = three_saved();
    for path in files_of(dir.path(), 30) {
        let whole = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert_passed_over(dir.path(), &path, "missing");
        fs::create_dir(&path).unwrap();
        assert_passed_over(dir.path(), &path, "a directory");
        fs::remove_dir(&path).unwrap();
        fs::write(&path, whole).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_link_is_not_followed_and_a_pipe_is_not_waited_for() {
    let dir = three_saved();
    for path in files_of(dir.path(), 30) {
        let moved = dir.path().join("elsewhere");
        fs::rename(&path, &moved).unwrap();
        std::os::unix::fs::symlink(&moved, &path).unwrap();
        assert_passed_over(dir.path(), &path, "a link to the very file");
        fs::remove_file(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert_passed_over(dir.path(), &path, "a pipe");
        fs::remove_file(&path).unwrap();
        fs::rename(&moved, &path).unwrap();
    }
}

#[test]
fn damage_of_all_is_reported_and_no_reason_to_start_over_in_silence() {
    let dir = three_saved();
    for step in [10, 20, 30] {
        fs::write(dir.path().join(format!("step-{step}/weights.safetensors")), [0; 100]).unwrap();
    }
    let mut store = open(dir.path(), 2);
    let found = store.latest().unwrap();
    assert!(found.checkpoint.is_none());
    assert_eq!(found.skipped.len(), 3);
    assert!(found.skipped.iter().all(|skipped| skipped.reason.contains("not what was saved")), "{:?}", found.skipped);
    for step in [5, 6, 7] {
        store.save(&small(step)).unwrap();
    }
    assert_eq!(steps_in(dir.path()), ["step-10", "step-20", "step-30", "step-6", "step-7"], "damaged ones neither count nor go");
    assert_eq!(step_of(&store.latest().unwrap()), Some(7));
}

#[test]
fn a_step_whose_checkpoint_was_damaged_is_saved_beside_it() {
    let dir = three_saved();
    fs::remove_file(dir.path().join("step-30/optimizer.safetensors")).unwrap();
    for _ in 0..2 {
        let mut store = open(dir.path(), 2);
        assert!(matches!(step_of(&store.latest().unwrap()), Some(20 | 30)));
        store.save(&small(30)).unwrap();
    }
    assert_eq!(steps_in(dir.path()), ["step-30", "step-30.1", "step-30.2"]);
    let found = CheckpointStore::latest_in(dir.path()).unwrap();
    assert!(found.skipped.is_empty() && found.checkpoint.as_ref().unwrap().path().ends_with("step-30.2"));
    assert_eq!(step_of(&found), Some(30));
}

#[test]
fn damage_after_a_checkpoint_was_found_is_noticed_when_it_is_read() {
    let dir = three_saved();
    let handle = CheckpointStore::latest_in(dir.path()).unwrap().checkpoint.unwrap();
    let path = handle.path().join("weights.safetensors");
    let mut content = fs::read(&path).unwrap();
    content[50] ^= 1;
    fs::write(&path, &content).unwrap();
    assert!(matches!(handle.read("weights.safetensors"), Err(Error::Corrupt { path: named, .. }) if named == path));
    fs::write(&path, &content[..99]).unwrap();
    assert!(matches!(handle.read("weights.safetensors"), Err(Error::Corrupt { .. })));
    fs::remove_file(&path).unwrap();
    assert!(matches!(handle.read("weights.safetensors"), Err(Error::Io { .. })));
    for name in ["no-such-file", "../step-20/weights.safetensors", "manifest.json", ""] {
        assert!(matches!(handle.read(name), Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound), "{name}");
    }
}
