//! Format `pack-quantized` of compressed-tensors.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{four, group, refuse};
use crate::error::Result;
use crate::weights::int4::{Int4Format, Int4Layout};

/// The entry.
#[derive(Deserialize)]
pub(super) struct PackedFile {
    config_groups: BTreeMap<String, PackedGroup>,
    #[serde(default)]
    kv_cache_scheme: Value,
    #[serde(default)]
    sparsity_config: Value,
    #[serde(default)]
    transform_config: Value,
}

#[derive(Deserialize)]
struct PackedGroup {
    weights: Option<PackedScheme>,
    #[serde(default)]
    input_activations: Value,
    #[serde(default)]
    output_activations: Value,
}

#[derive(Deserialize)]
struct PackedScheme {
    num_bits: u32,
    #[serde(rename = "type")]
    kind: String,
    symmetric: bool,
    strategy: String,
    group_size: Option<i64>,
    #[serde(default)]
    actorder: Value,
    #[serde(default)]
    dynamic: Value,
}

impl PackedFile {
    pub(super) fn format(&self) -> Result<Int4Format> {
        nothing("quantization_config.kv_cache_scheme", &self.kv_cache_scheme)?;
        nothing("quantization_config.transform_config", self.transform_config.get("config_groups").unwrap_or(&Value::Null))?;
        if let Some(format) = self.sparsity_config.get("format").filter(|format| *format != "dense") {
            return Err(refuse("quantization_config.sparsity_config.format", format, "dense"));
        }
        let formats = self.config_groups.values().filter_map(|group| group.format().transpose());
        let formats = formats.collect::<Result<Vec<Int4Format>>>()?;
        match formats.split_first() {
            Some((first, others)) if others.iter().all(|other| other == first) => Ok(*first),
            _ => Err(refuse("quantization_config.config_groups", format!("{formats:?}"), "one scheme of weights, for all groups the same")),
        }
    }
}

impl PackedGroup {
    fn format(&self) -> Result<Option<Int4Format>> {
        nothing("quantization_config.config_groups.input_activations", &self.input_activations)?;
        nothing("quantization_config.config_groups.output_activations", &self.output_activations)?;
        self.weights.as_ref().map(PackedScheme::format).transpose()
    }
}

impl PackedScheme {
    fn format(&self) -> Result<Int4Format> {
        four("quantization_config.config_groups.weights.num_bits", self.num_bits)?;
        if self.kind != "int" {
            return Err(refuse("quantization_config.config_groups.weights.type", &self.kind, "int"));
        }
        if !matches!(self.dynamic, Value::Null | Value::Bool(false)) {
            return Err(refuse("quantization_config.config_groups.weights.dynamic", &self.dynamic, "false"));
        }
        let ordered = !matches!(self.actorder, Value::Null | Value::Bool(false)) && self.actorder != "weight" && self.actorder != "static";
        if ordered {
            return Err(refuse("quantization_config.config_groups.weights.actorder", &self.actorder, "null, weight, static"));
        }
        let group = match (self.strategy.as_str(), self.group_size) {
            ("channel", _) => None,
            ("group", Some(size)) => group(size)?,
            _ => {
                return Err(refuse("quantization_config.config_groups.weights.strategy", &self.strategy, "channel, group with group_size"));
            }
        };
        Ok(Int4Format { layout: Int4Layout::Packed { zero_point: !self.symmetric }, group })
    }
}

/// Refuses a setting that changes what a model computes, unless it is empty.
fn nothing(what: &'static str, value: &Value) -> Result<()> {
    let empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
    if empty { Ok(()) } else { Err(refuse(what, value, "null")) }
}
