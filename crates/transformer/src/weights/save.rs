use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use safetensors::{Dtype, View};
use serde::Serialize;

use crate::error::{Error, Result};

/// Writes `model.safetensors` into `folder`, which is made where it is not there.
pub(crate) fn write_safetensors(tensors: Vec<(String, Stored)>, folder: &Path) -> Result<()> {
    write_safetensors_as(tensors, folder, "model.safetensors")
}

/// As [`write_safetensors`], under another name.
pub(crate) fn write_safetensors_as(tensors: Vec<(String, Stored)>, folder: &Path, name: &str) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    let path = folder.join(name);
    safetensors::serialize_to_file(tensors, Some(metadata()), &path).map_err(|error| Error::io(&path)(std::io::Error::other(error)))
}

/// The bytes of a safetensors file.
#[cfg(feature = "train")]
pub(crate) fn to_safetensors(tensors: Vec<(String, Stored)>) -> Result<Vec<u8>> {
    safetensors::serialize(tensors, Some(metadata())).map_err(|error| Error::malformed("safetensors", error))
}

/// Readers in Python ask for the framework that the tensors are of.
fn metadata() -> HashMap<String, String> {
    HashMap::from([("format".to_owned(), "pt".to_owned())])
}

/// Writes `value` as indented JSON.
pub(crate) fn write_json(value: &impl Serialize, path: &Path) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Error::malformed(path, error))?;
    std::fs::write(path, text + "\n").map_err(Error::io(path))
}

/// A tensor on its way into a safetensors file.
pub(crate) struct Stored {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Stored {
    pub(crate) fn f32(shape: Vec<usize>, values: &[f32]) -> Self {
        Self { dtype: Dtype::F32, shape, bytes: values.iter().flat_map(|value| value.to_le_bytes()).collect() }
    }

    pub(crate) fn i8(shape: Vec<usize>, values: &[i8]) -> Self {
        Self { dtype: Dtype::I8, shape, bytes: values.iter().map(|value| value.cast_unsigned()).collect() }
    }
}

impl View for Stored {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}
