//! What a store keeps, refuses and shares.

use std::{
    fs,
    num::NonZeroUsize,
    process,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use jarre_transformer::{
    Error,
    train::{Checkpoint, CheckpointStore},
};
use serde_json::{Value, json};

use crate::fixture::{open, small, step_of, steps_in, three_saved, tree};

#[test]
fn the_newest_and_the_newest_best_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path(), 2);
    assert!(store.latest().unwrap().checkpoint.is_none() && store.best().unwrap().checkpoint.is_none());
    let mut kept = Vec::new();
    for step in 1..=6 {
        let checkpoint = small(step);
        store.save(&if step == 2 || step == 3 { checkpoint.marked_best() } else { checkpoint }).unwrap();
        assert_eq!(step_of(&store.latest().unwrap()), Some(step));
        kept.push(steps_in(dir.path()).join(" "));
    }
    let expected = ["step-1", "step-1 step-2", "step-2 step-3", "step-3 step-4", "step-3 step-4 step-5", "step-3 step-5 step-6"];
    assert_eq!(kept, expected);
    let best = store.best().unwrap().checkpoint.unwrap();
    assert!(best.is_best() && best.step() == 3);
    drop(store);
    let mut store = open(dir.path(), 1).with_keep_best(0);
    store.save(&small(7)).unwrap();
    assert_eq!(steps_in(dir.path()), ["step-7"]);
}

#[test]
fn as_many_of_the_best_are_kept_as_were_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path(), 1).with_keep_best(2);
    for step in [8, 9, 10, 11] {
        store.save(&small(step).marked_best()).unwrap();
    }
    store.save(&small(12)).unwrap();
    assert_eq!(steps_in(dir.path()), ["step-10", "step-11", "step-12"]);
}

#[test]
fn going_back_needs_another_folder_and_a_step_can_be_saved_again() {
    let dir = three_saved();
    let mut store = open(dir.path(), 3);
    let before = tree(dir.path());
    let error = store.save(&small(29)).unwrap_err();
    assert!(matches!(error, Error::InvalidSetting { .. }) && error.to_string().contains("is 29; it has to be at least 30"), "{error}");
    assert_eq!(tree(dir.path()), before);
    let last = Checkpoint::new(30, json!("the last"));
    store.save(&last).unwrap();
    let found = store.latest().unwrap().checkpoint.unwrap();
    assert_eq!((found.step(), found.state()), (30, &json!("the last")));
    assert_eq!(steps_in(dir.path()), ["step-20", "step-30", "step-30.1"]);
}

#[test]
fn what_is_not_a_name_is_refused_before_anything_is_written() {
    let dir = three_saved();
    let mut store = open(dir.path(), 3);
    let before = tree(dir.path());
    for name in ["../step-30/weights.safetensors", "/tmp/x", "a/b", "Weights", "manifest.json", "", ".", "a.", "ä"] {
        let error = store.save(&Checkpoint::new(40, Value::Null).with_file(name, vec![1])).unwrap_err();
        assert!(matches!(error, Error::InvalidSetting { .. }) && error.to_string().contains(name), "{error}");
    }
    assert_eq!(tree(dir.path()), before);
}

#[test]
fn leftovers_are_reported_and_removed_by_the_next_save_and_files_of_others_stay() {
    let dir = three_saved();
    for name in ["step-31.tmp", "step-10.2.tmp", "notes.tmp", "step-x.tmp"] {
        fs::create_dir(dir.path().join(name)).unwrap();
        fs::write(dir.path().join(name).join("weights.safetensors"), b"half").unwrap();
    }
    fs::write(dir.path().join("step-5.tmp"), b"a file").unwrap();
    let mut store = open(dir.path(), 3);
    let found = store.latest().unwrap();
    let mut skipped: Vec<_> = found.skipped.iter().map(|skipped| skipped.path.file_name().unwrap().to_str().unwrap()).collect();
    skipped.sort_unstable();
    assert_eq!(skipped, ["step-10.2.tmp", "step-31.tmp", "step-5.tmp"]);
    assert_eq!(step_of(&found), Some(30));
    store.save(&small(31)).unwrap();
    assert_eq!(steps_in(dir.path()), ["step-20", "step-30", "step-31", "step-x.tmp"]);
    assert!(dir.path().join("notes.tmp/weights.safetensors").exists());
}

#[test]
fn a_second_store_is_refused_until_the_first_is_gone_and_readers_are_not() {
    let dir = three_saved();
    let store = open(dir.path(), 3);
    let error = CheckpointStore::open(dir.path(), NonZeroUsize::MIN).unwrap_err();
    let named = format!("is in use by process {}; ", process::id());
    assert!(matches!(error, Error::InUse { .. }) && error.to_string().contains(&named), "{error}");
    assert_eq!(step_of(&CheckpointStore::latest_in(dir.path()).unwrap()), Some(30));
    drop(store);
    drop(open(dir.path(), 3));
    assert!(matches!(CheckpointStore::latest_in(&dir.path().join("none")), Err(Error::Io { .. })));
}

/// The most a reader can ask for: what it listed may be gone when it looks.
#[test]
fn a_reader_beside_a_training_that_keeps_one_always_finds_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path(), 1);
    store.save(&small(0)).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut last = 0;
            while !done.load(Ordering::Relaxed) {
                let found = CheckpointStore::latest_in(dir.path()).unwrap();
                let step = found.checkpoint.expect("there is always one").step();
                assert!(step >= last, "{step} after {last}");
                last = step;
            }
        });
        (1..200).for_each(|step| store.save(&small(step)).unwrap());
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
    store.save(&small(200)).unwrap();
    assert_eq!(steps_in(dir.path()), ["step-200"]);
}
