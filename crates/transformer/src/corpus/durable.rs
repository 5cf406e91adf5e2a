//! Files that are there whole or not at all, also after a crash.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::weights::sync_folder;

/// What a file's name ends in until it is whole.
pub(super) const DRAFT: &str = ".draft";

/// Writes `content` to `path`. After a crash at any instant `path` holds what it held before, or `content`.
pub(super) fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let draft = draft_of(path);
    let mut file = File::create(&draft).map_err(Error::io(&draft))?;
    file.write_all(content).map_err(Error::io(&draft))?;
    publish(&file, path)
}

/// Where a file is written before it is put in its place.
pub(super) fn draft_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(DRAFT);
    name.into()
}

/// Puts the draft of `path`, written through `file`, in its place.
pub(super) fn publish(file: &File, path: &Path) -> Result<()> {
    let draft = draft_of(path);
    file.sync_all().map_err(Error::io(&draft))?;
    fs::rename(&draft, path).map_err(Error::io(path))?;
    sync_folder(path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_no_draft_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        replace(&path, b"old").unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(replace(&folder.path().join("no/folder"), b"").is_err());
    }
}
