//! The files of an index: written durably, named by the manifest with length and checksum, checked before they are believed.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What the manifest says of a file that belongs to the committed state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileRecord {
    pub(super) bytes: u64,
    pub(super) blake3: String,
}

impl FileRecord {
    pub(super) fn of(content: &[u8]) -> Self {
        Self { bytes: content.len() as u64, blake3: blake3::hash(content).to_hex().to_string() }
    }
}

/// The three files of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Records,
    Vectors,
    Terms,
}

impl Part {
    pub(super) const ALL: [Part; 3] = [Part::Records, Part::Vectors, Part::Terms];

    fn extension(self) -> &'static str {
        match self {
            Part::Records => "records",
            Part::Vectors => "vectors",
            Part::Terms => "terms",
        }
    }

    pub(super) fn file_name(self, segment: u64) -> String {
        format!("segment-{segment:08}.{}", self.extension())
    }
}

pub(super) const MANIFEST: &str = "manifest.json";
const MANIFEST_DRAFT: &str = "manifest.json.new";

/// Whether this crate could have written a file of this name; nothing else is ever deleted from the directory.
pub(super) fn is_ours(name: &str) -> bool {
    let segment = name.strip_prefix("segment-").and_then(|rest| rest.split_once('.'));
    let named = |(digits, extension): (&str, &str)| {
        digits.bytes().all(|byte| byte.is_ascii_digit()) && Part::ALL.iter().any(|part| part.extension() == extension)
    };
    name == MANIFEST_DRAFT || segment.is_some_and(named)
}

/// Writes a file that no manifest names yet. The caller syncs the directory before a manifest names it.
pub(super) fn write_new(path: &Path, content: &[u8]) -> Result<FileRecord> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(io_error("write", path))?;
    Ok(FileRecord::of(content))
}

/// Replaces the manifest: after a crash at any instant either the old or the new one is there, whole.
pub(super) fn replace_manifest(dir: &Path, content: &[u8]) -> Result<()> {
    let draft = dir.join(MANIFEST_DRAFT);
    write_new(&draft, content)?;
    let manifest = dir.join(MANIFEST);
    fs::rename(&draft, &manifest).map_err(io_error("replace", &manifest))?;
    sync_dir(dir)
}

/// Makes new names in `dir` durable. Only Unix lets a program sync a directory; elsewhere the file system orders its own metadata.
pub(super) fn sync_dir(dir: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(dir).and_then(|handle| handle.sync_all()).map_err(io_error("sync", dir))?;
    }
    Ok(())
}

/// Reads a file that the manifest names and holds it to what the manifest says.
pub(super) fn read_checked(path: &Path, record: &FileRecord) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(io_error("open", path))?;
    let length = file.metadata().map_err(io_error("read", path))?.len();
    if length != record.bytes {
        return Err(corrupt(path, format!("it has {length} bytes where {} were committed", record.bytes)));
    }
    let mut content = Vec::with_capacity(length as usize);
    file.take(length).read_to_end(&mut content).map_err(io_error("read", path))?;
    if FileRecord::of(&content) != *record {
        return Err(corrupt(path, "its content is not what was committed"));
    }
    Ok(content)
}

/// Deletes files of ours that `keep` does not want: what a crash, a replaced commit or a compaction left behind.
///
/// A file that cannot be deleted (on Windows, one that a reader holds open) stays until the next commit.
pub(super) fn delete_orphans(dir: &Path, keep: impl Fn(&str) -> bool) -> Result<()> {
    for entry in fs::read_dir(dir).map_err(io_error("list", dir))? {
        let entry = entry.map_err(io_error("list", dir))?;
        let orphan = entry.file_name().to_str().is_some_and(|name| is_ours(name) && !keep(name));
        if orphan {
            fs::remove_file(entry.path()).ok();
        }
    }
    Ok(())
}

pub(super) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { action, path, source }
}

pub(super) fn corrupt(path: impl Into<PathBuf>, reason: impl Into<String>) -> Error {
    Error::Corrupt { path: path.into(), reason: reason.into() }
}
