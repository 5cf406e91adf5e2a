//! Folders that are there whole or not at all, also after a crash.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::folder::sync_folder;
use crate::error::{Error, Result};

/// Lets `write` fill a folder that stands beside `folder` until it is on the disk, and then in its place. After an error nothing of it is left.
///
/// # Errors
/// Where `folder` is there and has something in it, or cannot be written.
pub(crate) fn write_new(folder: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    if folder.exists() && fs::read_dir(folder).map_err(Error::io(folder))?.next().is_some() {
        return Err(Error::setting("the folder to write to", folder.display(), "new or empty"));
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(Error::io(parent))?;
    let draft = draft_of(folder);
    fs::create_dir(&draft).map_err(Error::io(&draft))?;
    let written = write(&draft).and_then(|()| sync_all(&draft)).and_then(|()| publish(&draft, folder));
    if let Err(error) = written {
        // Where that fails too, the first error is the one that says why.
        let _ = fs::remove_dir_all(&draft);
        return Err(error);
    }
    sync_folder(parent)
}

/// A name beside `folder` that no other writer has.
fn draft_of(folder: &Path) -> PathBuf {
    static DRAFTS: AtomicU64 = AtomicU64::new(0);
    let mut name = folder.components().as_path().as_os_str().to_owned();
    name.push(format!(".{}-{}.draft", std::process::id(), DRAFTS.fetch_add(1, Ordering::Relaxed)));
    name.into()
}

/// Puts all files of `folder` on the disk, those of its folders too.
fn sync_all(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        if path.is_dir() {
            sync_all(&path)?;
        } else {
            File::options().append(true).open(&path).and_then(|file| file.sync_all()).map_err(Error::io(&path))?;
        }
    }
    sync_folder(folder)
}

fn publish(draft: &Path, folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir(folder).map_err(Error::io(folder))?;
    }
    fs::rename(draft, folder).map_err(Error::io(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn put(folder: &Path) -> Result<()> {
        fs::create_dir(folder.join("inner")).map_err(Error::io(folder))?;
        fs::write(folder.join("inner/b"), "b").map_err(Error::io(folder))?;
        fs::write(folder.join("a"), "a").map_err(Error::io(folder))
    }

    #[test]
    fn the_folder_appears_when_all_is_written() {
        let place = tempfile::tempdir().unwrap();
        let made = place.path().join("made");
        for target in [made.clone(), place.path().join("far/away"), place.path().join("slash/")] {
            write_new(&target, |draft| {
                put(draft)?;
                assert!(!target.exists(), "half a folder is where a whole one is looked for");
                Ok(())
            })
            .unwrap();
            assert_eq!(names(&target), ["a", "inner"]);
        }
        assert_eq!(names(place.path()), ["far", "made", "slash"]);
        let empty = place.path().join("empty");
        fs::create_dir(&empty).unwrap();
        write_new(&empty, put).unwrap();
        assert_eq!(names(&empty), ["a", "inner"]);
    }

    #[test]
    fn an_error_leaves_nothing_and_what_is_there_stays() {
        let place = tempfile::tempdir().unwrap();
        let made = place.path().join("made");
        let failing = |draft: &Path| put(draft).and_then(|()| fs::read(draft.join("missing")).map(drop).map_err(Error::io(draft)));
        assert!(matches!(write_new(&made, failing), Err(Error::Io { .. })));
        assert!(names(place.path()).is_empty());
        write_new(&made, put).unwrap();
        let error = write_new(&made, |_| unreachable!("the folder is taken")).unwrap_err().to_string();
        assert!(error.contains("made") && error.contains("new or empty"), "{error}");
        assert_eq!(names(place.path()), ["made"]);
        assert_eq!(names(&made), ["a", "inner"]);
    }
}
