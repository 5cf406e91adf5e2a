use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::image;
use crate::{Error, Result};

/// The making of a store's file: beside its place, by one at a time, and then put there whole.
#[derive(Debug)]
pub(super) struct Making {
    path: PathBuf,
    /// Where the file is made.
    pub(super) beside: PathBuf,
    lock: PathBuf,
    /// Locked for as long as it is open.
    _locked: File,
}

/// Makes the file of an empty store at `path`, unless there is a file.
pub(crate) fn make(path: &Path) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    let making = Making::begin(path)?;
    if path.exists() {
        return Ok(());
    }
    let image = image::of_a_new_store()?;
    let written = File::create(&making.beside).and_then(|mut file| file.write_all(&image).and_then(|()| file.sync_all()));
    written.map_err(|error| cannot(path, error))?;
    making.finish()
}

impl Making {
    /// The only making of `path` that is under way.
    pub(super) fn begin(path: &Path) -> Result<Self> {
        let lock = with_ending(path, ".lock");
        let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&lock);
        let locked = opened.map_err(|error| cannot(path, error))?;
        match locked.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), beside: with_ending(path, ".new"), lock, _locked: locked }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => Err(cannot(path, error)),
        }
    }

    /// Puts the file, which is on disk, in its place.
    pub(super) fn finish(self) -> Result<()> {
        fs::rename(&self.beside, &self.path).and_then(|()| sync_folder(&self.path)).map_err(|error| cannot(&self.path, error))
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        // Left over, they are made anew.
        let _ = fs::remove_file(&self.beside);
        let _ = fs::remove_file(&self.lock);
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(OsStr::new(ending));
    PathBuf::from(name)
}

/// A new name is on disk once its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn cannot(path: &Path, error: io::Error) -> Error {
    Error::io(format!("make {}", path.display()), error)
}
