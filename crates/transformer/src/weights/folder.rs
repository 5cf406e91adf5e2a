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
