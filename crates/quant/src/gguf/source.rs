use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Mutex, PoisonError};

/// Where the bytes of a file are; read by position, from any thread.
pub(super) enum Source {
    #[cfg(unix)]
    File(File),
    Memory(Vec<u8>),
    Stream(Mutex<Box<dyn ReadSeek>>),
}

pub(super) trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

impl Source {
    /// A file, and how long it is.
    #[cfg(unix)]
    pub(super) fn file(file: File) -> io::Result<(Self, u64)> {
        let length = file.metadata()?.len();
        Ok((Self::File(file), length))
    }

    /// A file, and how long it is. Reads take turns where the system has no positioned reads that leave the cursor alone.
    #[cfg(not(unix))]
    pub(super) fn file(file: File) -> io::Result<(Self, u64)> {
        Self::stream(file)
    }

    /// Anything that can be read and has positions, and how long it is.
    pub(super) fn stream(mut stream: impl ReadSeek + 'static) -> io::Result<(Self, u64)> {
        let length = stream.seek(SeekFrom::End(0))?;
        Ok((Self::Stream(Mutex::new(Box::new(stream))), length))
    }

    pub(super) fn read_exact_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        match self {
            #[cfg(unix)]
            Self::File(file) => std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset),
            Self::Memory(all) => copy_at(all, offset, bytes),
            Self::Stream(stream) => {
                // Every read seeks first, so that one which panicked leaves nothing behind.
                let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
                stream.seek(SeekFrom::Start(offset))?;
                stream.read_exact(bytes)
            }
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            #[cfg(unix)]
            Self::File(_) => "File",
            Self::Memory(_) => "Memory",
            Self::Stream(_) => "Stream",
        })
    }
}

fn copy_at(all: &[u8], offset: u64, bytes: &mut [u8]) -> io::Result<()> {
    let rest = usize::try_from(offset).ok().and_then(|start| all.get(start..));
    let part = rest.and_then(|rest| rest.get(..bytes.len())).ok_or(io::ErrorKind::UnexpectedEof)?;
    bytes.copy_from_slice(part);
    Ok(())
}
