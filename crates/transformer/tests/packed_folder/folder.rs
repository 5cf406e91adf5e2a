//! Folders of fixtures whose linear layers are stored in another way.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use safetensors::{Dtype, SafeTensors, View};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::layer::{Groups, Layer};

/// A tensor as a file holds it.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Stored {
    pub(crate) fn new(dtype: Dtype, shape: &[usize], bytes: Vec<u8>) -> Self {
        Self { dtype, shape: shape.to_vec(), bytes }
    }

    pub(crate) fn floats(shape: &[usize], values: &[f32]) -> Self {
        Self::new(Dtype::F32, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    /// Integers `[rows, columns]`.
    pub(crate) fn words(shape: &[usize; 2], word: impl Fn(usize, usize) -> u32) -> Self {
        let places = (0..shape[0]).flat_map(|row| (0..shape[1]).map(move |column| (row, column)));
        Self::new(Dtype::I32, shape, places.flat_map(|(row, column)| word(row, column).to_le_bytes()).collect())
    }

    pub(crate) fn with_shape(mut self, shape: &[usize]) -> Self {
        self.shape = shape.to_vec();
        self
    }

    fn values(&self) -> Vec<f32> {
        self.bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
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

/// How the layers of a folder are stored.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Format {
    Awq,
    Gptq { bits: u32, second: bool, index: bool },
    Packed { bits: u32, symmetric: bool, index: bool },
}

impl Format {
    fn bits(self) -> u32 {
        match self {
            Self::Awq => 4,
            Self::Gptq { bits, .. } | Self::Packed { bits, .. } => bits,
        }
    }
}

/// A folder on its way to the disk.
pub(crate) struct Folder {
    pub(crate) config: Value,
    pub(crate) tensors: BTreeMap<String, Stored>,
}

impl Folder {
    /// A fixture as it is.
    pub(crate) fn read(family: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/families").join(family);
        let config = serde_json::from_slice(&std::fs::read(folder.join("config.json")).unwrap()).unwrap();
        let bytes = std::fs::read(folder.join("model.safetensors")).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let tensors =
            file.iter().map(|(name, tensor)| (name.to_owned(), Stored::new(tensor.dtype(), tensor.shape(), tensor.data().to_vec())));
        Self { config, tensors: tensors.collect() }
    }

    /// A fixture with the matrices that `which` accepts rounded and stored in a format.
    pub(crate) fn rounded(family: &str, format: Format, groups: Groups, which: impl Fn(&str) -> bool) -> Self {
        Self::read(family).round(format, Some(format), groups, which)
    }

    /// The same, multiplied out again.
    pub(crate) fn twin(family: &str, format: Format, groups: Groups, which: impl Fn(&str) -> bool) -> Self {
        Self::read(family).round(format, None, groups, which)
    }

    /// Rounds as the tool of `rule` does, and stores in a format, or as floats.
    fn round(mut self, rule: Format, stored: Option<Format>, groups: Groups, which: impl Fn(&str) -> bool) -> Self {
        let symmetric = matches!(rule, Format::Packed { symmetric: true, .. });
        for (name, tensor) in std::mem::take(&mut self.tensors) {
            let (Ok(dims), true) = (<[usize; 2]>::try_from(&tensor.shape[..]), which(&name)) else {
                self.tensors.insert(name, tensor);
                continue;
            };
            let layer = Layer::round(&tensor.values(), dims, groups, symmetric, rule.bits());
            let stem = name.strip_suffix(".weight").unwrap();
            let stored = match stored {
                None => vec![("weight", Stored::floats(&dims, &layer.values()))],
                Some(Format::Awq) => layer.awq(),
                Some(Format::Gptq { second, index, .. }) => layer.gptq(second, index),
                Some(Format::Packed { symmetric, index, .. }) => layer.packed(symmetric, index),
            };
            self.tensors.extend(stored.into_iter().map(|(ending, tensor)| (format!("{stem}.{ending}"), tensor)));
        }
        if let Some(format) = stored {
            self.config["quantization_config"] = entry(format, groups);
        }
        self
    }

    pub(crate) fn write(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), self.config.to_string()).unwrap();
        let path = folder.path().join("model.safetensors");
        safetensors::serialize_to_file(self.tensors.clone(), None, &path).unwrap();
        folder
    }
}

/// The `quantization_config` that the tool writes.
fn entry(format: Format, groups: Groups) -> Value {
    let (group, strategy) = match groups {
        Groups::Neighbours(group) | Groups::Scattered(group) => (json!(group), "group"),
        Groups::Row => (json!(-1), "channel"),
    };
    let ordered = matches!(groups, Groups::Scattered(_));
    match format {
        Format::Awq => json!({ "quant_method": "awq", "bits": 4, "group_size": group, "zero_point": true, "version": "gemm",
                               "backend": "autoawq", "do_fuse": false, "modules_to_not_convert": null }),
        Format::Gptq { bits, second, .. } => {
            json!({ "quant_method": "gptq", "bits": bits, "group_size": group, "desc_act": ordered, "sym": false, "damp_percent": 0.1,
                    "checkpoint_format": if second { "gptq_v2" } else { "gptq" }, "true_sequential": true })
        }
        Format::Packed { bits, symmetric, .. } => {
            let size = if strategy == "group" { group } else { Value::Null };
            let weights = json!({ "num_bits": bits, "type": "int", "symmetric": symmetric, "strategy": strategy, "group_size": size,
                                  "actorder": if ordered { json!("group") } else { Value::Null }, "block_structure": null, "dynamic": false, "observer": "minmax" });
            let group = json!({ "targets": ["Linear"], "weights": weights, "input_activations": null, "output_activations": null });
            json!({ "quant_method": "compressed-tensors", "format": "pack-quantized", "quantization_status": "compressed",
                    "config_groups": { "group_0": group }, "ignore": ["lm_head"], "kv_cache_scheme": null })
        }
    }
}
