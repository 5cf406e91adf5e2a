use std::{ffi::OsStr, io::Read, ops::ControlFlow};

use jarre_sandbox::Cancel;

use super::{Folder, Found, Kind, Workspace, ignore::Ignore};
use crate::Result;

/// The deepest that a walk goes.
const DEPTH: usize = 64;
/// The most of a `.gitignore` file that is read, in bytes.
const IGNORE_BYTES: u64 = 64 << 10;
/// The most entries of one folder.
const ENTRIES: usize = 100_000;

/// The most entries that are looked at, those that are left out included.
const WALKED: usize = 200_000;

/// What a walk comes by.
pub(crate) struct Step<'a> {
    /// Relative to the root; what is not UTF-8 is replaced.
    pub(crate) path: String,
    pub(crate) found: Found,
    /// The folder that it is in, and its name there.
    pub(crate) folder: &'a Folder,
    pub(crate) name: &'a OsStr,
}

/// How a walk ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Walked {
    /// Whether the visitor had enough, or there is more than is looked at.
    pub(crate) stopped: bool,
    /// Folders that could not be read, or lie too deep.
    pub(crate) unread: usize,
    /// Names that are not UTF-8, which no path can name.
    pub(crate) unnamed: usize,
    /// Patterns of `.gitignore` files that were not heeded, since they are too long or too many.
    pub(crate) unheeded: usize,
}

impl Workspace {
    /// Visits what lies beneath `path`, folders before what is in them, names in the order of their bytes. Left out are `.git`, what is hidden and,
    /// unless `all`, what `.gitignore` files leave out; links are visited and not followed. The visitor ends the walk with a break, and so does `cancel`.
    pub(crate) fn walk(&self, path: &str, all: bool, cancel: &Cancel, visit: &mut Visit<'_>) -> Result<Walked> {
        self.walk_at_most(WALKED, path, all, cancel, visit)
    }

    fn walk_at_most(&self, most: usize, path: &str, all: bool, cancel: &Cancel, visit: &mut Visit<'_>) -> Result<Walked> {
        let parts = self.parts(path)?;
        let (mut ignore, mut unheeded) = (Ignore::default(), 0);
        let mut folder = self.folder_at(&[], false)?;
        for depth in 0..=parts.len() {
            if !all {
                ignore = with_file(&ignore, &folder, depth, &mut unheeded);
            }
            if depth < parts.len() {
                folder = self.folder_at(&parts[..=depth], false)?;
            }
        }
        let walked = Walked { unheeded, ..Walked::default() };
        let mut walk = Walk { workspace: self, all, left: most, cancel, visit, walked };
        let mut parts = parts;
        walk.walked.stopped = walk.folder(&folder, &mut parts, &ignore).is_break();
        Ok(walk.walked)
    }
}

/// What is done with what a walk comes by.
pub(crate) type Visit<'a> = dyn FnMut(&Step<'_>) -> ControlFlow<()> + 'a;

struct Walk<'a, 'b> {
    workspace: &'a Workspace,
    all: bool,
    /// How many entries may still be looked at.
    left: usize,
    cancel: &'a Cancel,
    visit: &'a mut Visit<'b>,
    walked: Walked,
}

impl Walk<'_, '_> {
    fn folder(&mut self, folder: &Folder, parts: &mut Vec<String>, ignore: &Ignore) -> ControlFlow<()> {
        let Ok(names) = folder.names(ENTRIES) else {
            self.walked.unread += 1;
            return ControlFlow::Continue(());
        };
        for name in names {
            self.walked.unnamed += usize::from(name.to_str().is_none());
            parts.push(name.to_string_lossy().into_owned());
            let flow = self.entry(folder, &name, parts, ignore);
            parts.pop();
            flow?;
        }
        ControlFlow::Continue(())
    }

    fn entry(&mut self, folder: &Folder, name: &OsStr, parts: &mut Vec<String>, ignore: &Ignore) -> ControlFlow<()> {
        if self.left == 0 || self.cancel.is_cancelled() {
            return ControlFlow::Break(());
        }
        self.left -= 1;
        // What was removed meanwhile is not there.
        let Ok(Some(found)) = folder.find(name) else { return ControlFlow::Continue(()) };
        let is_folder = found.kind == Kind::Folder;
        if name == ".git" || self.workspace.hides(parts) || (!self.all && ignore.leaves_out(parts, is_folder)) {
            return ControlFlow::Continue(());
        }
        (self.visit)(&Step { path: parts.join("/"), found, folder, name })?;
        if !is_folder {
            return ControlFlow::Continue(());
        }
        match folder.enter(name) {
            Ok(inner) if parts.len() < DEPTH => {
                let ignore = if self.all { ignore.clone() } else { with_file(ignore, &inner, parts.len(), &mut self.walked.unheeded) };
                self.folder(&inner, parts, &ignore)
            }
            _ => {
                self.walked.unread += 1;
                ControlFlow::Continue(())
            }
        }
    }
}

fn with_file(ignore: &Ignore, folder: &Folder, depth: usize, unheeded: &mut usize) -> Ignore {
    let name = OsStr::new(".gitignore");
    let is_file = folder.find(name).ok().flatten().is_some_and(|found| found.kind == Kind::File);
    let mut bytes = Vec::new();
    let read = is_file && folder.read(name).and_then(|file| file.take(IGNORE_BYTES).read_to_end(&mut bytes)).is_ok();
    if read { ignore.with(&String::from_utf8_lossy(&bytes), depth, unheeded) } else { ignore.clone() }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    /// How many entries were visited, and how the walk ended.
    fn walked(workspace: &Workspace, most: usize, cancel: &Cancel) -> (usize, Walked) {
        let mut visited = 0;
        let walked = workspace.walk_at_most(most, ".", false, cancel, &mut |_| {
            visited += 1;
            ControlFlow::Continue(())
        });
        (visited, walked.unwrap())
    }

    #[test]
    fn what_is_left_out_counts_and_a_walk_can_be_ended() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::open(folder.path()).unwrap();
        workspace.write(".gitignore", "a*\n", "test").unwrap();
        for name in ["a1", "a2", "a3", "b"] {
            workspace.write(name, "", "test").unwrap();
        }
        let cancel = Cancel::new();
        let ended = |stopped| Walked { stopped, ..Walked::default() };
        assert_eq!(walked(&workspace, 5, &cancel), (2, ended(false)));
        assert_eq!(walked(&workspace, 4, &cancel), (1, ended(true)));
        cancel.cancel();
        assert_eq!(walked(&workspace, 5, &cancel), (0, ended(true)));
    }
}
