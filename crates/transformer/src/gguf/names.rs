//! What tensors are called, and how they are stored, beside Hugging Face's files.

/// Factors of rotary frequencies, which become a setting.
pub(super) const ROPE_FREQS: &str = "rope_freqs.weight";
pub(super) const ROPE_LONG: &str = "rope_factors_long.weight";
pub(super) const ROPE_SHORT: &str = "rope_factors_short.weight";

/// An architecture of llama.cpp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arch {
    /// Llama, Mistral and SmolLM2.
    Llama,
    Qwen2,
    Qwen3,
    Phi3,
    Gemma2,
    Gpt2,
}

/// How values are stored otherwise than in Hugging Face's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    Same,
    /// Rows of each head in pairs that rotate together, of `heads` heads of queries or of keys.
    Paired {
        of_keys: bool,
    },
    /// `[outputs, inputs]` instead of `[inputs, outputs]`.
    Turned,
    /// 1 larger.
    Shifted,
}

impl Arch {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "llama" => Self::Llama,
            "qwen2" => Self::Qwen2,
            "qwen3" => Self::Qwen3,
            "phi3" => Self::Phi3,
            "gemma2" => Self::Gemma2,
            "gpt2" => Self::Gpt2,
            _ => return None,
        })
    }

    /// Hugging Face's name.
    pub(super) fn model_type(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Phi3 => "phi3",
            Self::Gemma2 => "gemma2",
            Self::Gpt2 => "gpt2",
        }
    }

    /// The tensor that Hugging Face calls `name`, and how it is stored.
    pub(super) fn tensor(self, name: &str) -> (String, Stored) {
        let bare = name.trim_start_matches("transformer.").trim_start_matches("model.");
        let (module, kind) = bare.rsplit_once('.').unwrap_or((bare, ""));
        let layer = module.strip_prefix("layers.").or_else(|| module.strip_prefix("h.")).and_then(|rest| rest.split_once('.'));
        let place = match layer {
            Some((index, module)) => format!("blk.{index}.{}", self.in_layer(module)),
            None => outside(module).to_owned(),
        };
        (format!("{place}.{kind}"), self.stored(module, kind))
    }

    fn in_layer(self, module: &str) -> &'static str {
        match module {
            "input_layernorm" | "ln_1" => "attn_norm",
            "self_attn.q_proj" => "attn_q",
            "self_attn.k_proj" => "attn_k",
            "self_attn.v_proj" => "attn_v",
            "self_attn.qkv_proj" | "attn.c_attn" => "attn_qkv",
            "self_attn.o_proj" | "attn.c_proj" => "attn_output",
            "self_attn.q_norm" => "attn_q_norm",
            "self_attn.k_norm" => "attn_k_norm",
            "post_attention_layernorm" if self == Self::Gemma2 => "post_attention_norm",
            "post_attention_layernorm" | "pre_feedforward_layernorm" | "ln_2" => "ffn_norm",
            "post_feedforward_layernorm" => "post_ffw_norm",
            "mlp.gate_proj" => "ffn_gate",
            // Phi-3's gate and up lie in one tensor under the name of the latter.
            "mlp.gate_up_proj" | "mlp.up_proj" | "mlp.c_fc" => "ffn_up",
            "mlp.down_proj" | "mlp.c_proj" => "ffn_down",
            other => unreachable!("a decoder has no module `{other}`"),
        }
    }

    fn stored(self, module: &str, kind: &str) -> Stored {
        match self {
            Self::Llama if module.ends_with("q_proj") => Stored::Paired { of_keys: false },
            Self::Llama if module.ends_with("k_proj") => Stored::Paired { of_keys: true },
            Self::Gemma2 if module.ends_with("norm") => Stored::Shifted,
            Self::Gpt2 if module.contains(".c_") && kind == "weight" => Stored::Turned,
            _ => Stored::Same,
        }
    }
}

fn outside(module: &str) -> &'static str {
    match module {
        "embed_tokens" | "wte" => "token_embd",
        "wpe" => "position_embd",
        "norm" | "ln_f" => "output_norm",
        "lm_head" => "output",
        other => unreachable!("a decoder has no module `{other}`"),
    }
}
