use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, bail};

use crate::tasks::{self, TaskSpec};

/// Files that are copied at most.
const MOST: usize = 20_000;
/// What is made anew anyway, or is none of the agent's business.
const LEFT_OUT: [&str; 3] = ["target", ".git", "__pycache__"];

/// Lays a task's files in a new folder.
pub(super) fn lay(folder: &Path, task: &TaskSpec) -> Result<()> {
    make(folder)?;
    let files: BTreeMap<String, String> = task.files.iter().chain(&task.tests).map(|(path, text)| (path.clone(), text.clone())).collect();
    tasks::lay(folder, &files)
}

/// Copies the files of `repo`; links are left out, because they can lead anywhere.
pub(super) fn copy(repo: &Path, folder: &Path) -> Result<()> {
    make(folder)?;
    let mut left = MOST;
    copy_within(repo, folder, &mut left)
}

fn copy_within(from: &Path, to: &Path, left: &mut usize) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        if LEFT_OUT.iter().any(|left_out| name == *left_out) {
            continue;
        }
        *left = left.checked_sub(1).with_context(|| format!("{} has more than {MOST} files", from.display()))?;
        let target = to.join(&name);
        if kind.is_dir() {
            fs::create_dir(&target)?;
            open_to_commands(&target)?;
            copy_within(&entry.path(), &target, left)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target).with_context(|| format!("cannot copy {}", entry.path().display()))?;
        }
    }
    Ok(())
}

fn make(folder: &Path) -> Result<()> {
    if folder.exists() {
        bail!("{} is there already: take another name for the run, or another --db", folder.display());
    }
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
