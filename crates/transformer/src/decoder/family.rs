use std::path::Path;

use burn::tensor::Device;
use serde::Deserialize;
use serde_json::Value;

use super::config::{DecoderConfig, NormPlacement, SlidingLayers};
use super::feed_forward::Activation;
use super::names::{DecoderNames, Style};
use super::norm::NormKind;
use super::rope_file::RopeFile;
use crate::error::{Error, Result};
use crate::position::{Positions, RopeConfig};
use crate::quantize::{Inputs, Kept, Quantizer};
use crate::weights::{GroupFormat, Listed, Naming, OneOrMany, QuantizationConfig, Weights, expected, read_json};

const SUPPORTED: &str = "gpt2, llama, mistral, qwen2, qwen3, phi3, gemma2";

/// A family of decoders: what its `config.json` leaves unsaid, and how it names its tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Gpt2,
    /// Llama, and SmolLM2, which calls itself so.
    Llama,
    Mistral,
    Qwen2,
    Qwen3,
    Phi3,
    Gemma2,
}

impl Family {
    fn of(model_type: &str) -> Result<Self> {
        Ok(match model_type {
            "gpt2" => Self::Gpt2,
            "llama" => Self::Llama,
            "mistral" => Self::Mistral,
            "qwen2" => Self::Qwen2,
            "qwen3" => Self::Qwen3,
            "phi3" => Self::Phi3,
            "gemma2" => Self::Gemma2,
            other => return Err(Error::Unsupported { what: "architecture", found: other.to_owned(), supported: SUPPORTED }),
        })
    }

    /// Whether the head is the embedding table where the file does not say.
    fn tied(self) -> bool {
        matches!(self, Self::Gpt2 | Self::Gemma2)
    }

    fn norm_eps(self) -> f64 {
        if matches!(self, Self::Gpt2 | Self::Phi3) { 1e-5 } else { 1e-6 }
    }

    /// Width of a head where the file does not say and it is not `hidden_size / num_attention_heads`.
    fn head_dim(self) -> Option<usize> {
        match self {
            Self::Qwen3 => Some(128),
            Self::Gemma2 => Some(256),
            _ => None,
        }
    }

    /// Key heads where the file does not say and they are not as many as query heads.
    fn n_kv_heads(self) -> Option<usize> {
        (self == Self::Mistral).then_some(8)
    }

    /// `model_type` and the name of the class in `architectures`.
    pub(super) fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Gpt2 => ("gpt2", "GPT2LMHeadModel"),
            Self::Llama => ("llama", "LlamaForCausalLM"),
            Self::Mistral => ("mistral", "MistralForCausalLM"),
            Self::Qwen2 => ("qwen2", "Qwen2ForCausalLM"),
            Self::Qwen3 => ("qwen3", "Qwen3ForCausalLM"),
            Self::Phi3 => ("phi3", "Phi3ForCausalLM"),
            Self::Gemma2 => ("gemma2", "Gemma2ForCausalLM"),
        }
    }

    pub(super) fn style(self) -> Style {
        match self {
            Self::Gpt2 => Style::Gpt2,
            Self::Phi3 => Style::Phi3,
            Self::Gemma2 => Style::Gemma2,
            Self::Llama | Self::Mistral | Self::Qwen2 | Self::Qwen3 => Style::Llama,
        }
    }
}

/// What a Hugging Face folder says of its decoder.
#[derive(Clone, Debug)]
pub(crate) struct DecoderFolder {
    pub(crate) config: DecoderConfig,
    pub(crate) names: DecoderNames,
    /// Tokens that end a text, where the file names any.
    pub(crate) eos: Vec<u32>,
    /// The token that begins a text, where the file names one.
    pub(crate) bos: Option<u32>,
    /// How linear layers lie in four bits, where they do.
    groups: Option<GroupFormat>,
    /// Whether layers in eight bits multiply inputs that are rounded to eight bits as they come.
    rounds_inputs: bool,
}

impl DecoderFolder {
    /// Which layers keep what the folder holds of them where they multiply `inputs`: those of eight bits where the quantizer has no fewer for
    /// them, or, where there is none, where inputs are rounded as the folder says.
    pub(crate) fn kept(&self, inputs: Inputs, quantizer: Option<&Quantizer>) -> Kept {
        let as_told = self.rounds_inputs || inputs == Inputs::Float;
        Kept { inputs, eight_bits: quantizer.map_or(as_told, Quantizer::keeps_eight_bits) }
    }

    /// The weights beside `config.json`, checked, to be read as they are asked for, and the names and shapes of those that the decoder needs.
    pub(crate) fn weights(&self, folder: &Path) -> Result<(Weights, Listed)> {
        let mut weights = Weights::open(folder)?;
        weights.rename(|name| self.names.alias(name));
        // Nothing is allocated for parameters that no one reads.
        let listed = expected(&self.config.init(&Device::default()), &self.names);
        let ignored = |name: &str| self.names.ignores(name);
        match self.groups {
            Some(format) => weights.check_groups(format, &listed, ignored, folder)?,
            None => weights.check(&listed, ignored)?,
        }
        Ok((weights, listed))
    }

    /// Reads `config.json` and, where it is there, `generation_config.json`, whose end tokens come first.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("config.json");
        let generation = crate::weights::read_json_if_there(&folder.join("generation_config.json"))?.unwrap_or_default();
        Self::from_files(&path, &read_json(&path)?, generation)
    }

    /// How files of a family name the tensors of a model.
    #[cfg(test)]
    pub(crate) fn names_of(model_type: &str, config: &DecoderConfig) -> DecoderNames {
        DecoderNames::new(Family::of(model_type).expect("the family is known").style(), config)
    }

    /// What a `config.json` would say that was made of the file at `path`.
    pub(crate) fn from_value(path: &Path, config: Value) -> Result<Self> {
        let file = serde_json::from_value(config).map_err(|error| Error::malformed(path, error))?;
        Self::from_files(path, &file, GenerationFile::default())
    }

    fn from_files(path: &Path, file: &ConfigFile, generation: GenerationFile) -> Result<Self> {
        let family = Family::of(&file.model_type)?;
        let groups = file.groups(family)?;
        let config = file.decoder(family)?;
        if let Some(complaint) = config.complaint() {
            return Err(Error::malformed(path, complaint));
        }
        let eos = generation.eos_token_id.or_else(|| file.eos_token_id.clone()).map(OneOrMany::into_vec).unwrap_or_default();
        let names = DecoderNames::new(family.style(), &config);
        let rounds_inputs = file.quantization_config.as_ref().is_some_and(QuantizationConfig::rounds_inputs);
        Ok(Self { config, names, eos, bos: generation.bos_token_id.or(file.bos_token_id), groups, rounds_inputs })
    }
}

/// `config.json`; GPT-2 has names of its own.
#[derive(Deserialize)]
struct ConfigFile {
    model_type: String,
    vocab_size: usize,
    #[serde(alias = "n_embd")]
    hidden_size: usize,
    #[serde(alias = "n_layer")]
    num_hidden_layers: usize,
    #[serde(alias = "n_head")]
    num_attention_heads: usize,
    #[serde(alias = "n_inner")]
    intermediate_size: Option<usize>,
    #[serde(alias = "n_positions")]
    max_position_embeddings: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    #[serde(alias = "activation_function")]
    hidden_act: Option<Value>,
    hidden_activation: Option<Value>,
    #[serde(alias = "layer_norm_epsilon")]
    rms_norm_eps: Option<f64>,
    #[serde(flatten)]
    rope: RopeFile,
    attention_bias: Option<bool>,
    mlp_bias: Option<bool>,
    tie_word_embeddings: Option<bool>,
    sliding_window: Option<usize>,
    use_sliding_window: Option<bool>,
    max_window_layers: Option<usize>,
    layer_types: Option<Vec<String>>,
    query_pre_attn_scalar: Option<f64>,
    attn_logit_softcapping: Option<f64>,
    final_logit_softcapping: Option<f64>,
    scale_attn_weights: Option<bool>,
    scale_attn_by_inverse_layer_idx: Option<bool>,
    bos_token_id: Option<u32>,
    eos_token_id: Option<OneOrMany<u32>>,
    quantization_config: Option<QuantizationConfig>,
}

#[derive(Default, Deserialize)]
struct GenerationFile {
    bos_token_id: Option<u32>,
    eos_token_id: Option<OneOrMany<u32>>,
}

impl ConfigFile {
    fn groups(&self, family: Family) -> Result<Option<GroupFormat>> {
        let groups = self.quantization_config.as_ref().map_or(Ok(None), QuantizationConfig::groups)?;
        // Its weights stand in a file as `[in, out]`, and layers of four bits as `[out, in]`.
        if groups.is_some() && family == Family::Gpt2 {
            let supported = "llama, mistral, qwen2, qwen3, phi3, gemma2";
            return Err(Error::Unsupported { what: "architecture in four bits", found: self.model_type.clone(), supported });
        }
        Ok(groups)
    }

    fn decoder(&self, family: Family) -> Result<DecoderConfig> {
        let d_ff = self.intermediate_size.unwrap_or(self.hidden_size.saturating_mul(4));
        let base = DecoderConfig::new(self.vocab_size, self.hidden_size, self.num_attention_heads, self.num_hidden_layers, d_ff)
            .with_n_kv_heads(self.num_key_value_heads.or(family.n_kv_heads()))
            .with_head_dim(self.head_dim(family))
            .with_max_positions(self.max_position_embeddings)
            .with_norm_eps(self.rms_norm_eps.unwrap_or_else(|| family.norm_eps()))
            .with_activation(self.activation(family)?)
            .with_tied(self.tie_word_embeddings.unwrap_or_else(|| family.tied()));
        match family {
            Family::Gpt2 => self.gpt2(base),
            Family::Gemma2 => self.gemma2(base),
            Family::Llama | Family::Mistral | Family::Qwen2 | Family::Qwen3 | Family::Phi3 => self.llama(base, family),
        }
    }

    fn gpt2(&self, base: DecoderConfig) -> Result<DecoderConfig> {
        if self.scale_attn_weights == Some(false) || self.scale_attn_by_inverse_layer_idx == Some(true) {
            let found = "scale_attn_weights = false or scale_attn_by_inverse_layer_idx = true".to_owned();
            return Err(Error::Unsupported { what: "attention scale", found, supported: "1 / sqrt(head_dim)" });
        }
        Ok(base
            .with_positions(Positions::Learned)
            .with_norm(NormKind::LayerNorm)
            .with_gated(false)
            .with_qkv_bias(true)
            .with_output_bias(true)
            .with_mlp_bias(true))
    }

    fn llama(&self, base: DecoderConfig, family: Family) -> Result<DecoderConfig> {
        let bias = self.attention_bias.unwrap_or(false);
        let window = self.sliding_window.filter(|_| family != Family::Llama && self.slides(family));
        let config = base
            .with_positions(Positions::Rope(self.rope_config(family)?))
            .with_qkv_bias(bias || family == Family::Qwen2)
            .with_output_bias(bias)
            .with_mlp_bias(self.mlp_bias.unwrap_or(false))
            .with_qk_norm(family == Family::Qwen3)
            .with_sliding_window(window)
            .with_sliding_layers(self.sliding_layers(family));
        Ok(config)
    }

    fn gemma2(&self, base: DecoderConfig) -> Result<DecoderConfig> {
        let scalar = self.query_pre_attn_scalar.unwrap_or(256.0);
        let bias = self.attention_bias.unwrap_or(false);
        Ok(base
            .with_positions(Positions::Rope(self.rope_config(Family::Gemma2)?))
            .with_norm_placement(NormPlacement::Sandwich)
            .with_embedding_scale(Some((self.hidden_size as f64).sqrt()))
            .with_attention_scale(Some(scalar.sqrt().recip()))
            .with_attention_softcap(self.attn_logit_softcapping)
            .with_logit_softcap(self.final_logit_softcapping)
            .with_qkv_bias(bias)
            .with_output_bias(bias)
            .with_sliding_window(self.sliding_window)
            .with_sliding_layers(self.sliding_layers(Family::Gemma2)))
    }

    /// Qwen's windows are off unless the file turns them on.
    fn slides(&self, family: Family) -> bool {
        !matches!(family, Family::Qwen2 | Family::Qwen3) || self.use_sliding_window == Some(true)
    }

    fn sliding_layers(&self, family: Family) -> SlidingLayers {
        let layers = 0..self.num_hidden_layers;
        if let Some(types) = &self.layer_types {
            return SlidingLayers::Listed(types.iter().map(|kind| kind == "sliding_attention").collect());
        }
        match family {
            Family::Qwen2 | Family::Qwen3 => {
                let first = self.max_window_layers.unwrap_or(28);
                SlidingLayers::Listed(layers.map(|layer| layer >= first).collect())
            }
            Family::Gemma2 => SlidingLayers::Listed(layers.map(|layer| layer % 2 == 0).collect()),
            _ => SlidingLayers::All,
        }
    }

    fn head_dim(&self, family: Family) -> Option<usize> {
        self.head_dim.or(family.head_dim())
    }

    fn rope_config(&self, family: Family) -> Result<RopeConfig> {
        let head = self.head_dim(family).unwrap_or(self.hidden_size / self.num_attention_heads.max(1));
        self.rope.config(head, self.max_position_embeddings)
    }

    fn activation(&self, family: Family) -> Result<Activation> {
        let fallback = match family {
            Family::Gpt2 => "gelu_new",
            Family::Gemma2 => "gelu_pytorch_tanh",
            _ => "silu",
        };
        // Gemma's files hold `hidden_act` beside the name that is read.
        let given = if family == Family::Gemma2 { &self.hidden_activation } else { &self.hidden_act }.as_ref();
        Activation::named(given.and_then(Value::as_str).unwrap_or(fallback))
    }
}
