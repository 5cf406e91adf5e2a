//! The `quantization_config` of `config.json`: in which of the ways that are read here a folder keeps its weights.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::int4::{Int4Format, Int4Layout};
use super::int8::WeightScheme;
use crate::error::{Error, Result};

const INT8: &str = "compressed-tensors int-quantized (8 bits, symmetric, strategy channel)";
const INT8_OR_INT4: &str = "compressed-tensors int-quantized (8 bits, symmetric, strategy channel) and pack-quantized (4 bits), awq (4 bits, \
                            version gemm), gptq (4 bits)";

/// The entry, whose fields depend on the tool that wrote it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct QuantizationConfig {
    quant_method: String,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

impl QuantizationConfig {
    /// Refuses everything but weights of eight bits.
    pub(crate) fn int8(&self) -> Result<()> {
        self.int8_or(INT8)
    }

    /// How linear layers lie in four bits; nothing where weights have eight. Everything else is refused.
    pub(crate) fn int4(&self) -> Result<Option<Int4Format>> {
        match (self.quant_method.as_str(), self.format()) {
            ("awq", _) => self.parse::<AwqFile>()?.format().map(Some),
            ("gptq", _) => self.parse::<GptqFile>()?.format().map(Some),
            ("compressed-tensors", "pack-quantized") => self.parse::<PackedFile>()?.format().map(Some),
            _ => self.int8_or(INT8_OR_INT4).map(|()| None),
        }
    }

    fn int8_or(&self, supported: &'static str) -> Result<()> {
        let method = format!("{} {}", self.quant_method, self.format());
        if method != "compressed-tensors int-quantized" {
            return Err(refuse("quantization", method.trim_end(), supported));
        }
        let groups = self.parse::<RowFile>()?.config_groups;
        match groups.into_values().filter_map(|group| group.weights).find(|scheme| *scheme != WeightScheme::per_row_int8()) {
            Some(scheme) => Err(refuse("quantization", format!("{method} {scheme:?}"), supported)),
            None => Ok(()),
        }
    }

    fn format(&self) -> &str {
        self.fields.get("format").and_then(Value::as_str).unwrap_or_default()
    }

    fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        let refused = |error| refuse("quantization_config", format!("{}: {error}", self.quant_method), INT8_OR_INT4);
        serde_json::from_value(Value::Object(self.fields.clone())).map_err(refused)
    }
}

/// `int-quantized`.
#[derive(Deserialize)]
struct RowFile {
    #[serde(default)]
    config_groups: BTreeMap<String, RowGroup>,
}

#[derive(Deserialize)]
struct RowGroup {
    weights: Option<WeightScheme>,
}

#[derive(Deserialize)]
struct AwqFile {
    bits: u32,
    group_size: i64,
    zero_point: Option<bool>,
    version: Option<String>,
    checkpoint_format: Option<String>,
}

impl AwqFile {
    fn format(&self) -> Result<Int4Format> {
        four("quantization_config.bits", self.bits)?;
        let version = self.version.as_ref().or(self.checkpoint_format.as_ref()).map_or("gemm", String::as_str);
        if !version.eq_ignore_ascii_case("gemm") {
            return Err(refuse("quantization_config.version", version, "gemm"));
        }
        if self.zero_point == Some(false) {
            return Err(refuse("quantization_config.zero_point", false, "true"));
        }
        Ok(Int4Format { layout: Int4Layout::Awq, group: group(self.group_size)? })
    }
}

#[derive(Deserialize)]
struct GptqFile {
    bits: u32,
    group_size: i64,
    desc_act: Option<bool>,
    checkpoint_format: Option<String>,
    is_marlin_format: Option<bool>,
}

impl GptqFile {
    fn format(&self) -> Result<Int4Format> {
        four("quantization_config.bits", self.bits)?;
        if self.is_marlin_format == Some(true) {
            return Err(refuse("quantization_config.is_marlin_format", true, "false"));
        }
        let second = match self.checkpoint_format.as_deref().unwrap_or("gptq") {
            "gptq" => false,
            "gptq_v2" => true,
            other => return Err(refuse("quantization_config.checkpoint_format", other, "gptq, gptq_v2")),
        };
        let layout = Int4Layout::Gptq { ordered: self.desc_act == Some(true), second };
        Ok(Int4Format { layout, group: group(self.group_size)? })
    }
}

/// `pack-quantized`.
#[derive(Deserialize)]
struct PackedFile {
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
    fn format(&self) -> Result<Int4Format> {
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

fn refuse(what: &'static str, found: impl std::fmt::Display, supported: &'static str) -> Error {
    Error::Unsupported { what, found: found.to_string(), supported }
}

fn four(what: &'static str, bits: u32) -> Result<()> {
    if bits == 4 { Ok(()) } else { Err(refuse(what, bits, "4")) }
}

fn group(size: i64) -> Result<Option<NonZeroUsize>> {
    if size == -1 {
        return Ok(None);
    }
    let group = usize::try_from(size).ok().and_then(NonZeroUsize::new);
    group.map(Some).ok_or_else(|| refuse("quantization_config.group_size", size, "-1 for all inputs of a layer, or at least 1"))
}

/// Refuses a setting that changes what a model computes, unless it is empty.
fn nothing(what: &'static str, value: &Value) -> Result<()> {
    let empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
    if empty { Ok(()) } else { Err(refuse(what, value, "null")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(json: Value) -> QuantizationConfig {
        serde_json::from_value(json).unwrap()
    }

    /// `base` with some of its fields in another way.
    fn changed(mut base: Value, path: &str, value: Value) -> QuantizationConfig {
        let (parent, field) = path.rsplit_once('/').unwrap();
        base.pointer_mut(parent).unwrap()[field] = value;
        config(base)
    }

    fn packed() -> Value {
        let weights = json!({ "num_bits": 4, "type": "int", "symmetric": true, "strategy": "group", "group_size": 32, "dynamic": false });
        let group = json!({ "weights": weights, "input_activations": null, "targets": ["Linear"] });
        json!({ "quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups": { "group_0": group }, "ignore": ["lm_head"] })
    }

    #[test]
    fn other_schemes_of_rows_are_refused() {
        let config = |format: &str, bits: u32| {
            let weights = json!({ "num_bits": bits, "type": "int", "symmetric": true, "strategy": "channel" });
            let json = json!({ "quant_method": "compressed-tensors", "format": format, "config_groups": { "g": { "weights": weights } } });
            config(json).int8()
        };
        assert!(config("int-quantized", 8).is_ok());
        assert!(config("pack-quantized", 8).is_err());
        assert!(config("int-quantized", 4).unwrap_err().to_string().contains("num_bits: 4"));
    }

    #[test]
    fn each_tool_is_understood() {
        let group = NonZeroUsize::new(32);
        let awq = json!({ "quant_method": "awq", "bits": 4, "group_size": 32, "zero_point": true, "version": "GEMM" });
        assert_eq!(config(awq.clone()).int4().unwrap(), Some(Int4Format { layout: Int4Layout::Awq, group }));
        assert!(config(awq).int8().is_err(), "encoders read no four bits");
        let gptq =
            json!({ "quant_method": "gptq", "bits": 4, "group_size": -1, "desc_act": true, "sym": true, "checkpoint_format": "gptq_v2" });
        let layout = Int4Layout::Gptq { ordered: true, second: true };
        assert_eq!(config(gptq).int4().unwrap(), Some(Int4Format { layout, group: None }));
        let layout = Int4Layout::Packed { zero_point: false };
        assert_eq!(config(packed()).int4().unwrap(), Some(Int4Format { layout, group }));
        let channel = changed(packed(), "/config_groups/group_0/weights/strategy", json!("channel")).int4().unwrap();
        assert_eq!(channel, Some(Int4Format { layout, group: None }));
    }

    #[test]
    fn what_is_not_read_is_named() {
        let awq = || json!({ "quant_method": "awq", "bits": 4, "group_size": 128 });
        let gptq = || json!({ "quant_method": "gptq", "bits": 4, "group_size": 128 });
        let cases = [
            (changed(awq(), "/version", json!("gemv")), "version `gemv`", "supported: gemm"),
            (changed(awq(), "/checkpoint_format", json!("gemv_fast")), "version `gemv_fast`", "supported: gemm"),
            (changed(awq(), "/zero_point", json!(false)), "zero_point `false`", "supported: true"),
            (changed(awq(), "/bits", json!("four")), "invalid type", "supported: "),
            (changed(gptq(), "/bits", json!(8)), "bits `8`", "supported: 4"),
            (changed(gptq(), "/group_size", json!(0)), "group_size `0`", "-1"),
            (changed(gptq(), "/group_size", json!(-2)), "group_size `-2`", "-1"),
            (changed(gptq(), "/checkpoint_format", json!("marlin")), "checkpoint_format `marlin`", "gptq_v2"),
            (changed(gptq(), "/is_marlin_format", json!(true)), "is_marlin_format `true`", "false"),
            (changed(packed(), "/kv_cache_scheme", json!({ "num_bits": 8 })), "kv_cache_scheme", "null"),
            (changed(packed(), "/sparsity_config", json!({ "format": "sparse-24-bitmask" })), "sparse-24", "dense"),
            (changed(packed(), "/transform_config", json!({ "config_groups": { "R1": {} } })), "transform_config", "null"),
            (changed(packed(), "/config_groups/group_0/input_activations", json!({ "num_bits": 8 })), "input_activations", "null"),
            (changed(packed(), "/config_groups/group_0/weights/num_bits", json!(8)), "num_bits `8`", "supported: 4"),
            (changed(packed(), "/config_groups/group_0/weights/type", json!("float")), "type `float`", "int"),
            (changed(packed(), "/config_groups/group_0/weights/strategy", json!("tensor")), "strategy `tensor`", "channel, group"),
            (changed(packed(), "/config_groups/group_0/weights/actorder", json!("group")), "actorder `\"group\"`", "static"),
            (changed(packed(), "/config_groups", json!({})), "config_groups `[]`", "one scheme"),
            (config(json!({ "quant_method": "bitsandbytes", "load_in_4bit": true })), "bitsandbytes", "awq (4 bits"),
        ];
        for (config, found, supported) in cases {
            let error = config.int4().unwrap_err().to_string();
            assert!(error.contains(found) && error.contains(supported), "{error}");
        }
    }
}
