use std::{
    fs::{self, File, Metadata, Permissions},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink},
    path::Path,
};

use super::sys;

/// Makes a folder that nobody but its owner may enter.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(path)
}

/// Makes a symbolic link.
pub(crate) fn make_link(target: &Path, path: &Path) -> io::Result<()> {
    symlink(target, path)
}

/// Gives a file, a folder or a link to a user and the group of the same number.
pub(crate) fn give(path: &Path, user: u32) -> io::Result<()> {
    lchown(path, Some(user), Some(user))
}

/// Sets the usual mode of a folder or a program, or that of another file: never with set-user-ID.
pub(crate) fn set_mode(path: &Path, executable: bool) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(if executable { 0o755 } else { 0o644 }))
}

/// Makes a file that nobody but its owner may read.
pub(crate) fn make_file(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

/// Sets the mode of the file that was there before: those who might read it may run it where it is `executable` now and was not, and nobody may
/// where it is not.
pub(crate) fn keep_mode(path: &Path, before: &Metadata, executable: bool) -> io::Result<()> {
    let mode = before.permissions().mode() & 0o777;
    let mode = match executable {
        true if is_executable(before) => mode,
        true => mode | (mode & 0o444) >> 2,
        false => mode & !0o111,
    };
    fs::set_permissions(path, Permissions::from_mode(mode))
}

/// Gives a file or a link to whom that belonged which was there before, where the caller is root.
pub(crate) fn keep_owner(path: &Path, before: &Metadata) -> io::Result<()> {
    if sys::user() == 0 { lchown(path, Some(before.uid()), Some(before.gid())) } else { Ok(()) }
}

pub(crate) fn is_executable(metadata: &Metadata) -> bool {
    metadata.permissions().mode() & 0o111 != 0
}

/// Whether a folder is the caller's, and nobody else's to enter.
pub(crate) fn is_private(metadata: &Metadata) -> bool {
    metadata.uid() == sys::user() && metadata.permissions().mode() & 0o777 == 0o700
}
