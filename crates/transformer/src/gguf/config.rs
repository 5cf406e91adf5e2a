//! Metadata of a file as a `config.json`.

use jarre_quant::gguf::{GgufFile, Metadata};
use serde_json::{Map, Value, json};

use super::Reason;
use super::names::{Arch, ROPE_FREQS, ROPE_LONG, ROPE_SHORT};
use super::tokenizer::begins_texts;

pub(super) const CHAT_TEMPLATE: &str = "tokenizer.chat_template";

const SUPPORTED: &str = "llama, qwen2, qwen3, phi3, gemma2, gpt2";

/// Settings of Llama 3's frequencies that its files do not hold: those of all its models.
const LLAMA3: [f64; 3] = [1.0, 4.0, 8192.0];

/// How far a frequency's factor may lie from Llama 3's.
const FACTOR_TOLERANCE: f64 = 1e-3;

pub(super) struct Config {
    pub(super) arch: Arch,
    pub(super) json: Value,
}

/// The keys of one architecture.
struct Keys<'a> {
    metadata: &'a Metadata,
    arch: &'a str,
}

impl Keys<'_> {
    fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.arch)
    }

    fn size(&self, name: &str) -> Result<u64, Reason> {
        Ok(self.metadata.get_u64(&self.key(name))?)
    }

    fn size_if_there(&self, name: &str) -> Result<Option<u64>, Reason> {
        if self.metadata.get(&self.key(name)).is_none() { Ok(None) } else { self.size(name).map(Some) }
    }

    fn number_if_there(&self, name: &str) -> Result<Option<f64>, Reason> {
        let key = self.key(name);
        if self.metadata.get(&key).is_none() { Ok(None) } else { Ok(Some(f64::from(self.metadata.get_f32(&key)?))) }
    }
}

/// What the file says of its model.
pub(super) fn of(file: &GgufFile) -> Result<Config, Reason> {
    let metadata = file.metadata();
    let name = metadata.get_str("general.architecture")?;
    let unsupported = |what, found: String, supported| Reason::Unsupported { what, found, supported };
    let arch = Arch::named(name).ok_or_else(|| unsupported("architecture", name.to_owned(), SUPPORTED))?;
    let keys = Keys { metadata, arch: name };
    if keys.size_if_there("expert_count")?.is_some_and(|experts| experts > 0) {
        return Err(unsupported("feed-forward network", "experts".to_owned(), "one network a layer"));
    }
    let has = |tensor: &str| file.tensor(tensor).is_ok();
    let width = keys.size("embedding_length")?;
    let heads = keys.size("attention.head_count")?;
    let head = keys.size_if_there("attention.key_length")?.unwrap_or(width / heads.max(1));
    let mut json = json!({
        "model_type": model_type(arch, has),
        // Tokens: no key holds them in older files.
        "vocab_size": rows(file, "token_embd.weight")?,
        "hidden_size": width,
        "num_hidden_layers": keys.size("block_count")?,
        "num_attention_heads": heads,
        "num_key_value_heads": keys.size_if_there("attention.head_count_kv")?.unwrap_or(heads),
        "head_dim": head,
        // llama.cpp's converter writes four times the width for every GPT-2, whatever its network has.
        "intermediate_size": if arch == Arch::Gpt2 { rows(file, "blk.0.ffn_up.weight")? } else { keys.size("feed_forward_length")? },
        "max_position_embeddings": keys.size("context_length")?,
        "rms_norm_eps": epsilon(&keys, arch)?,
        "tie_word_embeddings": !has("output.weight"),
        "attention_bias": arch == Arch::Llama && has("blk.0.attn_output.bias"),
        "mlp_bias": arch == Arch::Llama && has("blk.0.ffn_up.bias"),
        // Files of models without a window may say that it is 0.
        "sliding_window": keys.size_if_there("attention.sliding_window")?.filter(|&window| window > 0),
        "attn_logit_softcapping": keys.number_if_there("attn_logit_softcapping")?,
        "final_logit_softcapping": keys.number_if_there("final_logit_softcapping")?,
        "bos_token_id": id(metadata, "bos").filter(|_| begins_texts(metadata)),
        "eos_token_id": ends(metadata),
    });
    let map = json.as_object_mut().expect("it was written as an object");
    if arch == Arch::Gemma2 {
        // Only the largest model divides by another number than the root of a head's width, and the file does not say so.
        let scalar = if keys.size("block_count")? == 46 { width / heads.max(1) } else { head };
        map.insert("query_pre_attn_scalar".to_owned(), json!(scalar));
    }
    if arch != Arch::Gpt2 {
        rope(file, &keys, head, map)?;
    }
    Ok(Config { arch, json })
}

/// A Llama whose queries, keys and values have biases, and whose outputs have none, is what others call Qwen 2.
fn model_type(arch: Arch, has: impl Fn(&str) -> bool) -> &'static str {
    let half = arch == Arch::Llama && has("blk.0.attn_q.bias") && !has("blk.0.attn_output.bias");
    if half { Arch::Qwen2.model_type() } else { arch.model_type() }
}

/// Rows of a table, which files list last.
fn rows(file: &GgufFile, tensor: &str) -> Result<u64, Reason> {
    file.tensor(tensor)?.dims().get(1).copied().ok_or_else(|| Reason::Malformed(format!("`{tensor}` is no table")))
}

fn epsilon(keys: &Keys<'_>, arch: Arch) -> Result<f64, Reason> {
    let name = if arch == Arch::Gpt2 { "attention.layer_norm_epsilon" } else { "attention.layer_norm_rms_epsilon" };
    Ok(f64::from(keys.metadata.get_f32(&keys.key(name))?))
}

fn id(metadata: &Metadata, name: &str) -> Option<u64> {
    metadata.get_u64(&format!("tokenizer.ggml.{name}_token_id")).ok()
}

/// Tokens that end a text, and a turn of a conversation.
fn ends(metadata: &Metadata) -> Value {
    let mut ids: Vec<u64> = ["eos", "eot", "eom"].iter().filter_map(|name| id(metadata, name)).collect();
    ids.dedup();
    if ids.is_empty() { Value::Null } else { json!(ids) }
}

/// Rotary settings; scalings stand in keys, or as factors in tensors.
fn rope(file: &GgufFile, keys: &Keys<'_>, head: u64, map: &mut Map<String, Value>) -> Result<(), Reason> {
    let theta = keys.number_if_there("rope.freq_base")?.unwrap_or(10_000.0);
    map.insert("rope_theta".to_owned(), json!(theta));
    let dim = keys.size_if_there("rope.dimension_count")?.unwrap_or(head);
    if dim != head {
        map.insert("partial_rotary_factor".to_owned(), json!(dim as f64 / head as f64));
    }
    let original = keys.size_if_there("rope.scaling.original_context_length")?;
    let scaling = if file.tensor(ROPE_FREQS).is_ok() {
        Some(divided(&file.read_f32(ROPE_FREQS)?, theta, keys.size("context_length")?))
    } else if file.tensor(ROPE_LONG).is_ok() {
        let factor = keys.number_if_there("rope.scaling.attn_factor")?;
        Some(json!({ "rope_type": "longrope", "short_factor": file.read_f32(ROPE_SHORT)?, "long_factor": file.read_f32(ROPE_LONG)?,
                     "attention_factor": factor, "original_max_position_embeddings": original }))
    } else {
        keyed(keys, original)?
    };
    if let Some(scaling) = scaling {
        map.insert("rope_scaling".to_owned(), scaling);
    }
    Ok(())
}

/// A scaling that stands in keys.
fn keyed(keys: &Keys<'_>, original: Option<u64>) -> Result<Option<Value>, Reason> {
    let key = keys.key("rope.scaling.type");
    if keys.metadata.get(&key).is_none() {
        // How older files said it.
        let factor = keys.number_if_there("rope.scale_linear")?.filter(|factor| (factor - 1.0).abs() > f64::EPSILON);
        return Ok(factor.map(|factor| json!({ "rope_type": "linear", "factor": factor })));
    }
    let factor = keys.number_if_there("rope.scaling.factor")?;
    match keys.metadata.get_str(&key)? {
        "none" => Ok(None),
        kind @ ("linear" | "yarn") => {
            // A file's factor comes on top of what YaRN itself makes of the scaling.
            let own = factor.map_or(1.0, |factor| if factor > 1.0 { 0.1 * factor.ln() + 1.0 } else { 1.0 });
            let attention = keys.number_if_there("rope.scaling.attn_factor")?.map(|more| more * own);
            Ok(Some(
                json!({ "rope_type": kind, "factor": factor, "original_max_position_embeddings": original, "attention_factor": attention }),
            ))
        }
        other => {
            Err(Reason::Unsupported { what: "rope scaling", found: other.to_owned(), supported: "none, linear, yarn, factors in tensors" })
        }
    }
}

/// Llama 3's scaling, found again from the factors that it divides frequencies by (the largest, or one of those that its models have), or else
/// the factors themselves.
fn divided(factors: &[f32], theta: f64, context: u64) -> Value {
    let largest = f64::from(factors.iter().copied().fold(1.0_f32, f32::max));
    let [low, high, original] = LLAMA3;
    let expected = |factor: f64, index: usize| {
        let wavelength = std::f64::consts::TAU * theta.powf(index as f64 / factors.len() as f64);
        let smooth = ((original / wavelength - low) / (high - low)).clamp(0.0, 1.0);
        1.0 / ((1.0 - smooth) / factor + smooth)
    };
    let near = |factor: f64, (index, found): (usize, &f32)| (f64::from(*found) / expected(factor, index) - 1.0).abs() < FACTOR_TOLERANCE;
    match [largest, 8.0, 32.0].into_iter().find(|&factor| factors.iter().enumerate().all(|found| near(factor, found))) {
        Some(factor) => json!({ "rope_type": "llama3", "factor": factor, "low_freq_factor": low, "high_freq_factor": high,
                                "original_max_position_embeddings": original as u64 }),
        None => json!({ "rope_type": "longrope", "short_factor": factors, "long_factor": factors, "attention_factor": 1.0,
                        "original_max_position_embeddings": context }),
    }
}
