use std::path::PathBuf;

use super::{TensorType, ValueType};

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a GGUF file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be read or written.
    #[error("cannot access {}: {source}", path.display())]
    Io {
        /// The file, or `(memory)` or `(reader)`.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is not what its name says.
    #[error("{} is malformed: {field} at byte {offset}: {reason}; fetch it again", path.display())]
    Malformed {
        /// The file, or `(memory)` or `(reader)`.
        path: PathBuf,
        /// What was read, for example ``length of the array `tokenizer.ggml.tokens` ``.
        field: String,
        /// Where the field is.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The file is of a kind that is not read here.
    #[error("{}: {field} is {found}, which is not supported; convert it to {supported}", path.display())]
    Unsupported {
        /// The file, or `(memory)` or `(reader)`.
        path: PathBuf,
        /// For example `version`.
        field: String,
        /// What the file has there.
        found: String,
        /// What would have worked.
        supported: &'static str,
    },
    /// The metadata lacks a key.
    #[error("the metadata has no `{key}`; check which architecture the file is of")]
    MissingKey {
        /// The key.
        key: String,
    },
    /// The value of a key is of another type than it was read as.
    #[error("`{key}` is {found} and not {expected}; read it as what it is")]
    ValueType {
        /// The key.
        key: String,
        /// What the file has there, for example `i32 (-1)`.
        found: String,
        /// What it was read as.
        expected: &'static str,
    },
    /// The file has no such tensor.
    #[error("there is no tensor `{name}`; list those there are with `tensors()`")]
    UnknownTensor {
        /// The name that was asked for.
        name: String,
    },
    /// The tensor is of another type than it was read as.
    #[error("tensor `{name}` is of type {found} and not {expected}; read it with `read_f32`")]
    TensorType {
        /// The tensor.
        name: String,
        /// Its type.
        found: TensorType,
        /// The type that it was read as.
        expected: TensorType,
    },
    /// Memory is too small for a tensor.
    #[error("tensor `{name}` has {elements} elements, which do not fit into memory; read it on a larger machine")]
    TooLarge {
        /// The tensor.
        name: String,
        /// Its elements.
        elements: u64,
    },
    /// Something that no GGUF file can hold.
    #[error("{field} cannot be written: {reason}")]
    Unwritable {
        /// For example ``tensor `output.weight` ``.
        field: String,
        /// What is wrong with it, and what would have worked.
        reason: String,
    },
}

impl Error {
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    pub(super) fn unwritable(field: impl std::fmt::Display, reason: impl Into<String>) -> Self {
        Self::Unwritable { field: field.to_string(), reason: reason.into() }
    }

    pub(super) fn value_type(key: &str, found: impl std::fmt::Display, expected: &'static str) -> Self {
        Self::ValueType { key: key.to_owned(), found: found.to_string(), expected }
    }
}

impl std::fmt::Display for ValueType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
