use std::fs::{self, File};
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// `path` parsed as JSON.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    serde_json::from_slice(&bytes).map_err(|error| Error::malformed(path, error))
}

/// `folder/name` where `name` is one plain component, so that no file of a model can point outside its folder.
pub(crate) fn file_inside(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut components = Path::new(name).components();
    match (components.next(), components.next()) {
        (Some(Component::Normal(_)), None) => Some(folder.join(name)),
        _ => None,
    }
}

/// As [`read_json`], nothing where there is no such file.
pub(crate) fn read_json_if_there<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    if path.exists() { read_json(path).map(Some) } else { Ok(None) }
}

/// What a tokenizer may consist of beside `tokenizer_config.json`.
pub(crate) const TOKENIZER: [&str; 8] = [
    "tokenizer.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "tokenizer.model",
];

/// Copies a file to a folder that may have to be made, unless it is not there.
pub(crate) fn copy_if_there(from: &Path, to: &Path) -> Result<()> {
    if !from.exists() {
        return Ok(());
    }
    let folder = to.parent().expect("the target is a file inside a folder");
    fs::create_dir_all(folder).map_err(Error::io(folder))?;
    fs::copy(from, to).map(drop).map_err(Error::io(to))
}

/// Makes new names in `folder` durable. Only Unix lets a program sync a folder; elsewhere the file system orders its own metadata.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(folder).and_then(|handle| handle.sync_all()).map_err(Error::io(folder))?;
    }
    Ok(())
}

/// A value, or a list of them, as files write ids and names.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    pub(crate) fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_the_folder_are_refused() {
        let folder = Path::new("model");
        assert_eq!(file_inside(folder, "1_Pooling"), Some(folder.join("1_Pooling")));
        for name in ["..", "../x", "/etc", "a/b", ".", ""] {
            assert_eq!(file_inside(folder, name), None, "{name}");
        }
    }
}
