//! Checkpoints whose content follows from their step.

use std::{
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use jarre_transformer::train::{Checkpoint, CheckpointHandle, CheckpointStore, Found};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const FILES: [&str; 3] = ["empty", "optimizer.safetensors", "weights.safetensors"];

pub(crate) fn open(dir: &Path, keep_last: usize) -> CheckpointStore {
    CheckpointStore::open(dir, NonZeroUsize::new(keep_last).unwrap()).unwrap()
}

/// With files of some hundred bytes.
pub(crate) fn small(step: u64) -> Checkpoint {
    checkpoint(step, 100)
}

/// With files of some hundred kilobytes.
pub(crate) fn large(step: u64) -> Checkpoint {
    checkpoint(step, 100_000)
}

/// A store of steps 10, 20 and 30.
pub(crate) fn three_saved() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path(), 3);
    for step in [10, 20, 30] {
        store.save(&small(step)).unwrap();
    }
    dir
}

/// The step of what was found, after a look at its content.
pub(crate) fn step_of(found: &Found) -> Option<u64> {
    found.checkpoint.as_ref().map(assert_content)
}

pub(crate) fn assert_content(handle: &CheckpointHandle) -> u64 {
    let step = handle.step();
    assert_eq!(*handle.state(), state(step));
    assert!(handle.file_names().eq(FILES));
    for name in FILES {
        let found = handle.read(name).unwrap();
        assert!(found == content(step, name, found.len()), "{name} of step {step}");
    }
    step
}

/// Paths in and under `dir`, in order.
pub(crate) fn tree(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    let below: Vec<PathBuf> = paths.iter().filter(|path| path.is_dir()).flat_map(|path| tree(path)).collect();
    paths.extend(below);
    paths.sort();
    paths
}

/// The names of the checkpoints in `dir`, whole or not, in alphabetical order.
pub(crate) fn steps_in(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("step-")).collect();
    names.sort();
    names
}

fn checkpoint(step: u64, length: usize) -> Checkpoint {
    let lengths = [0, 2 * length + step as usize % 7, length];
    let named = FILES.into_iter().zip(lengths);
    named.fold(Checkpoint::new(step, state(step)), |checkpoint, (name, length)| checkpoint.with_file(name, content(step, name, length)))
}

fn state(step: u64) -> Value {
    json!({"seed": u64::MAX - step, "loss": 1.0 / (step as f64 + 0.1), "offset": [step, step * 12]})
}

fn content(step: u64, name: &str, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&step.to_le_bytes()).update(name.as_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}
