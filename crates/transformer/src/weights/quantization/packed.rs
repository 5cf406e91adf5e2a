//! Formats `pack-quantized` and `mixed-precision` of compressed-tensors.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{bits, group, refuse};
use crate::error::Result;
use crate::weights::groups::{GroupFormat, GroupLayout};
use crate::weights::int8::WeightScheme;

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
    /// That of the folder where it is not given.
    format: Option<String>,
    weights: Option<Value>,
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
    /// How layers lie in groups in a folder of the format `overall`; nothing where all that are packed have a scale for each row.
    pub(super) fn format(&self, overall: &str) -> Result<Option<GroupFormat>> {
        nothing("quantization_config.kv_cache_scheme", &self.kv_cache_scheme)?;
        nothing("quantization_config.transform_config", self.transform_config.get("config_groups").unwrap_or(&Value::Null))?;
        if let Some(format) = self.sparsity_config.get("format").filter(|format| *format != "dense") {
            return Err(refuse("quantization_config.sparsity_config.format", format, "dense"));
        }
        let packed = self.config_groups.values().filter_map(|group| group.weights.as_ref().map(|weights| (group, weights)));
        let formats: Vec<Option<GroupFormat>> = packed.map(|(group, weights)| group.format(weights, overall)).collect::<Result<_>>()?;
        let groups: Vec<GroupFormat> = formats.iter().flatten().copied().collect();
        match groups.split_first() {
            Some((first, others)) if others.iter().all(|other| other == first) => Ok(Some(*first)),
            None if !formats.is_empty() => Ok(None),
            _ => Err(refuse(
                "quantization_config.config_groups",
                format!("{groups:?}"),
                "one scheme of pack-quantized, for all groups the same",
            )),
        }
    }
}

impl PackedGroup {
    /// Nothing for weights of eight bits with a scale for each row.
    fn format(&self, weights: &Value, overall: &str) -> Result<Option<GroupFormat>> {
        const WEIGHTS: &str = "quantization_config.config_groups.weights";
        match self.format.as_deref().unwrap_or(overall) {
            "pack-quantized" => {
                nothing("quantization_config.config_groups.input_activations", &self.input_activations)?;
                nothing("quantization_config.config_groups.output_activations", &self.output_activations)?;
                parsed::<PackedScheme>(WEIGHTS, weights)?.format().map(Some)
            }
            "int-quantized" if parsed::<WeightScheme>(WEIGHTS, weights)? == WeightScheme::per_row_int8() => Ok(None),
            "int-quantized" => Err(refuse(WEIGHTS, weights, "8 bits, symmetric, strategy channel")),
            other => Err(refuse("quantization_config.config_groups.format", other, "pack-quantized, int-quantized")),
        }
    }
}

fn parsed<T: DeserializeOwned>(what: &'static str, value: &Value) -> Result<T> {
    T::deserialize(value).map_err(|error| refuse(what, format!("{value}: {error}"), "num_bits, type, symmetric, strategy, group_size"))
}

impl PackedScheme {
    fn format(&self) -> Result<GroupFormat> {
        let bits = bits("quantization_config.config_groups.weights.num_bits", self.num_bits)?;
        if self.kind != "int" {
            return Err(refuse("quantization_config.config_groups.weights.type", &self.kind, "int"));
        }
        if !matches!(self.dynamic, Value::Null | Value::Bool(false)) {
            return Err(refuse("quantization_config.config_groups.weights.dynamic", &self.dynamic, "false"));
        }
        let ordered = match &self.actorder {
            Value::Null | Value::Bool(false) => false,
            Value::Bool(true) => true,
            Value::String(order) if order == "weight" || order == "static" => false,
            Value::String(order) if order == "group" || order == "dynamic" => true,
            other => {
                return Err(refuse("quantization_config.config_groups.weights.actorder", other, "null, group, dynamic, weight, static"));
            }
        };
        let group = match (self.strategy.as_str(), self.group_size) {
            ("channel", _) => None,
            ("group", Some(size)) => group(size)?,
            _ => {
                return Err(refuse("quantization_config.config_groups.weights.strategy", &self.strategy, "channel, group with group_size"));
            }
        };
        Ok(GroupFormat { layout: GroupLayout::Packed { zero_point: !self.symmetric, ordered }, bits, group })
    }
}

/// Refuses a setting that changes what a model computes, unless it is empty.
fn nothing(what: &'static str, value: &Value) -> Result<()> {
    let empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
    if empty { Ok(()) } else { Err(refuse(what, value, "null")) }
}
