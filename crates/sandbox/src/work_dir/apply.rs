use std::{
    fs,
    io::{self, Read},
    path::{Component, Path, PathBuf},
};

use super::{Changes, Entry, WorkDir};
use crate::{Error, Result, machine};

impl WorkDir {
    /// Does to `target` what commands did to this folder; gives what that was. `target` is trusted to be no trap, and what is carried into it is
    /// not: nothing is written through a symbolic link. What is changed keeps its owner, where the caller is root, and its mode but for who may run it.
    ///
    /// # Errors
    /// [`Error::Invalid`] where a file would have to be written through a link in `target`, or over a folder; [`Error::System`] where one cannot be
    /// written. Some of the changes may have been made by then.
    pub fn apply_to(&self, target: &Path) -> Result<Changes> {
        let now = self.now()?;
        let changes = self.began.changes(&now);
        let failed = |source| Error::System { doing: "carry changes over", source };
        for path in &changes.deleted {
            if way(target, path)? {
                make_way(&target.join(path)).map_err(failed)?;
                prune(&self.path, target, path);
            }
        }
        for path in changes.added.iter().chain(&changes.changed) {
            way(target, path)?;
            for folder in path.ancestors().skip(1).collect::<Vec<_>>().into_iter().rev().filter(|folder| !folder.as_os_str().is_empty()) {
                make_folder(&target.join(folder), None).map_err(failed)?;
            }
            let to = target.join(path);
            if to.symlink_metadata().is_ok_and(|there| there.is_dir()) {
                return Err(Error::Invalid(format!("`{}` is a folder there, and a file here", path.display())));
            }
            if let Some(entry) = now.entries.get(path) {
                self.carry(path, entry, &to).map_err(failed)?;
            }
        }
        Ok(changes)
    }

    /// Carries over what was judged. What was there lends its owner, and a file its mode but for who may run it.
    fn carry(&self, path: &Path, entry: &Entry, to: &Path) -> io::Result<()> {
        let before = to.symlink_metadata().ok();
        match entry {
            Entry::Link(link) => {
                make_way(to)?;
                machine::make_link(link, to)?;
            }
            Entry::File { executable, length, .. } => {
                copy(&self.path, path, to, *length)?;
                match before.as_ref().filter(|before| before.is_file()) {
                    Some(before) => machine::keep_mode(to, before, *executable)?,
                    None => machine::set_mode(to, *executable)?,
                }
            }
            Entry::Folder | Entry::Other => {}
        }
        before.map_or(Ok(()), |before| machine::keep_owner(to, &before))
    }
}

/// Whether the folders that `path` is in are there below `root`.
///
/// # Errors
/// [`Error::Invalid`] where one of them is a link or a file.
fn way(root: &Path, path: &Path) -> Result<bool> {
    inside(path)?;
    for folder in path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
        match root.join(folder).symlink_metadata() {
            Ok(there) if there.is_dir() => {}
            Ok(_) => return Err(Error::Invalid(format!("`{}` is no folder there: nothing is written through it", folder.display()))),
            Err(_) => return Ok(false),
        }
    }
    Ok(true)
}

/// Checks that a path stays where it starts.
pub(super) fn inside(path: &Path) -> Result<()> {
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    if plain && !path.as_os_str().is_empty() {
        return Ok(());
    }
    Err(Error::Invalid(format!("`{}` is no path inside a folder", path.display())))
}

/// Where a link at `path` with this target leads, by names; `None` where that is outside, or where it walks up again from what it walked down to:
/// a name may be another link, and what is above that is not what was before it.
pub(super) fn leads_to(path: &Path, target: &Path) -> Option<PathBuf> {
    let mut place = path.parent()?.to_owned();
    let mut down = false;
    for part in target.components() {
        match part {
            Component::Normal(name) => {
                down = true;
                place.push(name);
            }
            Component::CurDir => {}
            Component::ParentDir if !down && place.pop() => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(place)
}

/// Makes a folder where there is none.
pub(super) fn make_folder(path: &Path, owner: Option<u32>) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.symlink_metadata()?.is_dir() => return Ok(()),
        result => result?,
    }
    machine::set_mode(path, true)?;
    owner.map_or(Ok(()), |user| machine::give(path, user))
}

/// Copies the file at `path` below `root`, at most `length` bytes of it; a link that is there is not written through. Nobody else may read it yet.
pub(super) fn copy(root: &Path, path: &Path, to: &Path, length: u64) -> io::Result<()> {
    make_way(to)?;
    // On Linux this shares blocks where the file system can (`copy_file_range`).
    io::copy(&mut machine::open(root, path)?.take(length), &mut machine::make_file(to)?).map(drop)
}

/// Removes what is at `path`, so that something else can be made there.
pub(super) fn make_way(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes folders that became empty and that are gone in the copy.
fn prune(copy: &Path, target: &Path, path: &Path) {
    for folder in path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
        if copy.join(folder).symlink_metadata().is_ok_and(|there| there.is_dir()) || fs::remove_dir(target.join(folder)).is_err() {
            return;
        }
    }
}
