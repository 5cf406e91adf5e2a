use std::{
    fmt,
    fs::{self, File},
    io::{self, Read, Seek, Write},
    path::PathBuf,
    thread,
};

use tokio::sync::mpsc;

use super::state_file::Frozen;
use crate::{Error, Result};

/// Bytes that are sent at a time.
const PART: usize = 256 << 10;
/// Parts that are read ahead.
const AHEAD: usize = 4;

/// A snapshot: of this member's state, to be sent, or one that came.
pub(crate) enum SnapshotData {
    Here(Frozen),
    Came(Spool),
}

impl fmt::Debug for SnapshotData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::Here(_)) { "Here" } else { "Came" })
    }
}

impl Frozen {
    /// The snapshot in parts, written while they are taken. Without a thread of its own it is written first.
    pub(super) fn parts(self, threaded: bool) -> Result<mpsc::Receiver<Result<Vec<u8>>>> {
        if threaded {
            let (sender, parts) = mpsc::channel(AHEAD);
            let write = move || {
                let mut out = Parts { sender, part: Vec::new() };
                if let Err(error) = self.write(&mut out) {
                    // Whoever took the parts may have gone away, which is such an error too.
                    let _ = out.sender.blocking_send(Err(error));
                }
            };
            thread::Builder::new().name("kv-snapshot".to_owned()).spawn(write).map_err(|error| Error::io("start a thread", error))?;
            return Ok(parts);
        }
        let mut whole = Vec::new();
        self.write(&mut whole)?;
        let (sender, parts) = mpsc::channel(whole.len() / PART + 1);
        for part in whole.chunks(PART) {
            sender.try_send(Ok(part.to_vec())).expect("there is room for every part");
        }
        Ok(parts)
    }
}

/// Gives what is written away in parts.
struct Parts {
    sender: mpsc::Sender<Result<Vec<u8>>>,
    part: Vec<u8>,
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.part.extend_from_slice(bytes);
        if self.part.len() >= PART {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let part = std::mem::take(&mut self.part);
        if part.is_empty() {
            return Ok(());
        }
        self.sender.blocking_send(Ok(part)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

/// Where a snapshot is kept while it comes. It is gone when it is dropped.
pub(crate) enum Spool {
    File { file: File, path: PathBuf },
    Memory(Vec<u8>),
}

impl Spool {
    /// In a file of that name, which is replaced, or in memory.
    pub(super) fn new(path: Option<PathBuf>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::Memory(Vec::new())) };
        let mut options = File::options();
        let file = options.create(true).truncate(true).read(true).write(true).open(&path);
        let file = file.map_err(|error| Error::io(format!("write {}", path.display()), error))?;
        Ok(Self::File { file, path })
    }

    pub(super) fn add(&mut self, part: &[u8]) -> Result<()> {
        match self {
            Self::File { file, path } => file.write_all(part).map_err(|error| Error::io(format!("write {}", path.display()), error)),
            Self::Memory(bytes) => {
                bytes.extend_from_slice(part);
                Ok(())
            }
        }
    }

    /// What came, from its beginning.
    pub(super) fn reader(&mut self) -> Result<Box<dyn Read + '_>> {
        match self {
            Self::File { file, path } => {
                file.rewind().map_err(|error| Error::io(format!("read {}", path.display()), error))?;
                Ok(Box::new(io::BufReader::new(file)))
            }
            Self::Memory(bytes) => Ok(Box::new(&bytes[..])),
        }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if let Self::File { path, .. } = self {
            // The next one replaces what is left.
            let _ = fs::remove_file(path);
        }
    }
}
