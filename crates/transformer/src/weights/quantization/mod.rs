//! The `quantization_config` of `config.json`: in which of the ways that are read here a folder keeps its weights.

mod packed;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use jarre_quant::checkpoint::Bits;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use self::packed::PackedFile;
use super::groups::{GroupFormat, GroupLayout};
use super::int8::WeightScheme;
use crate::error::{Error, Result};

const INT8: &str = "compressed-tensors int-quantized (8 bits, symmetric, strategy channel)";
const ALL: &str = "compressed-tensors int-quantized (8 bits, symmetric, strategy channel), pack-quantized (4 or 8 bits) and mixed-precision \
                   (of both), awq (4 bits, version gemm), gptq (4 or 8 bits)";

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

    /// How linear layers lie in groups; nothing where weights have eight bits and a scale for each row. Everything else is refused.
    pub(crate) fn groups(&self) -> Result<Option<GroupFormat>> {
        match (self.quant_method.as_str(), self.format()) {
            ("awq", _) => self.parse::<AwqFile>()?.format().map(Some),
            ("gptq", _) => self.parse::<GptqFile>()?.format().map(Some),
            ("compressed-tensors", format @ ("pack-quantized" | "mixed-precision")) => self.parse::<PackedFile>()?.format(format),
            _ => self.int8_or(ALL).map(|()| None),
        }
    }

    /// Whether every group of weights of eight bits multiplies inputs that are rounded to eight bits, row by row as they come.
    pub(crate) fn rounds_inputs(&self) -> bool {
        let groups = self.fields.get("config_groups").and_then(Value::as_object);
        let mut eight = groups.into_iter().flat_map(Map::values).filter(|group| group["weights"]["num_bits"] == 8).peekable();
        let rounded = |inputs: &Value| inputs["num_bits"] == 8 && inputs["dynamic"] == true && inputs["strategy"] == "token";
        eight.peek().is_some() && eight.all(|group| rounded(&group["input_activations"]))
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
        let refused = |error| refuse("quantization_config", format!("{}: {error}", self.quant_method), ALL);
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
    fn format(&self) -> Result<GroupFormat> {
        if self.bits != 4 {
            return Err(refuse("quantization_config.bits", self.bits, "4"));
        }
        let version = self.version.as_ref().or(self.checkpoint_format.as_ref()).map_or("gemm", String::as_str);
        if !version.eq_ignore_ascii_case("gemm") {
            return Err(refuse("quantization_config.version", version, "gemm"));
        }
        if self.zero_point == Some(false) {
            return Err(refuse("quantization_config.zero_point", false, "true"));
        }
        Ok(GroupFormat { layout: GroupLayout::Awq, bits: Bits::Four, group: group(self.group_size)? })
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
    fn format(&self) -> Result<GroupFormat> {
        let bits = bits("quantization_config.bits", self.bits)?;
        if self.is_marlin_format == Some(true) {
            return Err(refuse("quantization_config.is_marlin_format", true, "false"));
        }
        let second = match self.checkpoint_format.as_deref().unwrap_or("gptq") {
            "gptq" => false,
            "gptq_v2" => true,
            other => return Err(refuse("quantization_config.checkpoint_format", other, "gptq, gptq_v2")),
        };
        let layout = GroupLayout::Gptq { ordered: self.desc_act == Some(true), second };
        Ok(GroupFormat { layout, bits, group: group(self.group_size)? })
    }
}

fn refuse(what: &'static str, found: impl std::fmt::Display, supported: &'static str) -> Error {
    Error::Unsupported { what, found: found.to_string(), supported }
}

fn bits(what: &'static str, bits: u32) -> Result<Bits> {
    match bits {
        4 => Ok(Bits::Four),
        8 => Ok(Bits::Eight),
        other => Err(refuse(what, other, "4, 8")),
    }
}

fn group(size: i64) -> Result<Option<NonZeroUsize>> {
    if size == -1 {
        return Ok(None);
    }
    let group = usize::try_from(size).ok().and_then(NonZeroUsize::new);
    group.map(Some).ok_or_else(|| refuse("quantization_config.group_size", size, "-1 for all inputs of a layer, or at least 1"))
}
