use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::causal::CausalModel;
use super::config::{DecoderConfig, NormPlacement, SlidingLayers};
use super::family::Family;
use super::feed_forward::Activation;
use super::names::DecoderNames;
use super::norm::NormKind;
use super::save_packed::{PackedModules, widened};
use crate::Tokenizer;
use crate::error::{Error, Result};
use crate::position::{Positions, RopeConfig, RopeLayout, RopeScaling};
use crate::weights::{NamedTensor, Stored, TOKENIZER, collect, copy_if_there, write_json, write_new, write_safetensors};

/// What a new folder takes from the one that the model was loaded from, beside the tokenizer itself.
const COMPANIONS: [&str; 3] = ["chat_template.jinja", "generation_config.json", "tokenizer_config.json"];

/// Further templates, each in a file of its own.
const TEMPLATES: &str = "additional_chat_templates";

impl CausalModel {
    /// Writes the model as a Hugging Face folder, `config.json`, `generation_config.json` and `model.safetensors`, which transformers loads
    /// with the same logits. The family is the first that has all that the model has; the tokenizer is the caller's to save
    /// ([`Tokenizer::save`]), or [`save_new`](Self::save_new)'s.
    ///
    /// Parameters are written in float32. Of a model with packed layers those of eight and four bits are written as compressed-tensors has
    /// them, the format of vLLM, and [`from_packed_folder`](Self::from_packed_folder) gives the same bits; layers of bfloat16 become plain
    /// tensors, and what is not packed takes the narrowest type that holds it to the bit. Logits' weights that were packed are written beside
    /// the embedding table.
    ///
    /// # Errors
    /// Where no family of Hugging Face has what the model has (ALiBi in a Llama, say), its files hold no packed weights (GPT-2), or the folder
    /// cannot be written.
    pub fn save_pretrained(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        if self.decoder().has_unmerged_lora() {
            let found = "adapters beside its weights".to_owned();
            return Err(Error::Unsupported { what: "saving a model with", found, supported: "merged adapters: merge_lora, or save_lora" });
        }
        let decoder = widened(self.decoder());
        let config = &decoder.config().clone().with_tied(decoder.config().tied && decoder.head.is_none());
        let family = family_of(config)?;
        let names = DecoderNames::new(family.style(), config);
        let modules = PackedModules::of(&decoder, &names)?;
        let store = if self.decoder().is_packed() { Stored::exact } else { Stored::f32 };
        let floats = collect(&*decoder, &names).into_iter().chain(modules.biases());
        let mut tensors: Vec<(String, Stored)> = floats
            .map(|(name, tensor)| {
                let values = half_split(&name, &tensor, config);
                (name, store(tensor.shape, values.as_deref().unwrap_or(&tensor.values)))
            })
            .collect();
        let mut file = sizes(config, family);
        extend(&mut file, details(config, family));
        extend(&mut file, ends(self));
        extend(&mut file, json!({ "torch_dtype": torch_dtype(&tensors) }));
        extend(&mut file, modules.quantization_config().map_or(Value::Null, |entry| json!({ "quantization_config": entry })));
        tensors.extend(modules.into_stored(|name, rows| half_split_order(name, rows, config))?);
        write_safetensors(tensors, folder)?;
        write_json(&file, &folder.join("config.json"))?;
        write_json(&ends(self), &folder.join("generation_config.json"))
    }

    /// Writes a new folder as [`save_pretrained`](Self::save_pretrained) does, with the tokenizer, chat templates and generation settings of the
    /// folder `source`, or else with `tokenizer`. It appears when all of it is on the disk: also after a crash it is whole or not there.
    ///
    /// # Errors
    /// As [`save_pretrained`](Self::save_pretrained), and where `folder` is not empty or a file cannot be copied.
    pub fn save_new(&self, folder: impl AsRef<Path>, source: Option<&Path>, tokenizer: Option<&Tokenizer>) -> Result<()> {
        write_new(folder.as_ref(), |draft| {
            self.save_pretrained(draft)?;
            if let Some(source) = source {
                let files = TOKENIZER.iter().chain(&COMPANIONS);
                files
                    .map(|name| Path::new(name).to_owned())
                    .chain(templates(source))
                    .try_for_each(|name| copy_if_there(&source.join(&name), &draft.join(name)))?;
            }
            match tokenizer.filter(|_| !draft.join("tokenizer.json").exists()) {
                Some(tokenizer) => tokenizer.save(draft),
                None => Ok(()),
            }
        })
    }
}

/// Names of a folder's further templates.
fn templates(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.join(TEMPLATES)).into_iter().flatten().flatten();
    entries.map(|entry| Path::new(TEMPLATES).join(entry.file_name())).collect()
}

/// The type that all of the tensors have; float32 where they differ.
fn torch_dtype(tensors: &[(String, Stored)]) -> &'static str {
    let mut types = tensors.iter().map(|(_, tensor)| tensor.torch_dtype());
    let first = types.next().unwrap_or("float32");
    if types.all(|other| other == first) { first } else { "float32" }
}

/// The family that can hold a model of this description.
fn family_of(config: &DecoderConfig) -> Result<Family> {
    let refuse = |found: &str| {
        let supported = "what one of gpt2, llama, mistral, qwen2, qwen3, phi3, gemma2 has";
        Err(Error::Unsupported { what: "saving a model with", found: found.to_owned(), supported })
    };
    match &config.positions {
        Positions::Learned if is_gpt2(config) => Ok(Family::Gpt2),
        Positions::Rope(rope) if config.norm == NormKind::RmsNorm && config.gated => match config.norm_placement {
            NormPlacement::Sandwich => Ok(Family::Gemma2),
            NormPlacement::Pre if config.embedding_scale.or(config.attention_scale).is_none() => Ok(llama_like(config, rope)),
            _ => refuse("post-norm or scaled embeddings"),
        },
        other => refuse(&format!("positions {other:?} and norm {:?}", config.norm)),
    }
}

fn is_gpt2(config: &DecoderConfig) -> bool {
    let biased = config.qkv_bias && config.output_bias && config.mlp_bias;
    let plain = !config.gated && !config.qk_norm && config.kv_heads() == config.n_heads && config.sliding_window.is_none();
    let norms = config.norm == NormKind::LayerNorm && config.norm_placement == NormPlacement::Pre;
    biased && plain && norms && config.n_heads * config.head_width() == config.d_model
}

fn llama_like(config: &DecoderConfig, rope: &RopeConfig) -> Family {
    if config.qk_norm {
        Family::Qwen3
    } else if config.qkv_bias && !config.output_bias {
        Family::Qwen2
    } else if rope.dim.is_some() || matches!(rope.scaling, RopeScaling::LongRope { .. }) {
        Family::Phi3
    } else if config.sliding_window.is_some() {
        Family::Mistral
    } else {
        Family::Llama
    }
}

fn sizes(config: &DecoderConfig, family: Family) -> Map<String, Value> {
    let (model_type, architecture) = family.names();
    let mut file = if family == Family::Gpt2 {
        json!({ "n_embd": config.d_model, "n_layer": config.n_layers, "n_head": config.n_heads, "n_inner": config.d_ff,
                "n_positions": config.max_positions, "activation_function": activation(config.activation),
                "layer_norm_epsilon": config.norm_eps })
    } else {
        json!({ "hidden_size": config.d_model, "num_hidden_layers": config.n_layers, "num_attention_heads": config.n_heads,
                "num_key_value_heads": config.kv_heads(), "head_dim": config.head_width(), "intermediate_size": config.d_ff,
                "max_position_embeddings": config.max_positions, "hidden_act": activation(config.activation),
                "rms_norm_eps": config.norm_eps })
    };
    let common = json!({ "model_type": model_type, "architectures": [architecture], "vocab_size": config.vocab_size,
                         "tie_word_embeddings": config.tied });
    let mut all = file.as_object_mut().map(std::mem::take).unwrap_or_default();
    extend(&mut all, common);
    all
}

/// What a family has beyond its sizes.
fn details(config: &DecoderConfig, family: Family) -> Value {
    let mut file = Map::new();
    if let Positions::Rope(rope) = &config.positions {
        extend(&mut file, rope_entries(rope, config));
    }
    if family != Family::Gpt2 {
        extend(
            &mut file,
            json!({ "attention_bias": config.output_bias, "mlp_bias": config.mlp_bias, "sliding_window": config.sliding_window }),
        );
    }
    if matches!(family, Family::Qwen2 | Family::Qwen3) {
        extend(&mut file, json!({ "use_sliding_window": config.sliding_window.is_some(), "max_window_layers": 0 }));
    }
    if let SlidingLayers::Listed(layers) = &config.sliding_layers {
        let kinds: Vec<&str> = layers.iter().map(|slides| if *slides { "sliding_attention" } else { "full_attention" }).collect();
        extend(&mut file, json!({ "layer_types": kinds }));
    }
    if family == Family::Gemma2 {
        let scalar = config.attention_scale.map_or(config.head_width() as f64, |scale| scale.powi(-2));
        extend(
            &mut file,
            json!({ "query_pre_attn_scalar": scalar, "attn_logit_softcapping": config.attention_softcap,
                                  "final_logit_softcapping": config.logit_softcap, "hidden_activation": activation(config.activation) }),
        );
    }
    Value::Object(file)
}

/// Null where there is none: families have ids of their own that would be taken otherwise.
fn ends(model: &CausalModel) -> Value {
    let eos = match model.eos() {
        [] => Value::Null,
        [one] => json!(one),
        many => json!(many),
    };
    json!({ "bos_token_id": model.bos(), "eos_token_id": eos })
}

/// Both spellings: `rope_theta` and `rope_scaling` for older readers, `rope_parameters` for newer ones.
fn rope_entries(rope: &RopeConfig, config: &DecoderConfig) -> Value {
    let mut scaling = match &rope.scaling {
        RopeScaling::None => json!({ "rope_type": "default" }),
        RopeScaling::Linear { factor } => json!({ "rope_type": "linear", "factor": factor }),
        RopeScaling::Dynamic { factor, .. } => json!({ "rope_type": "dynamic", "factor": factor }),
        RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original } => json!({ "rope_type": "llama3", "factor": factor,
            "low_freq_factor": low_freq_factor, "high_freq_factor": high_freq_factor, "original_max_position_embeddings": original }),
        RopeScaling::Yarn { factor, beta_fast, beta_slow, original, attention_factor, truncate } => json!({ "rope_type": "yarn",
            "factor": factor, "beta_fast": beta_fast, "beta_slow": beta_slow, "original_max_position_embeddings": original,
            "attention_factor": attention_factor, "truncate": truncate }),
        RopeScaling::LongRope { short_factor, long_factor, original, attention_factor } => json!({ "rope_type": "longrope",
            "short_factor": short_factor, "long_factor": long_factor, "original_max_position_embeddings": original,
            "attention_factor": attention_factor }),
    };
    let old = if rope.scaling == RopeScaling::None { Value::Null } else { scaling.clone() };
    scaling["rope_theta"] = json!(rope.theta);
    let mut file = json!({ "rope_theta": rope.theta, "rope_scaling": old });
    if let Some(dim) = rope.dim {
        let share = dim as f64 / config.head_width() as f64;
        scaling["partial_rotary_factor"] = json!(share);
        file["partial_rotary_factor"] = json!(share);
    }
    if let RopeScaling::LongRope { original, .. } = &rope.scaling {
        file["original_max_position_embeddings"] = json!(original);
    }
    file["rope_parameters"] = scaling;
    file
}

fn extend(map: &mut Map<String, Value>, more: Value) {
    if let Value::Object(more) = more {
        map.extend(more);
    }
}

fn activation(activation: Activation) -> &'static str {
    match activation {
        Activation::Gelu => "gelu",
        Activation::GeluTanh => "gelu_pytorch_tanh",
        Activation::Silu => "silu",
        Activation::Relu => "relu",
    }
}

fn is_rotated(name: &str) -> bool {
    name.contains(".q_proj.") || name.contains(".k_proj.")
}

/// Values of query and key weights with their rows in the order of [`half_split_order`].
fn half_split(name: &str, tensor: &NamedTensor, config: &DecoderConfig) -> Option<Vec<f32>> {
    let rows = tensor.shape[0];
    let columns = tensor.values.len() / rows;
    let order = half_split_order(name, rows, config)?;
    Some(order.into_iter().flat_map(|row| &tensor.values[row * columns..(row + 1) * columns]).copied().collect())
}

/// The rows of query and key weights as Hugging Face's models pair them, where the model pairs neighbours.
fn half_split_order(name: &str, rows: usize, config: &DecoderConfig) -> Option<Vec<usize>> {
    let Positions::Rope(RopeConfig { layout: RopeLayout::Interleaved, dim, .. }) = &config.positions else { return None };
    let head = config.head_width();
    let dim = dim.unwrap_or(head);
    let from = |row: usize| {
        let (start, place) = (row / head * head, row % head);
        if place < dim { start + place % (dim / 2) * 2 + place / (dim / 2) } else { row }
    };
    is_rotated(name).then(|| (0..rows).map(from).collect())
}
