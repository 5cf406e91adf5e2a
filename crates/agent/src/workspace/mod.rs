mod change;
mod diff;
#[cfg(unix)]
mod folder;
#[cfg(not(unix))]
#[path = "folder_elsewhere.rs"]
mod folder;
mod found;
mod ignore;
pub(crate) mod text;
mod walk;

use std::{
    ffi::OsStr,
    io::Read,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

pub use self::change::Change;
use self::found::link;
pub(crate) use self::{
    diff::Diff,
    folder::Folder,
    found::{Found, Kind},
    walk::Walked,
};
use crate::{
    Error, Result,
    permission::{glob::Glob, path::NormalPath},
};

/// The folder that file tools work in. Clones are the same folder.
///
/// - Paths are relative to the root. Absolute ones and those that leave it are refused, and no link is followed, also none that stays inside: so
///   a path names one place, and a rule on it holds for what is opened. Each part is opened in the folder before it, so that nobody can
///   exchange a folder for a link between the check and the use.
/// - Only regular files of UTF-8 text are read and written: pipes, devices and sockets are not opened, and nothing waits.
/// - A file is written beside itself and renamed, so that no reader sees a part of it. Permissions stay, other names (hard links) keep the old text.
///
/// What it does not keep from: a hard link that someone made in the folder to a file outside, which cannot be told from a file; and two writers, of
/// which the later one wins. Commands in a sandbox see the folder as a whole, whatever is hidden here.
///
/// ```
/// use jarre_agent::Workspace;
///
/// # let folder = tempfile::tempdir().unwrap();
/// let workspace = Workspace::open(folder.path())?.hiding("secrets/**");
/// workspace.write("src/lib.rs", "fn one() {}\n", "me")?;
/// assert_eq!(workspace.read("src/../src/lib.rs")?, "fn one() {}\n");
/// assert!(workspace.read("../etc/passwd").is_err());
/// assert!(workspace.write("secrets/key", "", "me").is_err());
/// assert_eq!(workspace.changes()[0].by, "me");
/// # Ok::<(), jarre_agent::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
    folder: Arc<Folder>,
    hidden: Vec<Glob>,
    pub(crate) file_bytes: u64,
    changes: Arc<Mutex<Vec<Change>>>,
}

/// The longest path, in bytes, as Linux has it.
const PATH_BYTES: usize = 4096;

impl Workspace {
    /// The folder at `root`, of files of up to 4 MiB.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be opened, or the system is not a Unix.
    pub fn open(root: impl AsRef<Path>) -> Result<Self> {
        let root = root.as_ref();
        let failed = |source| Error::Io { doing: format!("open the folder {}", root.display()), source };
        let root = root.canonicalize().map_err(failed)?;
        let folder = Arc::new(Folder::open(&root).map_err(failed)?);
        Ok(Self { root, folder, hidden: Vec::new(), file_bytes: 4 << 20, changes: Arc::default() })
    }

    /// Leaves out paths that match `glob`, as rules write them: they are neither listed nor searched, read or written.
    /// [`RuleSet::unreadable`](crate::RuleSet::unreadable) gives those that rules deny.
    pub fn hiding(mut self, glob: &str) -> Self {
        self.hidden.push(Glob::new(glob));
        self
    }

    /// Reads and writes files of up to so many bytes.
    pub fn with_file_bytes(mut self, bytes: u64) -> Self {
        self.file_bytes = bytes;
        self
    }

    /// Where the folder is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What was written through this workspace and its clones, in order.
    pub fn changes(&self) -> Vec<Change> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The text of a file.
    ///
    /// # Errors
    /// [`Error::Path`] where the path is refused, or there is no text of a size that is read.
    pub fn read(&self, path: &str) -> Result<String> {
        self.read_file(path).map(|(text, _)| text)
    }

    fn read_file(&self, path: &str) -> Result<(String, u32)> {
        let parts = self.parts(path)?;
        let (name, folder) = self.place(path, &parts, false)?;
        let found = match folder.find(name) {
            Ok(Some(found)) => found,
            Ok(None) => return Err(refused(path, "there is no such file")),
            Err(error) => return Err(refused(path, error)),
        };
        found.check(path, &folder, name)?;
        self.check_size(path, found.size)?;
        let bytes = self.bytes(&folder, name).map_err(|error| refused(path, error))?;
        self.check_size(path, bytes.len() as u64)?;
        Ok((text::decode(bytes).map_err(|reason| refused(path, reason))?, found.mode))
    }

    /// The bytes of a file, one more than is read where it has more.
    pub(crate) fn bytes(&self, folder: &Folder, name: &OsStr) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        folder.read(name)?.take(self.file_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Writes a file, and makes the folders that lead to it. `by` says who does, for [`changes`](Self::changes).
    ///
    /// # Errors
    /// [`Error::Path`] where the path is refused, the text is too long, or something else than a text is there.
    pub fn write(&self, path: &str, text: &str, by: &str) -> Result<Change> {
        self.write_with_diff(path, text, by).map(|(change, _)| change)
    }

    pub(crate) fn write_with_diff(&self, path: &str, text: &str, by: &str) -> Result<(Change, Diff)> {
        let parts = self.parts(path)?;
        self.check_size(path, text.len() as u64)?;
        let (name, folder) = self.place(path, &parts, true)?;
        let old = match folder.find(name).map_err(|error| refused(path, error))? {
            Some(_) => Some(self.read_file(path)?),
            None => None,
        };
        let mode = old.as_ref().map_or(0o644, |(_, mode)| *mode);
        folder.replace(name, text.as_bytes(), mode).map_err(|error| refused(path, error))?;
        let old = old.as_ref().map(|(old, _)| old.as_str());
        let path = parts.join("/");
        let diff = diff::diff(&path, old, text);
        let digest = |text: &str| blake3::hash(text.as_bytes()).to_hex().to_string();
        let (before, after) = (old.map(digest), digest(text));
        let change = Change { path, by: by.to_owned(), before, after, added: diff.added, removed: diff.removed };
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).push(change.clone());
        Ok((change, diff))
    }

    /// The parts of a path that may be used.
    pub(crate) fn parts(&self, path: &str) -> Result<Vec<String>> {
        if path.len() > PATH_BYTES || path.split('/').any(|part| part.len() > 255) {
            let start = text::clipped(path, 60);
            return Err(refused(&start, "the path is too long"));
        }
        if path.contains('\0') {
            return Err(refused(&path.escape_debug().to_string(), "a path has no NUL"));
        }
        if path.starts_with('/') {
            return Err(refused(path, "the path is absolute, give it relative to the folder that you work in"));
        }
        let normal = NormalPath::new(path);
        if !normal.inside {
            return Err(refused(path, "the path leaves the folder that you work in"));
        }
        if (0..=normal.parts.len()).any(|end| self.hides(&normal.parts[..end])) {
            return Err(refused(path, "the path is kept from you"));
        }
        Ok(normal.parts)
    }

    pub(crate) fn hides(&self, parts: &[String]) -> bool {
        !parts.is_empty() && self.hidden.iter().any(|glob| glob.matches(parts))
    }

    /// The folder of these parts.
    pub(crate) fn folder_at(&self, parts: &[String], make: bool) -> Result<Folder> {
        let told = |end: usize| if end == 0 { ".".to_owned() } else { parts[..end].join("/") };
        let mut folder = self.folder.enter(OsStr::new(".")).map_err(|error| refused(&told(0), error))?;
        for (index, part) in parts.iter().enumerate() {
            let (name, path) = (OsStr::new(part), told(index + 1));
            let found = folder.find(name).map_err(|error| refused(&path, error))?;
            match found.map(|found| found.kind) {
                Some(Kind::Folder) => {}
                Some(Kind::Link) => return Err(link(&path, &folder, name)),
                Some(_) => return Err(refused(&path, "it is not a folder")),
                None if make => folder.make(name).map_err(|error| refused(&path, error))?,
                None => return Err(refused(&path, "there is no such folder")),
            }
            folder = folder.enter(name).map_err(|error| refused(&path, error))?;
        }
        Ok(folder)
    }

    fn place<'a>(&self, path: &str, parts: &'a [String], make: bool) -> Result<(&'a OsStr, Folder)> {
        let (name, folder) = parts.split_last().ok_or_else(|| refused(path, "it is a folder"))?;
        Ok((OsStr::new(name), self.folder_at(folder, make)?))
    }

    fn check_size(&self, path: &str, size: u64) -> Result<()> {
        if size <= self.file_bytes {
            return Ok(());
        }
        Err(refused(path, format!("the file is larger than the {} bytes that are read and written", self.file_bytes)))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "texts and errors are given as they come")]
fn refused(path: &str, reason: impl ToString) -> Error {
    Error::Path { path: path.to_owned(), reason: reason.to_string() }
}
