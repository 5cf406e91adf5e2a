use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::{
    store::StoreArgs,
    tasks::{self, TaskSpec},
};

/// Files that are copied at most.
const MOST: usize = 20_000;
/// What is made anew anyway, or is none of the agent's business.
const LEFT_OUT: [&str; 3] = ["target", ".git", "__pycache__"];

/// Lays a task's files in a new folder.
pub(super) fn lay(folder: &Path, task: &TaskSpec) -> Result<()> {
    let files: BTreeMap<String, String> = task.files.iter().chain(&task.tests).map(|(path, text)| (path.clone(), text.clone())).collect();
    filled(folder, || tasks::lay(folder, &files))
}

/// Copies the files of `repo`, but not those of the store, which can lie in it. Links are left out, because they can lead anywhere.
pub(super) fn copy(repo: &Path, folder: &Path, store: &StoreArgs) -> Result<()> {
    filled(folder, || {
        let repo = repo.canonicalize().with_context(|| format!("there is no folder {}", repo.display()))?;
        Copy { left_out: store.own(), left: MOST }.within(&repo, folder)
    })
}

/// Copies the files of the run `from`, where there are any, as they are now: what its tools did is not undone.
pub(crate) fn copy_again(store: &StoreArgs, from: &str, to: &str) -> Result<()> {
    let (from, to) = (store.folder(from), store.folder(to));
    if from.is_dir() { filled(&to, || Copy { left_out: Vec::new(), left: MOST }.within(&from, &to)) } else { Ok(()) }
}

struct Copy {
    left_out: Vec<PathBuf>,
    /// Files that may still be copied.
    left: usize,
}

impl Copy {
    fn within(&mut self, from: &Path, to: &Path) -> Result<()> {
        for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
            let entry = entry?;
            let (name, path, kind) = (entry.file_name(), entry.path(), entry.file_type()?);
            if LEFT_OUT.iter().any(|left_out| name == *left_out) || self.left_out.contains(&path) {
                continue;
            }
            self.left = self.left.checked_sub(1).with_context(|| format!("there are more than {MOST} files to copy"))?;
            let target = to.join(&name);
            if kind.is_dir() {
                fs::create_dir(&target)?;
                open_to_commands(&target)?;
                self.within(&path, &target)?;
            } else if kind.is_file() {
                fs::copy(&path, &target).with_context(|| format!("cannot copy {}", path.display()))?;
            }
        }
        Ok(())
    }
}

/// Makes the folder and fills it; where that fails, nothing is left of it.
fn filled(folder: &Path, fill: impl FnOnce() -> Result<()>) -> Result<()> {
    if folder.exists() {
        bail!("{} is there already: take another name for the run, or another --db", folder.display());
    }
    let made = make(folder).and_then(|()| fill());
    if made.is_err() {
        // What went wrong before is told.
        let _ = fs::remove_dir_all(folder);
    }
    made
}

fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    open_to_commands(folder)
}

/// Where the caller is root, commands run as a user of their own, who has to be able to write here.
#[cfg(unix)]
fn open_to_commands(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).with_context(|| format!("cannot open {} to commands", folder.display()))
}

#[cfg(not(unix))]
fn open_to_commands(_: &Path) -> Result<()> {
    Ok(())
}
