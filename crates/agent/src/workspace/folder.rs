use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use rustix::fs::{AtFlags, Dir, FileType, Gid, Mode, OFlags, Uid};

use super::{Found, Kind};

/// An open folder. Names are looked up in it one at a time and never followed where they are links, so that what is opened lies where its path says,
/// whatever others rename meanwhile.
#[derive(Debug)]
pub(crate) struct Folder(OwnedFd);

impl Folder {
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::open(root, flags, Mode::empty())?))
    }

    /// The folder `name` in this one.
    pub(crate) fn enter(&self, name: &OsStr) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::openat(&self.0, name, flags, Mode::empty())?))
    }

    /// Makes the folder `name`, where there is nothing of that name.
    pub(crate) fn make(&self, name: &OsStr) -> io::Result<()> {
        match rustix::fs::mkdirat(&self.0, name, Mode::from_raw_mode(0o777)) {
            Err(rustix::io::Errno::EXIST) => Ok(()),
            made => {
                made?;
                self.give(&self.enter(name)?.0);
                Ok(())
            }
        }
    }

    /// Lets what was made belong to whom this folder belongs to: a superuser who writes for another leaves nothing that the other cannot change.
    /// Where that is not allowed, it belongs to who made it.
    fn give(&self, made: impl AsFd) {
        if let Ok(stat) = rustix::fs::fstat(&self.0) {
            let _ = rustix::fs::fchown(made, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)));
        }
    }

    /// What `name` is; `None` where there is nothing.
    pub(crate) fn find(&self, name: &OsStr) -> io::Result<Option<Found>> {
        let stat = match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            stat => stat?,
        };
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Folder,
            FileType::Symlink => Kind::Link,
            _ => Kind::Other,
        };
        let mode = Mode::from_raw_mode(stat.st_mode).as_raw_mode() & 0o777;
        #[allow(clippy::useless_conversion, reason = "modes have 16 bits on some systems")]
        Ok(Some(Found { kind, size: u64::try_from(stat.st_size).unwrap_or(0), mode: mode.into() }))
    }

    /// Opens the file `name` to read it. Only for what [`find`](Self::find) says is a file; where it was exchanged for a pipe since, this does not
    /// wait for a writer, and the check is made again on what was opened.
    pub(crate) fn read(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&self.0, name, flags, Mode::empty())?);
        if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
    }

    /// Puts `content` in the place of `name` at once: readers see all of the old file or all of the new one.
    pub(crate) fn replace(&self, name: &OsStr, content: &[u8], mode: u32) -> io::Result<()> {
        let (temporary, file) = self.temporary()?;
        self.give(&file);
        let written = fill(file, content, mode).and_then(|()| Ok(rustix::fs::renameat(&self.0, &temporary, &self.0, name)?));
        if written.is_err() {
            // It may be gone already; the first error is the one that matters.
            let _ = rustix::fs::unlinkat(&self.0, &temporary, AtFlags::empty());
        }
        written
    }

    fn temporary(&self) -> io::Result<(OsString, File)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        for _ in 0..1000 {
            let name = OsString::from(format!(".jarre-{}-{}.tmp", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
            match rustix::fs::openat(&self.0, &name, flags, Mode::from_raw_mode(0o600)) {
                Err(rustix::io::Errno::EXIST) => {}
                opened => return Ok((name, File::from(opened?))),
            }
        }
        Err(io::Error::other("there are too many temporary files in the folder"))
    }

    /// Where the link `name` leads.
    pub(crate) fn target(&self, name: &OsStr) -> io::Result<PathBuf> {
        let target = rustix::fs::readlinkat(&self.0, name, Vec::new())?;
        Ok(PathBuf::from(OsStr::from_bytes(target.as_bytes())))
    }

    /// The names in it, but `.` and `..`, in the order of their bytes; at most `limit`.
    pub(crate) fn names(&self, limit: usize) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                names.push(OsStr::from_bytes(name).to_owned());
            }
            if names.len() > limit {
                return Err(io::Error::other(format!("it has more than {limit} entries")));
            }
        }
        names.sort_unstable();
        Ok(names)
    }
}

fn fill(mut file: File, content: &[u8], mode: u32) -> io::Result<()> {
    file.write_all(content)?;
    rustix::fs::fchmod(file.as_fd(), Mode::from_raw_mode(mode as _))?;
    file.sync_data()
}
