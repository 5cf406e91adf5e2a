//! Weights of eight bits: symmetric, one scale for every output row (for every token, in embeddings), in the layout of
//! [compressed-tensors](https://github.com/neuralmagic/compressed-tensors): a safetensors file with `X` as I8 and `X_scale` as F32
//! `[rows, 1]` beside it, and a `quantization_config` of format `int-quantized` in `config.json`.
//!
//! A value is `weight * scale`. [`quantize_folder`] writes such a folder; [`Bert::from_folder`](crate::Bert::from_folder) and
//! [`CausalModel::from_folder`](crate::CausalModel::from_folder) read it and multiply out when they load.

use std::path::Path;

use jarre_quant::Int8Rows;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::file::Weights;
use super::folder::{copy_if_there, read_json};
use super::module::{Listed, TensorSource};
use super::save::{Stored, write_json, write_safetensors};
use crate::decoder::DecoderFolder;
use crate::encoder::FolderConfig;
use crate::error::{Error, Result};

/// What the name of a weight gets for its scale's name.
pub(crate) const SCALE_SUFFIX: &str = "_scale";

/// The table whose first row is added to every token: its rounding error would not average out, and it has a few rows only.
const KEPT_FLOAT: &str = "embeddings.token_type_embeddings";

/// Files of a folder that stay as they are.
const COMPANIONS: [&str; 9] = [
    "chat_template.jinja",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "1_Pooling/config.json",
];

/// How the weights of a group are quantised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct WeightScheme {
    num_bits: u32,
    #[serde(rename = "type")]
    kind: String,
    symmetric: bool,
    strategy: String,
    #[serde(default)]
    dynamic: bool,
}

impl WeightScheme {
    /// The one scheme that this module reads and writes.
    pub(super) fn per_row_int8() -> Self {
        Self { num_bits: 8, kind: "int".to_owned(), symmetric: true, strategy: "channel".to_owned(), dynamic: false }
    }
}

/// Writes the encoder or decoder of `input` to the folder `output` with its weight matrices, embeddings included, in eight bits; biases,
/// norms and the small segment table stay f32. Tokenizer, template and pooling files are copied; heads and poolers that an encoder does not
/// need are left out.
///
/// # Errors
/// Where `input` cannot be loaded ([`Bert::from_folder`](crate::Bert::from_folder), [`CausalModel::from_folder`](crate::CausalModel::from_folder))
/// or `output` cannot be written.
pub fn quantize_folder(input: &Path, output: &Path) -> Result<()> {
    let (weights, listed) = read_tensors(input)?;
    let mut tensors = Vec::new();
    for (name, shape) in listed {
        let values = weights.values(&name);
        if let ([rows, columns], false) = (&shape[..], name.starts_with(KEPT_FLOAT)) {
            let (rows, columns) = (*rows, *columns);
            let rounded = Int8Rows::round(&values, columns).map_err(|error| Error::malformed(input, format!("{name}: {error}")))?;
            tensors.push((format!("{name}{SCALE_SUFFIX}"), Stored::f32(vec![rows, 1], rounded.scales())));
            tensors.push((name, Stored::i8(shape, rounded.values())));
        } else {
            tensors.push((name, Stored::f32(shape, &values)));
        }
    }
    weights.finish()?;
    write_safetensors(tensors, output)?;
    write_config(input, output)?;
    COMPANIONS.iter().try_for_each(|file| copy_if_there(&input.join(file), &output.join(file)))
}

/// The weights of a folder, and the names and shapes of those that its model needs.
fn read_tensors(folder: &Path) -> Result<(Weights, Listed)> {
    match FolderConfig::read(folder) {
        Ok(encoder) => Ok((encoder.weights(folder)?, encoder.tensors())),
        Err(Error::Unsupported { what: "architecture", .. }) => DecoderFolder::read(folder)?.weights(folder),
        Err(error) => Err(error),
    }
}

/// `bytes` as i8 in rows, each multiplied by its scale.
pub(crate) fn dequantize(bytes: &[u8], scales: &[f32]) -> Vec<f32> {
    let columns = bytes.len() / scales.len().max(1);
    let rows = bytes.chunks_exact(columns.max(1)).zip(scales);
    rows.flat_map(|(row, scale)| row.iter().map(move |byte| f32::from(byte.cast_signed()) * scale)).collect()
}

/// `config.json` with the entry that tells readers how the weights are stored.
fn write_config(input: &Path, output: &Path) -> Result<()> {
    let mut config: serde_json::Map<String, serde_json::Value> = read_json(&input.join("config.json"))?;
    let group = json!({ "targets": ["Linear", "Embedding"], "weights": WeightScheme::per_row_int8(), "input_activations": null,
                        "output_activations": null });
    let entry = json!({ "quant_method": "compressed-tensors", "format": "int-quantized", "quantization_status": "compressed",
                        "config_groups": { "group_0": group }, "ignore": [KEPT_FLOAT] });
    config.insert("quantization_config".to_owned(), entry);
    write_json(&config, &output.join("config.json"))
}
