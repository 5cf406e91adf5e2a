use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;

use super::folder::{file_inside, read_json};
use super::int8;
use super::module::TensorSource;
use crate::error::{Error, Result};

const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// The tensors of a Hugging Face folder, by name: headers parsed and checked, values converted to `f32` when they are asked for.
#[derive(Debug)]
pub(crate) struct Weights {
    shards: Vec<Vec<u8>>,
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    shard: usize,
    bytes: Range<usize>,
    dtype: Dtype,
    shape: Vec<usize>,
}

impl Weights {
    /// Reads `model.safetensors`, or the shards that `model.safetensors.index.json` lists.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut weights = Self { shards: Vec::new(), entries: BTreeMap::new() };
        for path in shard_paths(folder)? {
            weights.add_shard(&path)?;
        }
        Ok(weights)
    }

    /// The tensors of one file, which was read from `path`.
    pub(crate) fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self> {
        let mut weights = Self { shards: Vec::new(), entries: BTreeMap::new() };
        weights.add(path, bytes)?;
        Ok(weights)
    }

    /// Names of all tensors.
    #[cfg(feature = "train")]
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Renames tensors; of two that get one name the first in alphabetical order stays.
    pub(crate) fn rename(&mut self, rename: impl Fn(&str) -> String) {
        for (name, entry) in std::mem::take(&mut self.entries) {
            self.entries.entry(rename(&name)).or_insert(entry);
        }
    }

    /// Checks that exactly `expected` tensors are there, with their shapes and in types that can be read; those that `ignored`
    /// accepts may be there too.
    pub(crate) fn check(&self, expected: &[(String, Vec<usize>)], ignored: impl Fn(&str) -> bool) -> Result<()> {
        let mut missing: Vec<String> = Vec::new();
        let mut misshapen = Vec::new();
        for (name, shape) in expected {
            match self.entries.get(name) {
                None => missing.push(name.clone()),
                Some(entry) => misshapen.extend(self.complaint(name, entry, shape, &mut missing)),
            }
        }
        let wanted: std::collections::HashSet<&str> = expected.iter().map(|(name, _)| name.as_str()).collect();
        let known = |name: &str| wanted.contains(name.strip_suffix(int8::SCALE_SUFFIX).unwrap_or(name)) || ignored(name);
        let unexpected: Vec<String> = self.entries.keys().filter(|name| !known(name)).cloned().collect();
        if missing.is_empty() && unexpected.is_empty() && misshapen.is_empty() {
            return Ok(());
        }
        Err(Error::Weights { missing, unexpected, misshapen })
    }

    /// Feeds names, types, shapes and bytes of all tensors to `hasher`, in the order of their names.
    pub(crate) fn hash_into(&self, hasher: &mut blake3::Hasher) {
        for (name, entry) in &self.entries {
            hasher.update(format!("{name} {:?} {:?}\n", entry.dtype, entry.shape).as_bytes());
            hasher.update(self.bytes(entry));
        }
    }

    fn add_shard(&mut self, path: &Path) -> Result<()> {
        self.add(path, std::fs::read(path).map_err(Error::io(path))?)
    }

    /// Adds the tensors of one file.
    fn add(&mut self, path: &Path, bytes: Vec<u8>) -> Result<()> {
        let (header, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| Error::malformed(path, error))?;
        let start = header + size_of::<u64>();
        for (name, info) in metadata.tensors() {
            let range = start + info.data_offsets.0..start + info.data_offsets.1;
            let entry = Entry { shard: self.shards.len(), bytes: range, dtype: info.dtype, shape: info.shape.clone() };
            if self.entries.insert(name.clone(), entry).is_some() {
                return Err(Error::malformed(path, format!("tensor `{name}` is in two files")));
            }
        }
        self.shards.push(bytes);
        Ok(())
    }

    fn bytes(&self, entry: &Entry) -> &[u8] {
        &self.shards[entry.shard][entry.bytes.clone()]
    }

    /// What is wrong with a tensor, if anything; a missing scale goes to `missing`.
    fn complaint(&self, name: &str, entry: &Entry, shape: &[usize], missing: &mut Vec<String>) -> Option<String> {
        if entry.shape != shape {
            return Some(format!("{name} {:?} instead of {shape:?}", entry.shape));
        }
        match entry.dtype {
            Dtype::F32 | Dtype::F16 | Dtype::BF16 => None,
            Dtype::I8 => self.scale_complaint(&scale_name(name), shape, missing),
            other => Some(format!("{name} of type {other:?} instead of F32, F16, BF16 or I8")),
        }
    }

    fn scale_complaint(&self, name: &str, shape: &[usize], missing: &mut Vec<String>) -> Option<String> {
        let Some(scale) = self.entries.get(name) else {
            missing.push(name.to_owned());
            return None;
        };
        let rows = shape.first().copied().unwrap_or(0);
        let fits = (scale.shape == [rows] || scale.shape == [rows, 1]) && scale.dtype == Dtype::F32;
        (!fits).then(|| format!("{name} {:?} {:?} instead of F32 [{rows}, 1]", scale.dtype, scale.shape))
    }
}

impl TensorSource for Weights {
    fn values(&self, name: &str) -> Vec<f32> {
        let entry = self.entries.get(name).expect("check() found every name that is read");
        let bytes = self.bytes(entry);
        match entry.dtype {
            Dtype::I8 => int8::dequantize(bytes, &self.values(&scale_name(name))),
            Dtype::F32 => from_le(bytes, f32::from_le_bytes),
            Dtype::F16 => from_le(bytes, |two| burn::tensor::f16::from_le_bytes(two).to_f32()),
            Dtype::BF16 => from_le(bytes, |two| burn::tensor::bf16::from_le_bytes(two).to_f32()),
            _ => unreachable!("check() refused every other type"),
        }
    }
}

/// Where compressed-tensors keeps the scale of a quantised tensor.
fn scale_name(name: &str) -> String {
    format!("{name}{}", int8::SCALE_SUFFIX)
}

#[derive(Deserialize)]
struct ShardIndex {
    weight_map: BTreeMap<String, String>,
}

fn shard_paths(folder: &Path) -> Result<Vec<PathBuf>> {
    let index = folder.join(INDEX);
    if folder.join(SINGLE).exists() || !index.exists() {
        return Ok(vec![folder.join(SINGLE)]);
    }
    let map = read_json::<ShardIndex>(&index)?.weight_map;
    let files: std::collections::BTreeSet<String> = map.into_values().collect();
    files
        .iter()
        .map(|file| file_inside(folder, file).ok_or_else(|| Error::malformed(&index, format!("`{file}` is not a file name"))))
        .collect()
}

fn from_le<const N: usize>(bytes: &[u8], convert: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| convert(*chunk)).collect()
}
