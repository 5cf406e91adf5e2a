use std::{
    ffi::OsString,
    fs::{self, Metadata},
    path::Path,
    thread,
    time::Duration,
};

use jarre_sandbox::Cancel;

/// The most entries that are looked at.
const ENTRIES: usize = 20_000;
/// Two changes within this time may bear the same time: file systems read a clock that ticks every few milliseconds.
const TICK: Duration = Duration::from_millis(20);

/// What a folder holds, by the sizes and the times of change that its files have: equal before and after a command that changed nothing. Files are not
/// read, and the times cannot be set by a program.
///
/// There is none where that cannot be said: the folder is not here, has too many entries or some that cannot be looked at, or `cancel` was set.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Snapshot(blake3::Hash);

impl Snapshot {
    /// The folder as it is, before a command: what changes once this has returned bears another time.
    pub(super) fn before(dir: &Path, cancel: &Cancel) -> Option<Self> {
        let snapshot = Self::of(dir, cancel)?;
        thread::sleep(TICK);
        Some(snapshot)
    }

    /// The folder as it is.
    pub(super) fn of(dir: &Path, cancel: &Cancel) -> Option<Self> {
        // Elsewhere files have no time of change that programs cannot set.
        if cfg!(not(unix)) {
            return None;
        }
        let mut hasher = blake3::Hasher::new();
        add(&mut hasher, &fs::symlink_metadata(dir).ok()?);
        let (mut folders, mut left) = (vec![dir.to_owned()], ENTRIES);
        while let Some(folder) = folders.pop() {
            let names = names(&folder, left)?;
            left -= names.len();
            hasher.update(&(names.len() as u64).to_le_bytes());
            for name in names {
                let path = folder.join(&name);
                let found = fs::symlink_metadata(&path).ok().filter(|_| !cancel.is_cancelled())?;
                hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_encoded_bytes());
                add(&mut hasher, &found);
                if found.is_dir() {
                    folders.push(path);
                }
            }
        }
        Some(Self(hasher.finalize()))
    }
}

/// The names in a folder in order; `None` where there are more than `most`.
fn names(folder: &Path, most: usize) -> Option<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).ok()? {
        names.push(entry.ok()?.file_name());
        if names.len() > most {
            return None;
        }
    }
    names.sort_unstable();
    Some(names)
}

/// Adds what changes with a file.
#[cfg(unix)]
fn add(hasher: &mut blake3::Hasher, found: &Metadata) {
    use std::os::unix::fs::MetadataExt;
    for number in [found.ino(), found.size(), found.mode().into(), found.ctime().cast_unsigned(), found.ctime_nsec().cast_unsigned()] {
        hasher.update(&number.to_le_bytes());
    }
}

#[cfg(not(unix))]
fn add(_: &mut blake3::Hasher, _: &Metadata) {}
