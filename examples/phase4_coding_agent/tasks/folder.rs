use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};

/// Writes `files` under `folder`, over what is there.
pub(crate) fn lay(folder: &Path, files: &BTreeMap<String, String>) -> Result<()> {
    for (path, text) in files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
