use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    folder::Place,
    manifest::{FileRecord, MANIFEST, MAX_BYTES, Manifest},
};
use crate::error::{Error, Result};

/// A checkpoint on disk. Every [`read`](Self::read) is checked against the manifest.
#[derive(Clone, Debug)]
pub struct CheckpointHandle {
    folder: PathBuf,
    manifest: Manifest,
}

impl CheckpointHandle {
    /// The number of updates that the training had made.
    pub fn step(&self) -> u64 {
        self.manifest.step
    }

    /// What was given to [`Checkpoint::new`](super::Checkpoint::new).
    pub fn state(&self) -> &Value {
        &self.manifest.state
    }

    /// Whether it was marked as the best when it was saved.
    pub fn is_best(&self) -> bool {
        self.manifest.best
    }

    /// The folder that it is kept in.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// The names of its files in alphabetical order.
    pub fn file_names(&self) -> impl Iterator<Item = &str> {
        self.manifest.files.iter().map(|file| file.name.as_str())
    }

    /// The content of a file, as it was saved.
    ///
    /// # Errors
    /// [`Error::Io`] where there is no file of this name or it cannot be read, and [`Error::Corrupt`] where it is not what was saved.
    pub fn read(&self, name: &str) -> Result<Vec<u8>> {
        let absent = || Error::io(self.folder.join(name))(io::ErrorKind::NotFound.into());
        let record = self.manifest.files.iter().find(|file| file.name == name).ok_or_else(absent)?;
        let mut content = Vec::new();
        let mut fill = |file: File| {
            content.try_reserve_exact(usize::try_from(record.bytes).unwrap_or(usize::MAX))?;
            file.take(record.bytes).read_to_end(&mut content)
        };
        fill(self.open_file(record)?).map_err(Error::io(self.folder.join(name)))?;
        self.require_hash(record, blake3::hash(&content))?;
        Ok(content)
    }

    /// The checkpoint at `place` of `dir`, where its manifest is whole and its files have the right lengths.
    pub(super) fn open(dir: &Path, place: Place) -> Result<Self> {
        let folder = dir.join(place.to_string());
        let manifest = read_manifest(&folder)?;
        if manifest.step != place.step {
            return Err(Error::corrupt(folder, format!("its manifest is that of step {}", manifest.step)));
        }
        let handle = Self { folder, manifest };
        for record in &handle.manifest.files {
            handle.open_file(record)?;
        }
        Ok(handle)
    }

    /// Compares the content of every file with its hash, in little memory.
    pub(super) fn verify(&self) -> Result<()> {
        for record in &self.manifest.files {
            let file = self.open_file(record)?;
            let mut hasher = blake3::Hasher::new();
            hasher.update_reader(file.take(record.bytes)).map_err(Error::io(self.folder.join(&record.name)))?;
            self.require_hash(record, hasher.finalize())?;
        }
        Ok(())
    }

    fn open_file(&self, record: &FileRecord) -> Result<File> {
        let path = self.folder.join(&record.name);
        let (file, length) = open_plain(&path)?;
        if length != record.bytes {
            return Err(Error::corrupt(path, format!("it has {length} bytes where {} were saved", record.bytes)));
        }
        Ok(file)
    }

    fn require_hash(&self, record: &FileRecord, found: blake3::Hash) -> Result<()> {
        if found.to_hex().as_str() == record.blake3 {
            return Ok(());
        }
        Err(Error::corrupt(self.folder.join(&record.name), "its content is not what was saved"))
    }
}

fn read_manifest(folder: &Path) -> Result<Manifest> {
    let path = folder.join(MANIFEST);
    let (file, _) = open_plain(&path)?;
    let mut bytes = Vec::new();
    // One more than is allowed, so that a longer one is noticed.
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(Error::io(path))?;
    Manifest::decode(&bytes).map_err(|reason| Error::corrupt(folder, reason))
}

/// Opens a regular file. A link could lead out of the folder, and a pipe would be waited for for ever.
fn open_plain(path: &Path) -> Result<(File, u64)> {
    let metadata = fs::symlink_metadata(path).map_err(Error::io(path))?;
    if !metadata.is_file() {
        return Err(Error::corrupt(path, "it is not a regular file"));
    }
    let file = File::open(path).map_err(Error::io(path))?;
    Ok((file, metadata.len()))
}
