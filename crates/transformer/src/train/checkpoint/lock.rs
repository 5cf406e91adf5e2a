//! One training a folder, over all processes: an operating-system lock that dies with its process.

use std::{
    fs::{self, File, TryLockError},
    path::Path,
    process,
};

use crate::error::{Error, Result};

const LOCK: &str = "lock";
/// Beside the lock, not in it: a locked file cannot be read by others on Windows.
const OWNER: &str = "lock.owner";

/// Held for as long as a store lives.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    pub(super) fn acquire(dir: &Path) -> Result<Self> {
        let path = dir.join(LOCK);
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(Error::io(&path))?;
        match file.try_lock() {
            Ok(()) => Self::announce(dir, file),
            Err(TryLockError::WouldBlock) => Err(Error::InUse { path: dir.to_owned(), by: owner(dir) }),
            Err(TryLockError::Error(source)) => Err(Error::io(path)(source)),
        }
    }

    fn announce(dir: &Path, file: File) -> Result<Self> {
        let path = dir.join(OWNER);
        fs::write(&path, process::id().to_string()).map_err(Error::io(path))?;
        Ok(Self { file })
    }
}

/// Gives the lock up by name: a process that was just forked, and has not become another program yet, holds a copy of the file, and closing
/// ours alone would leave it locked until then.
impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// Who holds the lock, as far as they have said.
fn owner(dir: &Path) -> String {
    let pid = fs::read_to_string(dir.join(OWNER)).ok().and_then(|text| text.trim().parse::<u32>().ok());
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}
