mod apply;
mod manifest;
mod remove;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::{Error, Result, Sandbox, machine};

use manifest::{Entry, Manifest};

const PREFIX: &str = "jarre-work-";
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A folder that commands in a sandbox may write, deleted when dropped. What a process that was killed left behind is deleted when the next
/// folder is made.
///
/// Nothing in it is believed: whoever reads it from outside must not follow its symbolic links. [`changes`](Self::changes),
/// [`read`](Self::read) and [`apply_to`](Self::apply_to) do not.
#[derive(Debug)]
pub struct WorkDir {
    /// Holds `path`, and keeps others out.
    place: PathBuf,
    path: PathBuf,
    began: Manifest,
    /// The most files and folders, and the most bytes, that are looked at in it.
    most: (u64, u64),
    /// Locked for as long as this is in use.
    _lock: File,
}

/// How a folder differs from what it began as. Files and links, by their paths from the folder, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Those that are new.
    pub added: Vec<PathBuf>,
    /// Those that were there and are something else now.
    pub changed: Vec<PathBuf>,
    /// Those that are gone.
    pub deleted: Vec<PathBuf>,
    /// What cannot be carried over: pipes, sockets, devices, files that cannot be read, links that are new and lead out.
    pub refused: Vec<PathBuf>,
}

impl Changes {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Sandbox {
    /// An empty folder for commands.
    ///
    /// # Errors
    /// [`Error::System`] where it cannot be made.
    pub fn empty_dir(&self) -> Result<WorkDir> {
        let config = self.config();
        let _ = sweep(&config.scratch);
        let made = make(&config.scratch).and_then(|(place, lock)| {
            let path = place.join("files");
            fs::create_dir(&path)?;
            machine::set_mode(&path, true)?;
            self.owner().map_or(Ok(()), |user| machine::give(&path, user))?;
            Ok((place, path, lock))
        });
        let (place, path, lock) = made.map_err(|source| Error::System { doing: "make a folder for commands", source })?;
        Ok(WorkDir {
            place,
            path,
            began: Manifest::default(),
            most: (config.copied_files.saturating_mul(4), config.copied_bytes.saturating_mul(4)),
            _lock: lock,
        })
    }

    /// A copy of `original` for commands. Its blocks are shared where the file system can (Btrfs, XFS); no file is. Symbolic links are copied as
    /// links, which inside lead to what is inside; pipes, sockets and devices are left out.
    ///
    /// # Errors
    /// [`Error::Invalid`] where `original` cannot be read, or is larger than the configuration allows; [`Error::System`] where it cannot be copied.
    pub fn copy_of(&self, original: &Path) -> Result<WorkDir> {
        let config = self.config();
        let unreadable = |error: io::Error| Error::Invalid(format!("`{}` cannot be copied: {error}", original.display()));
        let mut made = self.empty_dir()?;
        made.began = Manifest::of(original, made.began.key(), (config.copied_files, config.copied_bytes)).map_err(unreadable)?;
        made.fill(original, self.owner()).map_err(|source| Error::System { doing: "copy a folder", source })?;
        Ok(made)
    }
}

impl WorkDir {
    /// Where it is on this machine: a command's `dir`.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file, and the folders that it is in, as part of what the folder began as. For use before a command has had the folder.
    ///
    /// # Errors
    /// [`Error::Invalid`] where `path` leads out; [`Error::System`] where it cannot be written.
    pub fn write(&mut self, sandbox: &Sandbox, path: &Path, text: &[u8]) -> Result<()> {
        apply::inside(path)?;
        let to = self.path.join(path);
        let written = || {
            for folder in path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()).collect::<Vec<_>>().into_iter().rev() {
                apply::make_folder(&self.path.join(folder), sandbox.owner())?;
            }
            apply::make_way(&to)?;
            fs::write(&to, text)?;
            machine::set_mode(&to, false)?;
            sandbox.owner().map_or(Ok(()), |user| machine::give(&to, user))
        };
        written().map_err(|source| Error::System { doing: "write into a folder for commands", source })?;
        let entry = self.began.file(text, false);
        self.began.entries.insert(path.to_owned(), entry);
        Ok(())
    }

    /// Reads a file of at most `most` bytes, through no symbolic link.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it is not there, is no file, or is larger.
    pub fn read(&self, path: &Path, most: u64) -> Result<Vec<u8>> {
        use io::Read;
        let read = || {
            let mut text = Vec::new();
            machine::open(&self.path, path)?.take(most.saturating_add(1)).read_to_end(&mut text)?;
            if text.len() as u64 > most { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(text) }
        };
        read().map_err(|error: io::Error| Error::Invalid(format!("`{}` cannot be read: {error}", path.display())))
    }

    /// What commands have done to it.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it holds more than four times what the configuration lets be copied, or is deeper than can be looked at.
    pub fn changes(&self) -> Result<Changes> {
        Ok(self.began.changes(&self.now()?))
    }

    /// What it holds now.
    fn now(&self) -> Result<Manifest> {
        Manifest::of(&self.path, self.began.key(), self.most)
            .map_err(|error| Error::Invalid(format!("what was made in the folder cannot be looked at: {error}")))
    }

    fn fill(&self, original: &Path, owner: Option<u32>) -> io::Result<()> {
        for (path, entry) in &self.began.entries {
            let to = self.path.join(path);
            match entry {
                Entry::Folder => apply::make_folder(&to, owner)?,
                Entry::Link(target) => machine::make_link(target, &to)?,
                Entry::File { executable, length, .. } => {
                    apply::copy(original, path, &to, *length)?;
                    machine::set_mode(&to, *executable)?;
                }
                Entry::Other => continue,
            }
            if let Some(user) = owner {
                machine::give(&to, user)?;
            }
        }
        Ok(())
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        let _ = remove::remove_tree(&self.place);
    }
}

/// Makes a folder and locks it, under a name that is not swept until it has the lock.
fn make(scratch: &Path) -> io::Result<(PathBuf, File)> {
    loop {
        let name = format!("{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let (new, place) = (scratch.join(format!("jarre-new-{name}")), scratch.join(format!("{PREFIX}{name}")));
        match machine::make_private(&new) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            result => result?,
        }
        let lock = File::open(&new)?;
        lock.lock()?;
        if place.exists() {
            fs::remove_dir(&new)?;
            continue;
        }
        fs::rename(&new, &place)?;
        return Ok((place, lock));
    }
}

/// Deletes what processes that are gone have left: folders that nobody has locked. Only such as nobody else could have laid traps in.
fn sweep(scratch: &Path) -> io::Result<()> {
    for entry in fs::read_dir(scratch)? {
        let entry = entry?;
        let named = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        let metadata = entry.metadata()?;
        if named && metadata.is_dir() && machine::is_private(&metadata) {
            let left = File::open(entry.path()).is_ok_and(|folder| folder.try_lock().is_ok());
            if left {
                let _ = remove::remove_tree(&entry.path());
            }
        }
    }
    Ok(())
}
