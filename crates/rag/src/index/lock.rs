//! One writer an index, over all processes: an operating-system lock that dies with its process.

use std::{
    fs::{self, File, TryLockError},
    path::Path,
    process,
};

use super::storage::io_error;
use crate::{Error, Result};

const LOCK: &str = "lock";
/// Beside the lock, not in it: a locked file cannot be read by others on Windows.
const OWNER: &str = "lock.owner";

/// Held for as long as a writer lives.
#[derive(Debug)]
pub(super) struct WriterLock {
    file: File,
}

impl WriterLock {
    pub(super) fn acquire(dir: &Path) -> Result<Self> {
        let path = dir.join(LOCK);
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io_error("open", &path))?;
        match file.try_lock() {
            Ok(()) => Self::announce(dir, file),
            Err(TryLockError::WouldBlock) => Err(Error::InUse { path: dir.to_owned(), by: owner(dir) }),
            Err(TryLockError::Error(source)) => Err(io_error("lock", &path)(source)),
        }
    }

    fn announce(dir: &Path, file: File) -> Result<Self> {
        let path = dir.join(OWNER);
        fs::write(&path, process::id().to_string()).map_err(io_error("write", &path))?;
        Ok(Self { file })
    }
}

/// Gives the lock up by name: a process that was just forked, and has not become another program yet, holds a copy of the file, and closing
/// ours alone would leave it locked until then.
impl Drop for WriterLock {
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// Who holds the lock, as far as they have said.
fn owner(dir: &Path) -> String {
    let pid = fs::read_to_string(dir.join(OWNER)).ok().and_then(|text| text.trim().parse::<u32>().ok());
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}
