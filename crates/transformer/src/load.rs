use std::path::Path;

use burn::module::Param;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::{Device, Tensor, TensorData};
use serde::Deserialize;

use crate::attention::SelfAttention;
use crate::bert::{Bert, BertConfig, BertLayer};
use crate::error::{Error, Result};
use crate::folder::read_json;
use crate::int8::QuantizationConfig;
use crate::weights::Weights;

/// Layers that a configuration may ask for; beyond it the file is taken for broken.
const MAX_LAYERS: usize = 1024;

impl Bert {
    /// Loads the encoder of a Hugging Face folder: `config.json` and safetensors, in one file or in shards, with weights of type F32,
    /// F16, BF16, or I8 with a scale for every row ([`int8`](crate::int8)). All become f32 on `device`. Heads and poolers that the
    /// file holds beside the encoder are skipped.
    ///
    /// # Errors
    /// Where a file is missing or malformed, the architecture is another one, or tensors are missing, left over or of another shape
    /// ([`Error::Weights`] lists all of them).
    pub fn from_folder(folder: impl AsRef<Path>, device: &Device) -> Result<Self> {
        let folder = folder.as_ref();
        let config = FolderConfig::read(folder)?;
        Self::from_weights(&config, config.weights(folder)?, device)
    }

    /// Fills a model from weights that [`FolderConfig::weights`] checked.
    pub(crate) fn from_weights(config: &FolderConfig, weights: Weights, device: &Device) -> Result<Self> {
        let config = &config.bert;
        let source = Source { weights: &weights, device };
        let mut model = config.init(device);
        model.words.weight = source.matrix("embeddings.word_embeddings.weight", [config.vocab_size, config.d_model]);
        model.positions.weight = source.matrix("embeddings.position_embeddings.weight", [config.n_positions, config.d_model]);
        model.segments.weight = source.matrix("embeddings.token_type_embeddings.weight", [config.n_segments, config.d_model]);
        source.fill_norm(&mut model.norm, "embeddings.LayerNorm");
        for (index, layer) in model.layers.iter_mut().enumerate() {
            source.fill_layer(layer, &format!("encoder.layer.{index}"), config);
        }
        device.sync().map_err(|error| Error::Device(format!("{error:?}")))?;
        drop(weights);
        Ok(model)
    }
}

/// What `config.json` says, as far as it is needed.
#[derive(Clone, Debug)]
pub(crate) struct FolderConfig {
    pub(crate) bert: BertConfig,
    pub(crate) pad_id: u32,
    model_type: String,
}

impl FolderConfig {
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("config.json");
        let file: ConfigFile = read_json(&path)?;
        file.check_supported()?;
        let bert = file.bert();
        let whole_heads = bert.n_heads > 0 && bert.d_model > 0 && bert.d_model.is_multiple_of(bert.n_heads);
        if !whole_heads || bert.n_layers > MAX_LAYERS || bert.vocab_size == 0 || bert.n_segments == 0 || bert.max_tokens() == 0 {
            return Err(Error::malformed(path, format!("its sizes make no encoder: {bert:?}")));
        }
        Ok(Self { bert, pad_id: file.pad_token_id.unwrap_or(0), model_type: file.model_type })
    }

    /// The tensors of the folder, under the names of a bare encoder, all there and of the right shapes.
    pub(crate) fn weights(&self, folder: &Path) -> Result<Weights> {
        let mut weights = Weights::read(folder)?;
        weights.rename(|name| self.bare_name(name));
        weights.check(&self.tensors(), is_beside_encoder)?;
        Ok(weights)
    }

    /// Names and shapes of all tensors that an encoder of this configuration has.
    pub(crate) fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        expected_tensors(&self.bert)
    }

    /// Without the prefix that models with a head carry, and with the modern names of scale and shift.
    fn bare_name(&self, name: &str) -> String {
        let bare = name.strip_prefix(&format!("{}.", self.prefix())).unwrap_or(name);
        bare.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
    }

    fn prefix(&self) -> &str {
        if self.model_type == "bert" { "bert" } else { "roberta" }
    }
}

#[derive(Deserialize)]
struct ConfigFile {
    model_type: String,
    vocab_size: usize,
    hidden_size: usize,
    num_attention_heads: usize,
    num_hidden_layers: usize,
    intermediate_size: usize,
    max_position_embeddings: usize,
    type_vocab_size: Option<usize>,
    layer_norm_eps: Option<f64>,
    hidden_act: Option<String>,
    position_embedding_type: Option<String>,
    pad_token_id: Option<u32>,
    quantization_config: Option<QuantizationConfig>,
}

impl ConfigFile {
    fn check_supported(&self) -> Result<()> {
        one_of(
            "architecture",
            &self.model_type,
            &["bert", "roberta", "xlm-roberta", "camembert"],
            "bert, roberta, xlm-roberta, camembert",
        )?;
        one_of("activation", self.hidden_act.as_deref().unwrap_or("gelu"), &["gelu"], "gelu")?;
        let positions = self.position_embedding_type.as_deref().unwrap_or("absolute");
        one_of("position embedding", positions, &["absolute"], "absolute")?;
        self.quantization_config.as_ref().map_or(Ok(()), QuantizationConfig::check_supported)
    }

    fn bert(&self) -> BertConfig {
        // `roberta` counts positions from the id of the padding token on.
        let position_offset = if self.model_type == "bert" { 0 } else { self.pad_token_id.unwrap_or(1) as usize + 1 };
        BertConfig::new(self.vocab_size, self.hidden_size, self.num_attention_heads, self.num_hidden_layers, self.intermediate_size)
            .with_n_positions(self.max_position_embeddings)
            .with_position_offset(position_offset)
            .with_n_segments(self.type_vocab_size.unwrap_or(2))
            .with_layer_norm_eps(self.layer_norm_eps.unwrap_or(1e-12))
    }
}

fn one_of(what: &'static str, found: &str, known: &[&str], supported: &'static str) -> Result<()> {
    if known.contains(&found) { Ok(()) } else { Err(Error::Unsupported { what, found: found.to_owned(), supported }) }
}

/// Names and shapes of a bare encoder's tensors, as Hugging Face writes them: linear weights are `[out, in]`.
fn expected_tensors(config: &BertConfig) -> Vec<(String, Vec<usize>)> {
    let d = config.d_model;
    let mut all = vec![
        ("embeddings.word_embeddings.weight".to_owned(), vec![config.vocab_size, d]),
        ("embeddings.position_embeddings.weight".to_owned(), vec![config.n_positions, d]),
        ("embeddings.token_type_embeddings.weight".to_owned(), vec![config.n_segments, d]),
    ];
    let mut pair = |name: String, weight: Vec<usize>| {
        all.push((format!("{name}.bias"), vec![weight[0]]));
        all.push((format!("{name}.weight"), weight));
    };
    pair("embeddings.LayerNorm".to_owned(), vec![d]);
    for index in 0..config.n_layers {
        let layer = format!("encoder.layer.{index}");
        for part in ["self.query", "self.key", "self.value", "output.dense"] {
            pair(format!("{layer}.attention.{part}"), vec![d, d]);
        }
        pair(format!("{layer}.attention.output.LayerNorm"), vec![d]);
        pair(format!("{layer}.intermediate.dense"), vec![config.d_ff, d]);
        pair(format!("{layer}.output.dense"), vec![d, config.d_ff]);
        pair(format!("{layer}.output.LayerNorm"), vec![d]);
    }
    all
}

/// Tensors that checkpoints hold beside the encoder and that a sentence vector does not need.
fn is_beside_encoder(name: &str) -> bool {
    const BUFFERS: [&str; 2] = ["embeddings.position_ids", "embeddings.token_type_ids"];
    const HEADS: [&str; 4] = ["pooler.", "cls.", "lm_head.", "classifier."];
    BUFFERS.contains(&name) || HEADS.iter().any(|head| name.starts_with(head))
}

/// Turns named tensors into parameters on a device.
struct Source<'a> {
    weights: &'a Weights,
    device: &'a Device,
}

impl Source<'_> {
    fn fill_layer(&self, layer: &mut BertLayer, name: &str, config: &BertConfig) {
        let attention = format!("{name}.attention");
        self.fill_qkv(&mut layer.attention, &format!("{attention}.self"), config);
        self.fill_linear(&mut layer.attention.output, &format!("{attention}.output.dense"));
        self.fill_norm(&mut layer.attention_norm, &format!("{attention}.output.LayerNorm"));
        self.fill_linear(&mut layer.up, &format!("{name}.intermediate.dense"));
        self.fill_linear(&mut layer.down, &format!("{name}.output.dense"));
        self.fill_norm(&mut layer.output_norm, &format!("{name}.output.LayerNorm"));
    }

    /// Query, key and value side by side, the query scaled.
    fn fill_qkv(&self, attention: &mut SelfAttention, name: &str, config: &BertConfig) {
        let scale = SelfAttention::query_scale(config.d_model, config.n_heads);
        let stack = |kind: &str| {
            let mut query = self.weights.values(&format!("{name}.query.{kind}"));
            for value in &mut query {
                *value *= scale;
            }
            [query, self.weights.values(&format!("{name}.key.{kind}")), self.weights.values(&format!("{name}.value.{kind}"))].concat()
        };
        attention.qkv.weight = self.transposed(&stack("weight"), 3 * config.d_model);
        attention.qkv.bias = Some(self.vector(stack("bias")));
    }

    fn fill_linear(&self, linear: &mut Linear, name: &str) {
        let bias = self.weights.values(&format!("{name}.bias"));
        linear.weight = self.transposed(&self.weights.values(&format!("{name}.weight")), bias.len());
        linear.bias = Some(self.vector(bias));
    }

    fn fill_norm(&self, norm: &mut LayerNorm, name: &str) {
        norm.gamma = self.vector(self.weights.values(&format!("{name}.weight")));
        norm.beta = Some(self.vector(self.weights.values(&format!("{name}.bias"))));
    }

    fn matrix(&self, name: &str, shape: [usize; 2]) -> Param<Tensor<2>> {
        Param::from_data(TensorData::new(self.weights.values(name), shape), self.device)
    }

    fn vector(&self, values: Vec<f32>) -> Param<Tensor<1>> {
        let length = values.len();
        Param::from_data(TensorData::new(values, [length]), self.device)
    }

    /// `values [rows, columns]` as `[columns, rows]`.
    fn transposed(&self, values: &[f32], rows: usize) -> Param<Tensor<2>> {
        let columns = values.len() / rows;
        Param::from_data(TensorData::new(transpose(values, rows, columns), [columns, rows]), self.device)
    }
}

/// Tile by tile, so that both sides stay in the cache.
fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    const TILE: usize = 16;
    let mut turned = vec![0.0; values.len()];
    for row_tile in (0..rows).step_by(TILE) {
        for column_tile in (0..columns).step_by(TILE) {
            for row in row_tile..(row_tile + TILE).min(rows) {
                for column in column_tile..(column_tile + TILE).min(columns) {
                    turned[column * rows + row] = values[row * columns + column];
                }
            }
        }
    }
    turned
}
