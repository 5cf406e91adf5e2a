use std::path::Path;

use burn::tensor::Device;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::attention::SelfAttention;
use super::bert::BertConfig;
use super::head::PoolerActivation;
use super::names::{EncoderFamily, EncoderNames};
use crate::decoder::Activation;
use crate::error::{Error, Result};
use crate::weights::{Naming, QuantizationConfig, Weights, read_json};

/// Layers that a configuration may ask for; beyond it the file is taken for broken.
const MAX_LAYERS: usize = 1024;

/// What `config.json` says, as far as it is needed.
#[derive(Clone, Debug)]
pub(crate) struct FolderConfig {
    pub(crate) bert: BertConfig,
    pub(crate) pad_id: u32,
    pub(crate) family: EncoderFamily,
}

impl FolderConfig {
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("config.json");
        let file: Value = read_json(&path)?;
        let common: CommonFile = parse(&path, &file)?;
        let family = family(&common.model_type)?;
        common.check_supported()?;
        let bert = match family {
            EncoderFamily::DistilBert => parse::<DistilBertFile>(&path, &file)?.bert()?,
            EncoderFamily::Bert | EncoderFamily::Roberta => parse::<BertFile>(&path, &file)?.bert(family, common.pad_token_id)?,
        };
        let whole_heads = bert.n_heads > 0 && bert.d_model > 0 && bert.d_model.is_multiple_of(bert.n_heads);
        let has_segments = bert.n_segments > 0 || family == EncoderFamily::DistilBert;
        if !whole_heads || bert.n_layers > MAX_LAYERS || bert.vocab_size == 0 || !has_segments || bert.max_tokens() == 0 {
            return Err(Error::malformed(path, format!("its sizes make no encoder: {bert:?}")));
        }
        Ok(Self { bert, pad_id: common.pad_token_id.unwrap_or(0), family })
    }

    /// The tensors of the folder, under the names of a bare encoder, all there and of the right shapes.
    pub(crate) fn weights(&self, folder: &Path) -> Result<Weights> {
        let weights = self.renamed_weights(folder)?;
        let is_head = |name: &str| name.starts_with("classifier.") || name.starts_with("pre_classifier.");
        weights.check(&self.tensors(), |name| EncoderNames::is_beside(name) || is_head(name))?;
        Ok(weights)
    }

    /// As [`weights`](Self::weights), with nothing checked yet.
    pub(crate) fn renamed_weights(&self, folder: &Path) -> Result<Weights> {
        let mut weights = Weights::read(folder)?;
        weights.rename(|name| self.names().alias(name));
        Ok(weights)
    }

    /// Names and shapes of all tensors that an encoder of this configuration has.
    pub(crate) fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        // Nothing is allocated for parameters that no one reads.
        self.names().tensors(&self.bert.init(&Device::default()))
    }

    /// The nonlinearity of the family's heads.
    pub(crate) fn pooler_activation(&self) -> PoolerActivation {
        if self.family == EncoderFamily::DistilBert { PoolerActivation::Relu } else { PoolerActivation::Tanh }
    }

    pub(crate) fn names(&self) -> EncoderNames {
        EncoderNames { family: self.family, query_scale: SelfAttention::query_scale(self.bert.d_model, self.bert.n_heads) }
    }
}

/// What all families call the same.
#[derive(Deserialize)]
struct CommonFile {
    model_type: String,
    position_embedding_type: Option<String>,
    pad_token_id: Option<u32>,
    quantization_config: Option<QuantizationConfig>,
}

impl CommonFile {
    fn check_supported(&self) -> Result<()> {
        let positions = self.position_embedding_type.as_deref().unwrap_or("absolute");
        if positions != "absolute" {
            return Err(unsupported("position embedding", positions, "absolute"));
        }
        self.quantization_config.as_ref().map_or(Ok(()), QuantizationConfig::int8)
    }
}

#[derive(Deserialize)]
struct BertFile {
    vocab_size: usize,
    hidden_size: usize,
    num_attention_heads: usize,
    num_hidden_layers: usize,
    intermediate_size: usize,
    max_position_embeddings: usize,
    type_vocab_size: Option<usize>,
    layer_norm_eps: Option<f64>,
    hidden_act: Option<String>,
}

impl BertFile {
    fn bert(&self, family: EncoderFamily, pad_id: Option<u32>) -> Result<BertConfig> {
        // `roberta` counts positions from the id of the padding token on.
        let position_offset = if family == EncoderFamily::Roberta { pad_id.unwrap_or(1) as usize + 1 } else { 0 };
        Ok(BertConfig::new(self.vocab_size, self.hidden_size, self.num_attention_heads, self.num_hidden_layers, self.intermediate_size)
            .with_n_positions(self.max_position_embeddings)
            .with_position_offset(position_offset)
            .with_n_segments(self.type_vocab_size.unwrap_or(2))
            .with_layer_norm_eps(self.layer_norm_eps.unwrap_or(1e-12))
            .with_activation(Activation::named(self.hidden_act.as_deref().unwrap_or("gelu"))?))
    }
}

#[derive(Deserialize)]
struct DistilBertFile {
    vocab_size: usize,
    dim: usize,
    n_heads: usize,
    n_layers: usize,
    hidden_dim: usize,
    max_position_embeddings: usize,
    activation: Option<String>,
}

impl DistilBertFile {
    fn bert(&self) -> Result<BertConfig> {
        Ok(BertConfig::new(self.vocab_size, self.dim, self.n_heads, self.n_layers, self.hidden_dim)
            .with_n_positions(self.max_position_embeddings)
            .with_n_segments(0)
            .with_activation(Activation::named(self.activation.as_deref().unwrap_or("gelu"))?))
    }
}

fn family(model_type: &str) -> Result<EncoderFamily> {
    match model_type {
        "bert" => Ok(EncoderFamily::Bert),
        "roberta" | "xlm-roberta" | "camembert" => Ok(EncoderFamily::Roberta),
        "distilbert" => Ok(EncoderFamily::DistilBert),
        other => Err(unsupported("architecture", other, "bert, roberta, xlm-roberta, camembert, distilbert")),
    }
}

fn unsupported(what: &'static str, found: &str, supported: &'static str) -> Error {
    Error::Unsupported { what, found: found.to_owned(), supported }
}

fn parse<T: DeserializeOwned>(path: &Path, file: &Value) -> Result<T> {
    T::deserialize(file).map_err(|error| Error::malformed(path, error))
}
