//! Files that are there whole or not at all, also after a crash.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::{Error, Result};

/// Takes the next bytes of a file.
pub(super) type Put<'a> = dyn FnMut(&[u8]) -> Result<()> + 'a;

/// Writes what `write` puts to a draft beside `path`, and renames that. After a crash at any instant `path` holds what it held before, or all
/// that was put; after an error it holds what it held before, and no draft is left.
pub(super) fn replace(path: &Path, write: impl FnOnce(&mut Put<'_>) -> Result<()>) -> Result<()> {
    let draft = draft_of(path);
    let file = File::create_new(&draft).map_err(Error::io(&draft))?;
    let written = write_through(file, &draft, write).and_then(|()| fs::rename(&draft, path).map_err(Error::io(path)));
    if let Err(error) = written {
        // Where that fails too, the first error is the one that says why.
        let _ = fs::remove_file(&draft);
        return Err(error);
    }
    sync_folder(path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

fn write_through(file: File, draft: &Path, write: impl FnOnce(&mut Put<'_>) -> Result<()>) -> Result<()> {
    let mut file = BufWriter::new(file);
    write(&mut |bytes| file.write_all(bytes).map_err(Error::io(draft)))?;
    let file = file.into_inner().map_err(|error| Error::io(draft)(error.into_error()))?;
    file.sync_all().map_err(Error::io(draft))
}

/// A name beside `path` that no other writer of this process has.
fn draft_of(path: &Path) -> PathBuf {
    static DRAFTS: AtomicU64 = AtomicU64::new(0);
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}-{}.draft", std::process::id(), DRAFTS.fetch_add(1, Ordering::Relaxed)));
    name.into()
}

/// Makes a new name durable. Only Unix lets a program sync a folder; elsewhere the file system orders its own metadata.
fn sync_folder(folder: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(folder).and_then(|handle| handle.sync_all()).map_err(Error::io(folder))?;
    }
    Ok(())
}
