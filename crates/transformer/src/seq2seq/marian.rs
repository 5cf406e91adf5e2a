use std::path::Path;

use serde::Deserialize;

use super::config::Seq2SeqConfig;
use crate::decoder::Activation;
use crate::error::{Error, Result};
use crate::weights::{OneOrMany, QuantizationConfig, read_json, read_json_if_there};

/// What a folder of Marian says of its model.
#[derive(Clone, Debug)]
pub(crate) struct MarianFolder {
    pub(crate) config: Seq2SeqConfig,
    /// The token that begins a target.
    pub(crate) start: u32,
    /// Tokens that end one.
    pub(crate) eos: Vec<u32>,
    /// Tokens that are never written.
    pub(crate) banned: Vec<u32>,
}

impl MarianFolder {
    /// Reads `config.json` and, where it is there, `generation_config.json`, whose tokens come first.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("config.json");
        let file: ConfigFile = read_json(&path)?;
        file.check_supported()?;
        let config = file.config()?;
        let generation: GenerationFile = read_json_if_there(&folder.join("generation_config.json"))?.unwrap_or_default();
        let start = generation.decoder_start_token_id.or(file.tokens.decoder_start_token_id).or(file.pad_token_id);
        let eos = generation.eos_token_id.or(file.tokens.eos_token_id).map(OneOrMany::into_vec).unwrap_or_default();
        let phrases = generation.bad_words_ids.or(file.tokens.bad_words_ids).unwrap_or_default();
        let banned: Vec<u32> = phrases.iter().filter_map(|phrase| if let [token] = phrase[..] { Some(token) } else { None }).collect();
        let beyond = start.iter().chain(&eos).chain(&banned).find(|&&token| token as usize >= config.vocab_size);
        let complaint = match (config.complaint(), start, beyond) {
            (Some(complaint), ..) => complaint,
            (_, None, _) => "it has no decoder_start_token_id".to_owned(),
            (.., Some(token)) => format!("token {token} is beyond its vocabulary of {}", config.vocab_size),
            (None, Some(start), None) => return Ok(Self { config, start, eos, banned }),
        };
        Err(Error::malformed(path, complaint))
    }
}

#[derive(Deserialize)]
struct ConfigFile {
    model_type: String,
    vocab_size: usize,
    decoder_vocab_size: Option<usize>,
    d_model: usize,
    encoder_layers: usize,
    decoder_layers: usize,
    encoder_attention_heads: usize,
    decoder_attention_heads: usize,
    encoder_ffn_dim: usize,
    decoder_ffn_dim: usize,
    max_position_embeddings: Option<usize>,
    activation_function: Option<String>,
    #[serde(default)]
    scale_embedding: bool,
    share_encoder_decoder_embeddings: Option<bool>,
    tie_word_embeddings: Option<bool>,
    #[serde(default)]
    normalize_before: bool,
    #[serde(default)]
    normalize_embedding: bool,
    pad_token_id: Option<u32>,
    quantization_config: Option<QuantizationConfig>,
    #[serde(flatten)]
    tokens: GenerationFile,
}

/// What both files can say about writing a target.
#[derive(Default, Deserialize)]
struct GenerationFile {
    decoder_start_token_id: Option<u32>,
    eos_token_id: Option<OneOrMany<u32>>,
    bad_words_ids: Option<Vec<Vec<u32>>>,
}

impl ConfigFile {
    fn check_supported(&self) -> Result<()> {
        let unsupported = |what, found: &str, supported| Err(Error::Unsupported { what, found: found.to_owned(), supported });
        if self.model_type != "marian" {
            return unsupported("architecture", &self.model_type, "marian");
        }
        let separate = self.decoder_vocab_size.is_some_and(|size| size != self.vocab_size);
        if separate || self.share_encoder_decoder_embeddings == Some(false) || self.tie_word_embeddings == Some(false) {
            return unsupported("embedding", "one for each side", "one for encoder, decoder and head");
        }
        if self.normalize_before || self.normalize_embedding {
            return unsupported("normalisation", "before layers or on embeddings", "after each sum");
        }
        self.quantization_config.as_ref().map_or(Ok(()), QuantizationConfig::int8)
    }

    fn config(&self) -> Result<Seq2SeqConfig> {
        let config =
            Seq2SeqConfig::new(self.vocab_size, self.d_model, self.encoder_attention_heads, self.encoder_layers, self.encoder_ffn_dim);
        Ok(config
            .with_decoder_heads(Some(self.decoder_attention_heads))
            .with_decoder_layers(Some(self.decoder_layers))
            .with_decoder_d_ff(Some(self.decoder_ffn_dim))
            .with_max_positions(self.max_position_embeddings.unwrap_or(1024))
            .with_activation(Activation::named(self.activation_function.as_deref().unwrap_or("gelu"))?)
            .with_scale_embedding(self.scale_embedding)
            .with_interleaved_positions(false)
            .with_logits_bias(true))
    }
}
