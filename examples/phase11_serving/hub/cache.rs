use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::listing::{File, is_weights};
use super::name::{HubName, is_digest};

/// A model's folder in the cache that the tools of Hugging Face share: `blobs/` by digest, `snapshots/COMMIT/` with links to them, and `refs/` that
/// name commits.
pub(super) struct ModelCache {
    root: PathBuf,
    locks: PathBuf,
}

impl ModelCache {
    pub(super) fn new(cache: &Path, name: &HubName) -> Self {
        Self { root: cache.join(name.folder()), locks: cache.join(".locks").join(name.folder()) }
    }

    /// The snapshot that a revision stood for when it was last fetched, where it is whole.
    pub(super) fn find(&self, revision: &str) -> Option<PathBuf> {
        let commit = if is_digest(revision, 40) {
            revision.to_owned()
        } else {
            fs::read_to_string(self.root.join("refs").join(revision)).ok()?.trim().to_owned()
        };
        let snapshot = self.snapshot(&commit);
        (is_digest(&commit, 40) && is_whole(&snapshot)).then_some(snapshot)
    }

    pub(super) fn snapshot(&self, commit: &str) -> PathBuf {
        self.root.join("snapshots").join(commit)
    }

    pub(super) fn blob(&self, file: &File) -> PathBuf {
        self.root.join("blobs").join(&file.blob)
    }

    /// The file that is held while a blob is written.
    pub(super) fn lock(&self, file: &File) -> Result<fs::File> {
        fs::create_dir_all(&self.locks)?;
        let lock = fs::File::create(self.locks.join(format!("{}.lock", file.blob)))?;
        lock.lock().context("the cache cannot be locked")?;
        Ok(lock)
    }

    /// Shows a blob in a snapshot under its own name.
    pub(super) fn link(&self, file: &File, commit: &str) -> Result<()> {
        let place = self.snapshot(commit).join(&file.path);
        let folder = place.parent().context("a snapshot is a folder")?;
        fs::create_dir_all(folder)?;
        let up = "../".repeat(file.path.split('/').count() + 1);
        if fs::read_link(&place).is_ok_and(|target| target.file_name() == Path::new(&file.blob).file_name()) {
            return Ok(());
        }
        if place.symlink_metadata().is_ok() {
            fs::remove_file(&place)?;
        }
        link(&self.blob(file), &format!("{up}blobs/{}", file.blob), &place)
    }

    /// Notes what a revision stands for.
    pub(super) fn name(&self, revision: &str, commit: &str) -> Result<()> {
        if revision == commit {
            return Ok(());
        }
        let place = self.root.join("refs").join(revision);
        fs::create_dir_all(place.parent().context("a reference lies in a folder")?)?;
        let fresh = place.with_extension(format!("{}.new", std::process::id()));
        fs::write(&fresh, commit)?;
        Ok(fs::rename(fresh, place)?)
    }
}

#[cfg(unix)]
fn link(_: &Path, target: &str, place: &Path) -> Result<()> {
    Ok(std::os::unix::fs::symlink(target, place)?)
}

#[cfg(not(unix))]
fn link(blob: &Path, _: &str, place: &Path) -> Result<()> {
    fs::hard_link(blob, place).or_else(|_| fs::copy(blob, place).map(drop))?;
    Ok(())
}

/// Whether all is there that a model is loaded from.
fn is_whole(snapshot: &Path) -> bool {
    snapshot.join("config.json").is_file() && weights(snapshot).is_ok_and(|files| files.iter().all(|file| snapshot.join(file).is_file()))
}

/// The files of weights that a snapshot has to have.
fn weights(snapshot: &Path) -> Result<BTreeSet<String>> {
    let index = snapshot.join("model.safetensors.index.json");
    if !index.is_file() {
        return Ok(["model.safetensors".to_owned()].into());
    }
    let index: Value = serde_json::from_slice(&fs::read(index)?)?;
    let Some(Value::Object(places)) = index.get("weight_map") else { bail!("the index of weights has no places") };
    let files: BTreeSet<String> = places.values().filter_map(|place| Some(place.as_str()?.to_owned())).collect();
    ensure!(!files.is_empty() && files.iter().all(|file| is_weights(file)), "the index of weights names other files");
    Ok(files)
}
