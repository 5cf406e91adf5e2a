use std::{fs, io, path::Path};

use crate::machine;

/// Deletes a folder and all in it, whatever was done to make that hard: folders that may not be read are opened up, and ones that are deeper
/// than a path can say are lifted out level by level.
pub(super) fn remove_tree(root: &Path) -> io::Result<()> {
    let mut lifted = 0_u64;
    loop {
        let mut left = false;
        for entry in fs::read_dir(root)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                left = true;
                empty(root, &entry.path(), &mut lifted)?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        if !left {
            return fs::remove_dir(root);
        }
    }
}

/// Deletes the files of `folder` and the folder, and lifts the folders in it up to `root`.
fn empty(root: &Path, folder: &Path, lifted: &mut u64) -> io::Result<()> {
    machine::set_mode(folder, true)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            // Another's folder can only be moved by who may write it.
            machine::set_mode(&entry.path(), true)?;
            let mut to = root.join(format!("lifted-{lifted}"));
            while to.symlink_metadata().is_ok() {
                *lifted += 1;
                to = root.join(format!("lifted-{lifted}"));
            }
            fs::rename(entry.path(), to)?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    fs::remove_dir(folder)
}
