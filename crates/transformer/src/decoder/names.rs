use super::config::DecoderConfig;
use crate::weights::{Layout, Naming, Part, Place};

/// How a family names and stores the parameters of a decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// One tensor a projection: Llama and those after it.
    Llama,
    /// Query, key and value in one tensor, gate and up in one.
    Phi3,
    /// Four norms a layer, which store their scale less 1.
    Gemma2,
    /// Weights `[in, out]`, query, key and value in one tensor.
    Gpt2,
}

/// The names of a decoder's tensors in Hugging Face's files.
#[derive(Clone, Debug)]
pub(crate) struct DecoderNames {
    style: Style,
    query: usize,
    key: usize,
    d_ff: usize,
}

impl DecoderNames {
    pub(crate) fn new(style: Style, config: &DecoderConfig) -> Self {
        let head = config.head_width();
        Self { style, query: config.n_heads * head, key: config.kv_heads() * head, d_ff: config.d_ff }
    }

    /// The tensor of a parameter within its layer, without the layer's prefix.
    fn in_layer(&self, path: &str) -> (String, Option<Part>) {
        let (module, kind) = path.rsplit_once('.').unwrap_or((path, ""));
        let module = module.strip_suffix(".linear").unwrap_or(module);
        let (name, part) = match self.style {
            Style::Gpt2 => self.gpt2(module),
            Style::Phi3 => self.phi3(module),
            Style::Llama => (llama(module), None),
            Style::Gemma2 => (gemma2(module), None),
        };
        (format!("{name}.{kind}"), part)
    }

    fn gpt2(&self, module: &str) -> (&'static str, Option<Part>) {
        match module {
            "attention_norm" => ("ln_1", None),
            "feed_forward_norm" => ("ln_2", None),
            "attention.output" => ("attn.c_proj", None),
            "feed_forward.up" => ("mlp.c_fc", None),
            "feed_forward.down" => ("mlp.c_proj", None),
            other => ("attn.c_attn", Some(self.qkv(other))),
        }
    }

    fn phi3(&self, module: &str) -> (&'static str, Option<Part>) {
        match module {
            "attention.query" | "attention.key" | "attention.value" => ("self_attn.qkv_proj", Some(self.qkv(module))),
            "feed_forward.gate" => ("mlp.gate_up_proj", Some(Part { start: 0, total: 2 * self.d_ff })),
            "feed_forward.up" => ("mlp.gate_up_proj", Some(Part { start: self.d_ff, total: 2 * self.d_ff })),
            other => (llama(other), None),
        }
    }

    fn qkv(&self, module: &str) -> Part {
        let total = self.query + 2 * self.key;
        let start = match module {
            "attention.query" => 0,
            "attention.key" => self.query,
            _ => self.query + self.key,
        };
        Part { start, total }
    }
}

impl Naming for DecoderNames {
    fn place(&self, path: &str) -> Option<Place> {
        if path.contains(".lora.") || path.contains(".packed.") {
            return None;
        }
        let gpt2 = self.style == Style::Gpt2;
        let named = |name: &str| Place { name: name.to_owned(), part: None, layout: Layout::AsIs, offset: 0.0 };
        match path {
            "embedding.weight" => return Some(named(if gpt2 { "transformer.wte.weight" } else { "model.embed_tokens.weight" })),
            "positions" => return Some(named("transformer.wpe.weight")),
            "head.linear.weight" => return Some(Place { layout: Layout::OutIn, ..named("lm_head.weight") }),
            _ => {}
        }
        let offset = if self.style == Style::Gemma2 && path.contains("norm") { 1.0 } else { 0.0 };
        if let Some(kind) = path.strip_prefix("norm.") {
            return Some(Place { offset, ..named(&format!("{}.{kind}", if gpt2 { "transformer.ln_f" } else { "model.norm" })) });
        }
        let (index, rest) = path.strip_prefix("layers.").and_then(|path| path.split_once('.')).unwrap_or(("", path));
        let (name, part) = self.in_layer(rest);
        let prefix = if gpt2 { "transformer.h" } else { "model.layers" };
        let layout = if rest.ends_with("linear.weight") && !gpt2 { Layout::OutIn } else { Layout::AsIs };
        Some(Place { part, layout, offset, ..named(&format!("{prefix}.{index}.{name}")) })
    }

    fn alias(&self, name: &str) -> String {
        let bare_gpt2 = self.style == Style::Gpt2 && !name.starts_with("transformer.") && !name.starts_with("lm_head");
        if bare_gpt2 { format!("transformer.{name}") } else { name.to_owned() }
    }

    fn ignores(&self, name: &str) -> bool {
        // Buffers of old files, and heads that are the embedding written out once more.
        let buffers = ["rotary_emb.inv_freq", ".attn.bias", ".attn.masked_bias"];
        buffers.iter().any(|buffer| name.ends_with(buffer)) || name == "lm_head.weight"
    }
}

fn llama(module: &str) -> &'static str {
    match module {
        "attention.query" => "self_attn.q_proj",
        "attention.key" => "self_attn.k_proj",
        "attention.value" => "self_attn.v_proj",
        "attention.output" => "self_attn.o_proj",
        "attention.query_norm" => "self_attn.q_norm",
        "attention.key_norm" => "self_attn.k_norm",
        "feed_forward.gate" => "mlp.gate_proj",
        "feed_forward.up" => "mlp.up_proj",
        "feed_forward.down" => "mlp.down_proj",
        "attention_norm" => "input_layernorm",
        "feed_forward_norm" => "post_attention_layernorm",
        other => unreachable!("a decoder has no module `{other}`"),
    }
}

fn gemma2(module: &str) -> &'static str {
    match module {
        "attention_out_norm" => "post_attention_layernorm",
        "feed_forward_norm" => "pre_feedforward_layernorm",
        "feed_forward_out_norm" => "post_feedforward_layernorm",
        other => llama(other),
    }
}
