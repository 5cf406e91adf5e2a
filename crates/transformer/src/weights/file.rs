use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use jarre_quant::Int8Rows;
use jarre_quant::checkpoint::PackedLayer;
use safetensors::Dtype;
use serde::Deserialize;

use super::folder::{file_inside, read_json};
use super::int8;
use super::module::TensorSource;
use super::shard::{Header, Shard};
use crate::error::{Error, Result};

const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// The tensors of a Hugging Face folder, by name: headers parsed and checked, values converted to `f32` when they are asked for.
#[derive(Debug, Default)]
pub(crate) struct Weights {
    paths: Vec<PathBuf>,
    shards: Vec<Shard>,
    /// The first error of reading: values cannot be refused one by one.
    failed: OnceLock<Error>,
    entries: BTreeMap<String, Entry>,
    /// Matrices that several entries make up.
    pub(super) layers: BTreeMap<String, PackedLayer>,
}

#[derive(Debug)]
struct Entry {
    shard: usize,
    bytes: Range<usize>,
    dtype: Dtype,
    shape: Vec<usize>,
}

/// A tensor that has to be in a file.
#[derive(Debug)]
pub(super) struct Wanted {
    name: String,
    shape: Vec<usize>,
    kind: Kind,
}

/// What a tensor holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Floats, or eight bits beside which a scale stands.
    Values,
    Floats,
    /// Integers of 32 bits, into which smaller ones are packed.
    Words,
    /// Integers of 32 or 64 bits.
    Sizes,
}

impl Wanted {
    pub(super) fn new(name: String, shape: &[usize], kind: Kind) -> Self {
        Self { name, shape: shape.to_vec(), kind }
    }
}

impl Kind {
    /// The types that such a tensor may have, and how to say so.
    fn types(self) -> (&'static [Dtype], &'static str) {
        match self {
            Self::Values => (&[Dtype::F32, Dtype::F16, Dtype::BF16, Dtype::I8], "F32, F16, BF16 or I8"),
            Self::Floats => (&[Dtype::F32, Dtype::F16, Dtype::BF16], "F32, F16 or BF16"),
            Self::Words => (&[Dtype::I32], "I32"),
            Self::Sizes => (&[Dtype::I32, Dtype::I64], "I32 or I64"),
        }
    }
}

impl Weights {
    /// Reads `model.safetensors`, or the shards that `model.safetensors.index.json` lists.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut weights = Self::default();
        for path in shard_paths(folder)? {
            weights.add(&path, Shard::in_memory(&path, std::fs::read(&path).map_err(Error::io(&path))?)?)?;
        }
        Ok(weights)
    }

    /// As [`read`](Self::read), but tensors stay in their files until they are asked for: [`finish`](Self::finish) says whether all could be
    /// read.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let mut weights = Self::default();
        for path in shard_paths(folder)? {
            weights.add(&path, Shard::on_disk(&path)?)?;
        }
        Ok(weights)
    }

    /// What went wrong while tensors were read.
    pub(crate) fn finish(self) -> Result<()> {
        self.failed.into_inner().map_or(Ok(()), Err)
    }

    /// The tensors of one file, which was read from `path`.
    pub(crate) fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self> {
        let mut weights = Self::default();
        weights.add(path, Shard::in_memory(path, bytes)?)?;
        Ok(weights)
    }

    /// The weights `name` `[outputs, inputs]` in four bits, where they lie so.
    pub(crate) fn layer(&self, name: &str) -> Option<&PackedLayer> {
        self.layers.get(name)
    }

    /// The tensor `name` `[rows, columns]` in eight bits with a scale for each row, where it lies so.
    pub(crate) fn int8_rows(&self, name: &str) -> Option<Int8Rows> {
        let entry = self.entries.get(name).filter(|entry| entry.dtype == Dtype::I8)?;
        let [_, columns] = entry.shape[..] else { return None };
        let values = self.bytes(entry).iter().map(|byte| byte.cast_signed()).collect();
        Int8Rows::from_parts(values, self.values(&scale_name(name)), columns).ok()
    }

    /// Names of all tensors.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Renames tensors; of two that get one name the first in alphabetical order stays.
    pub(crate) fn rename(&mut self, rename: impl Fn(&str) -> String) {
        for (name, entry) in std::mem::take(&mut self.entries) {
            self.entries.entry(rename(&name)).or_insert(entry);
        }
    }

    /// Whether a tensor of that name is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// Whether the tensor `name` holds floats, all of them 0.
    pub(super) fn is_zero(&self, name: &str) -> bool {
        let floats = self.entries.get(name).is_some_and(|entry| Kind::Floats.types().0.contains(&entry.dtype));
        floats && self.values(name).iter().all(|&value| value == 0.0)
    }

    /// Checks that exactly `expected` tensors are there, with their shapes and in types that can be read; those that `ignored`
    /// accepts may be there too.
    pub(crate) fn check(&self, expected: &[(String, Vec<usize>)], ignored: impl Fn(&str) -> bool) -> Result<()> {
        let wanted: Vec<Wanted> = expected.iter().map(|(name, shape)| Wanted::new(name.clone(), shape, Kind::Values)).collect();
        self.check_all(&wanted, ignored)
    }

    /// As [`check`](Self::check), with what each tensor holds.
    pub(super) fn check_all(&self, expected: &[Wanted], ignored: impl Fn(&str) -> bool) -> Result<()> {
        let mut missing: Vec<String> = Vec::new();
        let mut misshapen = Vec::new();
        for wanted in expected {
            match self.entries.get(&wanted.name) {
                None => missing.push(wanted.name.clone()),
                Some(entry) => misshapen.extend(self.complaint(wanted, entry, &mut missing)),
            }
        }
        let names: std::collections::HashSet<&str> = expected.iter().map(|wanted| wanted.name.as_str()).collect();
        let scaled = |name: &str| name.strip_suffix(int8::SCALE_SUFFIX).is_some_and(|name| names.contains(name));
        let known = |name: &str| names.contains(name) || scaled(name) || ignored(name);
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
            hasher.update(&self.bytes(entry));
        }
    }

    /// Adds the tensors of one file.
    fn add(&mut self, path: &Path, (shard, Header { start, metadata }): (Shard, Header)) -> Result<()> {
        for (name, info) in metadata.tensors() {
            let range = start + info.data_offsets.0..start + info.data_offsets.1;
            let entry = Entry { shard: self.shards.len(), bytes: range, dtype: info.dtype, shape: info.shape.clone() };
            if self.entries.insert(name.clone(), entry).is_some() {
                return Err(Error::malformed(path, format!("tensor `{name}` is in two files")));
            }
        }
        self.paths.push(path.to_owned());
        self.shards.push(shard);
        Ok(())
    }

    /// Values of `name`, which is known to hold words.
    pub(super) fn words(&self, name: &str) -> Vec<i32> {
        from_le(&self.bytes(self.entry(name)), i32::from_le_bytes)
    }

    /// Values of `name`, which is known to hold sizes; those below 0 become larger than any size is.
    pub(super) fn sizes(&self, name: &str) -> Vec<u64> {
        let entry = self.entry(name);
        match entry.dtype {
            Dtype::I64 => from_le(&self.bytes(entry), u64::from_le_bytes),
            _ => from_le(&self.bytes(entry), |four| i64::from(i32::from_le_bytes(four)).cast_unsigned()),
        }
    }

    fn entry(&self, name: &str) -> &Entry {
        self.entries.get(name).expect("check() found every name that is read")
    }

    fn bytes(&self, entry: &Entry) -> Cow<'_, [u8]> {
        self.bytes_at(entry, 0..entry.bytes.len())
    }

    /// Some bytes of a tensor; zeros where the file cannot be read.
    fn bytes_at(&self, entry: &Entry, range: Range<usize>) -> Cow<'_, [u8]> {
        let place = entry.bytes.start + range.start..entry.bytes.start + range.end;
        self.shards[entry.shard].bytes(place).unwrap_or_else(|error| {
            // The first one counts.
            let _ = self.failed.set(Error::io(&self.paths[entry.shard])(error));
            Cow::Owned(vec![0; range.len()])
        })
    }

    /// The tensor `name`, where its own values lie in the file, and its rows.
    fn readable(&self, name: &str) -> Option<(&Entry, usize)> {
        let entry = if self.layers.contains_key(name) { None } else { self.entries.get(name) };
        entry.and_then(|entry| Some((entry, *entry.shape.first().filter(|rows| **rows > 0)?)))
    }

    /// What is wrong with a tensor, if anything; a missing scale goes to `missing`.
    fn complaint(&self, wanted: &Wanted, entry: &Entry, missing: &mut Vec<String>) -> Option<String> {
        let Wanted { name, shape, kind } = wanted;
        if entry.shape != *shape {
            return Some(format!("{name} {:?} instead of {shape:?}", entry.shape));
        }
        match (entry.dtype, kind.types()) {
            (other, (types, said)) if !types.contains(&other) => Some(format!("{name} of type {other:?} instead of {said}")),
            (Dtype::I8, _) => self.scale_complaint(&scale_name(name), shape, missing),
            _ => None,
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
        if let Some(layer) = self.layers.get(name) {
            return layer.dequantize();
        }
        let entry = self.entry(name);
        floats(entry.dtype, &self.bytes(entry), || self.values(&scale_name(name)))
    }

    fn rows(&self, name: &str, rows: Range<usize>) -> Option<Vec<f32>> {
        let (entry, count) = self.readable(name)?;
        let width = entry.bytes.len() / count;
        let bytes = self.bytes_at(entry, rows.start * width..rows.end * width);
        Some(floats(entry.dtype, &bytes, || self.values(&scale_name(name))[rows].to_vec()))
    }

    fn columns(&self, name: &str, columns: Range<usize>) -> Option<Vec<f32>> {
        let (entry, count) = self.readable(name)?;
        let size = entry.bytes.len() / entry.shape.iter().product::<usize>().max(1);
        let width = entry.bytes.len() / count;
        let mut bytes = Vec::with_capacity(count * columns.len() * size);
        for row in 0..count {
            let start = row * width;
            bytes.extend_from_slice(&self.bytes_at(entry, start + columns.start * size..start + columns.end * size));
        }
        Some(floats(entry.dtype, &bytes, || self.values(&scale_name(name))))
    }
}

/// Bytes as values; `scales` are those of the rows that they belong to, for eight bits.
fn floats(dtype: Dtype, bytes: &[u8], scales: impl FnOnce() -> Vec<f32>) -> Vec<f32> {
    match dtype {
        Dtype::I8 => int8::dequantize(bytes, &scales()),
        Dtype::F32 => from_le(bytes, f32::from_le_bytes),
        Dtype::F16 => from_le(bytes, |two| burn::tensor::f16::from_le_bytes(two).to_f32()),
        Dtype::BF16 => from_le(bytes, |two| burn::tensor::bf16::from_le_bytes(two).to_f32()),
        _ => unreachable!("check() refused every other type"),
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

fn from_le<const N: usize, T>(bytes: &[u8], convert: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| convert(*chunk)).collect()
}
