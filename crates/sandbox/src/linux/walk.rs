use std::{
    ffi::CString,
    fs::{self, File, Metadata},
    io,
    os::{
        fd::{AsFd, AsRawFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
};

use super::sys;

/// Shows `visit` everything below `root`, by its path from there. It may change meanwhile, and whoever fills it may have laid traps: symbolic
/// links are not followed and other file systems not entered. A folder comes before what is in it; else there is no order.
///
/// # Errors
/// Where a part cannot be seen: too deep for a path, a folder that may not be read, or more than `most` entries.
pub(crate) fn walk(root: &Path, most: u64, visit: &mut dyn FnMut(&Path, &Metadata)) -> io::Result<()> {
    let root = File::open(root)?;
    let (mut seen, mut next) = (0, vec![PathBuf::new()]);
    while let Some(path) = next.pop() {
        let folder = match beneath(&root, &path, libc::O_DIRECTORY) {
            Ok(folder) => folder,
            Err(error) if vanished(&error) => continue,
            Err(error) => return Err(error),
        };
        for entry in fs::read_dir(format!("/proc/self/fd/{}", folder.as_raw_fd()))? {
            let Ok(entry) = entry else { continue };
            let Ok(metadata) = entry.metadata() else { continue };
            seen += 1;
            if seen > most {
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {most} files and folders")));
            }
            let path = path.join(entry.file_name());
            visit(&path, &metadata);
            if metadata.is_dir() {
                next.push(path);
            }
        }
    }
    Ok(())
}

/// Opens the file at `path` below `root` to be read, through no symbolic link.
///
/// # Errors
/// Where it is not there, or is not a file.
pub(crate) fn open(root: &Path, path: &Path) -> io::Result<File> {
    let file = beneath(&File::open(root)?, path, 0)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

fn beneath(root: &File, path: &Path, flags: i32) -> io::Result<File> {
    let name = if path.as_os_str().is_empty() { c".".to_owned() } else { CString::new(path.as_os_str().as_bytes())? };
    // A pipe that nobody writes to would be waited for without `O_NONBLOCK`.
    sys::open_beneath(root.as_fd(), &name, flags | libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY).map(File::from)
}

/// Whether a folder was taken away, or became something else, since its name was read.
fn vanished(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENOTDIR | libc::ELOOP | libc::EXDEV))
}
