use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use burn::tensor::{bf16, f16};
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

    pub(crate) fn i32(shape: Vec<usize>, values: &[i32]) -> Self {
        Self { dtype: Dtype::I32, shape, bytes: values.iter().flat_map(|value| value.to_le_bytes()).collect() }
    }

    pub(crate) fn i64(shape: Vec<usize>, values: &[i64]) -> Self {
        Self { dtype: Dtype::I64, shape, bytes: values.iter().flat_map(|value| value.to_le_bytes()).collect() }
    }

    /// Bfloat16 or float16 where that holds every value to the bit, else float32.
    pub(crate) fn exact(shape: Vec<usize>, values: &[f32]) -> Self {
        let holds = |narrow: fn(f32) -> f32| values.iter().all(|value| narrow(*value).to_bits() == value.to_bits());
        if holds(|value| bf16::from_f32(value).to_f32()) {
            let bytes = values.iter().flat_map(|value| bf16::from_f32(*value).to_le_bytes()).collect();
            Self { dtype: Dtype::BF16, shape, bytes }
        } else if holds(|value| f16::from_f32(value).to_f32()) {
            let bytes = values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect();
            Self { dtype: Dtype::F16, shape, bytes }
        } else {
            Self::f32(shape, values)
        }
    }

    /// What `torch_dtype` calls floats of its type.
    pub(crate) fn torch_dtype(&self) -> &'static str {
        match self.dtype {
            Dtype::BF16 => "bfloat16",
            Dtype::F16 => "float16",
            _ => "float32",
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_take_the_narrowest_type_that_holds_them_all() {
        let cases: [(&[f32], Dtype); 5] = [
            (&[1.0, -0.0, 2.0_f32.powi(100), 0.5], Dtype::BF16),
            (&[1.0, 1.0 + 1.0 / 1024.0], Dtype::F16),
            // 65,536 is beyond float16, and the other one between two of bfloat16.
            (&[65_536.0, 1.0 + 1.0 / 1024.0], Dtype::F32),
            (&[0.1], Dtype::F32),
            (&[f32::from_bits(0x7fc0_0001)], Dtype::F32),
        ];
        for (values, dtype) in cases {
            let stored = Stored::exact(vec![values.len()], values);
            assert_eq!(stored.dtype, dtype, "{values:?}");
            assert_eq!(stored.bytes.len(), values.len() * if dtype == Dtype::F32 { 4 } else { 2 });
        }
    }
}
