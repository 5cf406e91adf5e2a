//! Files that are written here, from random models, and read again.

use burn::tensor::{Device, Tensor};
use jarre_quant::gguf::{GgufWriter, TensorType, Value};

use crate::chat_template::{ChatInput, ChatTemplate};
use crate::decoder::{CausalModel, Decoder, DecoderConfig, DecoderFolder, NormKind, NormPlacement};
use crate::position::{Positions, RopeConfig, RopeScaling};
use crate::weights::{NamedTensor, collect};
use crate::{Activation, Error, Sequences, Tokenizer};

const IDS: [u32; 6] = [1, 7, 3, 30, 2, 9];

fn logits(decoder: &Decoder) -> Tensor<3> {
    decoder.forward(&Sequences::right_padded(&[&IDS], 0))
}

/// Rows of each head as llama.cpp writes them: first and second halves in turn.
fn paired(tensor: &NamedTensor, heads: usize) -> Vec<f32> {
    let columns = tensor.shape.get(1).copied().unwrap_or(1);
    let width = tensor.shape[0] / heads;
    let mut out = Vec::new();
    for head in 0..heads {
        for pair in 0..width / 2 {
            for half in 0..2 {
                let row = head * width + half * (width / 2) + pair;
                out.extend_from_slice(&tensor.values[row * columns..(row + 1) * columns]);
            }
        }
    }
    out
}

fn turned(tensor: &NamedTensor) -> (Vec<usize>, Vec<f32>) {
    let [inputs, outputs] = [tensor.shape[0], tensor.shape[1]];
    let values = (0..outputs).flat_map(|o| (0..inputs).map(move |i| tensor.values[i * outputs + o])).collect();
    (vec![outputs, inputs], values)
}

/// A kind of model: how its file calls it, what its `config.json` would, and names of its tensors in both.
struct Kind {
    arch: &'static str,
    config: DecoderConfig,
    names: Vec<(&'static str, &'static str)>,
}

const LLAMA: [(&str, &str); 9] = [
    ("input_layernorm", "attn_norm"),
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"),
    ("self_attn.o_proj", "attn_output"),
    ("post_attention_layernorm", "ffn_norm"),
    ("mlp.gate_proj", "ffn_gate"),
    ("mlp.up_proj", "ffn_up"),
    ("mlp.down_proj", "ffn_down"),
];

fn kinds() -> Vec<Kind> {
    let base = DecoderConfig::new(40, 32, 4, 2, 48).with_init_std(0.3).with_max_positions(64).with_n_kv_heads(Some(2));
    let rope = |scaling| Positions::Rope(RopeConfig::new(10_000.0).with_scaling(scaling));
    let llama3 = RopeScaling::Llama3 { factor: 8.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original: 8192 };
    let without = |gone: &[&str]| LLAMA.iter().copied().filter(|(name, _)| !gone.contains(name)).collect::<Vec<_>>();
    let qk = [("self_attn.q_norm", "attn_q_norm"), ("self_attn.k_norm", "attn_k_norm")];
    let mut gemma = without(&["post_attention_layernorm"]);
    gemma.extend([
        ("post_attention_layernorm", "post_attention_norm"),
        ("pre_feedforward_layernorm", "ffn_norm"),
        ("post_feedforward_layernorm", "post_ffw_norm"),
    ]);
    let mut phi = without(&["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "mlp.gate_proj", "mlp.up_proj"]);
    phi.extend([("self_attn.qkv_proj", "attn_qkv"), ("mlp.gate_up_proj", "ffn_up")]);
    let gpt2 = [
        ("ln_1", "attn_norm"),
        ("ln_2", "ffn_norm"),
        ("attn.c_attn", "attn_qkv"),
        ("attn.c_proj", "attn_output"),
        ("mlp.c_fc", "ffn_up"),
        ("mlp.c_proj", "ffn_down"),
    ];
    vec![
        Kind { arch: "llama", config: base.clone().with_positions(rope(llama3)), names: LLAMA.to_vec() },
        Kind { arch: "llama", config: base.clone().with_tied(true), names: LLAMA.to_vec() },
        Kind { arch: "llama", config: base.clone().with_qkv_bias(true), names: LLAMA.to_vec() },
        Kind { arch: "qwen2", config: base.clone().with_qkv_bias(true), names: LLAMA.to_vec() },
        Kind { arch: "qwen3", config: base.clone().with_qk_norm(true).with_head_dim(Some(16)), names: [&LLAMA[..], &qk].concat() },
        Kind { arch: "phi3", config: base.clone().with_sliding_window(Some(5)), names: phi },
        Kind {
            arch: "gemma2",
            config: base
                .clone()
                .with_norm_placement(NormPlacement::Sandwich)
                .with_activation(Activation::GeluTanh)
                .with_embedding_scale(Some(32.0_f64.sqrt()))
                .with_attention_scale(Some(8.0_f64.sqrt().recip()))
                .with_attention_softcap(Some(50.0))
                .with_logit_softcap(Some(30.0))
                .with_tied(true),
            names: gemma,
        },
        Kind {
            arch: "gpt2",
            config: base
                .with_n_kv_heads(None)
                .with_positions(Positions::Learned)
                .with_norm(NormKind::LayerNorm)
                .with_activation(Activation::GeluTanh)
                .with_gated(false)
                .with_qkv_bias(true)
                .with_output_bias(true)
                .with_mlp_bias(true)
                .with_tied(true),
            names: gpt2.to_vec(),
        },
    ]
}

impl Kind {
    fn metadata(&self, writer: &mut GgufWriter<'_>) {
        let (arch, config) = (self.arch, &self.config);
        let mut set = |key: &str, value: Value| writer.insert(format!("{arch}.{key}"), value);
        set("context_length", (config.max_positions as u32).into());
        set("embedding_length", (config.d_model as u32).into());
        set("block_count", (config.n_layers as u32).into());
        set("feed_forward_length", (config.d_ff as u32).into());
        set("attention.head_count", (config.n_heads as u32).into());
        set("attention.head_count_kv", (config.kv_heads() as u32).into());
        set("attention.key_length", (config.head_width() as u32).into());
        let norm = if arch == "gpt2" { "attention.layer_norm_epsilon" } else { "attention.layer_norm_rms_epsilon" };
        set(norm, (config.norm_eps as f32).into());
        if let Some(window) = config.sliding_window {
            set("attention.sliding_window", (window as u32).into());
        }
        if let (Some(attention), Some(logit)) = (config.attention_softcap, config.logit_softcap) {
            set("attn_logit_softcapping", (attention as f32).into());
            set("final_logit_softcapping", (logit as f32).into());
        }
        writer.insert("general.architecture", arch);
        writer.insert("tokenizer.ggml.model", "llama");
        writer.insert("tokenizer.ggml.bos_token_id", 1_u32);
        writer.insert("tokenizer.ggml.eos_token_id", 2_u32);
    }

    fn name(&self, name: &str) -> String {
        let bare = name.trim_start_matches("transformer.").trim_start_matches("model.");
        let outside = [("embed_tokens", "token_embd"), ("wte", "token_embd"), ("wpe", "position_embd"), ("norm", "output_norm")];
        let (module, kind) = bare.rsplit_once('.').unwrap();
        if let Some((index, rest)) = module.strip_prefix("layers.").or_else(|| module.strip_prefix("h.")).and_then(|x| x.split_once('.')) {
            let own = self.names.iter().find(|(name, _)| *name == rest).unwrap_or_else(|| panic!("{name}")).1;
            return format!("blk.{index}.{own}.{kind}");
        }
        let outside = outside.iter().chain(&[("ln_f", "output_norm"), ("lm_head", "output")]).find(|(name, _)| *name == module);
        format!("{}.{kind}", outside.unwrap_or_else(|| panic!("{name}")).1)
    }

    /// The decoder, and its file with weights of `kind`.
    fn file(&self, tensor_type: TensorType) -> (Decoder, Vec<u8>) {
        let decoder = self.config.init(&Device::flex());
        let names = DecoderFolder::names_of(self.arch, &self.config);
        let mut tensors: Vec<(String, Vec<u64>, Vec<f32>)> = Vec::new();
        for (name, tensor) in collect(&decoder, &names) {
            let (mut shape, mut values) = (tensor.shape.clone(), tensor.values.clone());
            match self.arch {
                "llama" if name.contains("q_proj") => values = paired(&tensor, self.config.n_heads),
                "llama" if name.contains("k_proj") => values = paired(&tensor, self.config.kv_heads()),
                "gemma2" if name.contains("norm") => values.iter_mut().for_each(|value| *value += 1.0),
                "gpt2" if name.contains(".c_") && name.ends_with("weight") => (shape, values) = turned(&tensor),
                _ => {}
            }
            tensors.push((self.name(&name), shape.iter().rev().map(|&size| size as u64).collect(), values));
        }
        if let Positions::Rope(RopeConfig { scaling: RopeScaling::Llama3 { .. }, .. }) = &self.config.positions {
            // Heads of 8: the wavelengths 2 pi 10000^(i / 4) are 6, 63, 628 and 6283; the first three are below 8192 / 4.
            let smooth = (8192.0 / (std::f32::consts::TAU * 1000.0) - 1.0) / 3.0;
            tensors.push(("rope_freqs.weight".to_owned(), vec![4], vec![1.0, 1.0, 1.0, 1.0 / ((1.0 - smooth) / 8.0 + smooth)]));
        }
        let mut writer = GgufWriter::new();
        self.metadata(&mut writer);
        for (name, dims, values) in &tensors {
            let tensor_type = if dims.len() > 1 { tensor_type } else { TensorType::F32 };
            writer.add_tensor(name.clone(), dims, tensor_type, values).unwrap();
        }
        let mut bytes = Vec::new();
        writer.write_to(&mut bytes).unwrap();
        (decoder, bytes)
    }
}

fn saved(bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

#[test]
fn every_family_gives_the_logits_that_were_written() {
    for kind in kinds() {
        for (tensor_type, bound) in [(TensorType::F32, 1e-4), (TensorType::F16, 0.05)] {
            let (decoder, bytes) = kind.file(tensor_type);
            let (_folder, path) = saved(&bytes);
            let read = CausalModel::from_gguf(&path, &Device::flex()).unwrap();
            assert_eq!((read.bos(), read.eos()), (Some(1), &[2][..]));
            let difference: f32 = (logits(&decoder) - logits(read.decoder())).abs().max().into_scalar();
            assert!(difference < bound, "{} {tensor_type:?}: {difference}\n{:?}", kind.arch, read.config());
        }
    }
}

#[test]
fn files_that_are_something_else_are_refused() {
    let device = Device::flex();
    let kind = kinds().remove(1);
    let read = |edit: &dyn Fn(&mut GgufWriter<'_>)| {
        let mut writer = GgufWriter::new();
        kind.metadata(&mut writer);
        writer.add_tensor("token_embd.weight", &[32, 40], TensorType::F32, &[0.5; 40 * 32]).unwrap();
        edit(&mut writer);
        let mut bytes = Vec::new();
        writer.write_to(&mut bytes).unwrap();
        let (_folder, path) = saved(&bytes);
        CausalModel::from_gguf(&path, &device).unwrap_err()
    };
    let Error::Weights { missing, .. } = read(&|_| {}) else { panic!("tensors are missing") };
    assert!(missing.contains(&"blk.1.attn_q.weight".to_owned()) && missing.contains(&"output_norm.weight".to_owned()));
    let message = |edit: &dyn Fn(&mut GgufWriter<'_>)| read(edit).to_string();
    assert!(message(&|writer| writer.insert("general.architecture", "mamba")).contains("mamba"));
    assert!(message(&|writer| writer.insert("llama.expert_count", 8_u32)).contains("experts"));
    assert!(message(&|writer| writer.insert("llama.block_count", "two")).contains("llama.block_count"));
    assert!(message(&|writer| writer.insert("llama.rope.scaling.type", "spiral")).contains("spiral"));
    assert!(message(&|writer| writer.insert("llama.attention.head_count", 0_u32)).contains("make no decoder"));
    let missing = CausalModel::from_gguf("/nowhere/model.gguf", &device).unwrap_err();
    assert!(matches!(missing, Error::Io { .. }), "{missing}");
}

fn strings(values: &[&str]) -> Value {
    jarre_quant::gguf::Array::String(values.iter().map(|&value| value.to_owned()).collect()).into()
}

fn vocabulary(edit: impl Fn(&mut GgufWriter<'_>)) -> (tempfile::TempDir, std::path::PathBuf) {
    let mut writer = GgufWriter::new();
    edit(&mut writer);
    let mut bytes = Vec::new();
    writer.write_to(&mut bytes).unwrap();
    saved(&bytes)
}

#[test]
fn sentencepiece_joins_by_score_and_spells_what_it_does_not_know() {
    let mut tokens: Vec<String> = ["<unk>", "<s>", "</s>"].map(str::to_owned).to_vec();
    tokens.extend((0..=255).map(|byte| format!("<0x{byte:02X}>")));
    tokens.extend(["\u{2581}", "a", "b", "ab", "\u{2581}a", "ba", "\u{2581}ab"].map(str::to_owned));
    let mut scores = vec![0.0_f32; 259];
    scores.extend([-9.0, -8.0, -7.0, -1.0, -2.0, -0.5, -3.0]);
    let kinds: Vec<i32> = (0..tokens.len())
        .map(|id| {
            if id == 0 {
                2
            } else if id < 3 {
                3
            } else if id < 259 {
                6
            } else {
                1
            }
        })
        .collect();
    let write = |writer: &mut GgufWriter<'_>| {
        writer.insert("tokenizer.ggml.model", "llama");
        writer.insert("tokenizer.ggml.tokens", strings(&tokens.iter().map(String::as_str).collect::<Vec<_>>()));
        writer.insert("tokenizer.ggml.scores", Value::from(jarre_quant::gguf::Array::F32(scores.clone())));
        writer.insert("tokenizer.ggml.token_type", Value::from(jarre_quant::gguf::Array::I32(kinds.clone())));
        writer.insert("tokenizer.ggml.bos_token_id", 1_u32);
        writer.insert("tokenizer.chat_template", "{{ bos_token }}{{ messages[0].content }}");
    };
    let (_folder, path) = vocabulary(write);
    let tokenizer = Tokenizer::from_gguf(&path).unwrap();
    let pieces =
        |text: &str| -> Vec<String> { tokenizer.encode_plain(text).unwrap().into_iter().map(|id| tokenizer.token(id).unwrap()).collect() };
    // Vocabularies of this kind begin a text where the file does not say otherwise.
    assert_eq!(tokenizer.encode("ab").unwrap().first(), Some(&1));
    // `ba` has the highest score of all, then `ab`.
    assert_eq!(pieces("aba"), ["\u{2581}a", "ba"]);
    assert_eq!(pieces("ab"), ["\u{2581}ab"]);
    assert_eq!(pieces("é"), ["\u{2581}", "<0xC3>", "<0xA9>"]);
    for text in ["aba b é", "  a", "b\n"] {
        assert_eq!(tokenizer.decode(&tokenizer.encode_plain(text).unwrap()).unwrap(), text);
    }
    let template = ChatTemplate::from_gguf(&path).unwrap().unwrap();
    let messages = [jarre_core::Message::user("hi")];
    assert_eq!(template.render(&ChatInput::new(&messages)).unwrap(), "<s>hi");
}

fn bert() -> (tempfile::TempDir, std::path::PathBuf) {
    vocabulary(|writer| {
        writer.insert("tokenizer.ggml.model", "bert");
        writer.insert("tokenizer.ggml.tokens", strings(&["[UNK]", "[CLS]", "[SEP]", "\u{2581}hello", "\u{2581}lot", "s"]));
        writer.insert("tokenizer.ggml.token_type", Value::from(jarre_quant::gguf::Array::I32(vec![3, 3, 3, 1, 1, 1])));
        for (name, id) in [("unknown", 0_u32), ("cls", 1), ("seperator", 2)] {
            writer.insert(format!("tokenizer.ggml.{name}_token_id"), id);
        }
    })
}

#[test]
fn byte_level_vocabularies_split_as_they_say() {
    let digits: Vec<String> = ('0'..='9').map(|digit| digit.to_string()).collect();
    let mut tokens: Vec<&str> = digits.iter().map(String::as_str).collect();
    tokens.extend(["12", "123", "1234", "<|end|>", "a", "\u{120}a", "\u{120}"]);
    let file = |split: &'static str| {
        vocabulary(|writer| {
            writer.insert("tokenizer.ggml.model", "gpt2");
            writer.insert("tokenizer.ggml.pre", split);
            writer.insert("tokenizer.ggml.tokens", strings(&tokens));
            writer.insert("tokenizer.ggml.merges", strings(&["1 2", "12 3", "123 4", "\u{120} a"]));
            let kinds = (0..tokens.len()).map(|id| if id == 13 { 3 } else { 1 }).collect();
            writer.insert("tokenizer.ggml.token_type", Value::from(jarre_quant::gguf::Array::I32(kinds)));
        })
    };
    for (split, expected) in [
        ("gpt-2", &["1234"][..]),
        ("default", &["123", "4"]),
        ("llama-bpe", &["123", "4"]),
        ("llama-v3", &["123", "4"]),
        ("qwen2", &["1", "2", "3", "4"]),
    ] {
        let (_folder, path) = file(split);
        let tokenizer = Tokenizer::from_gguf(&path).unwrap();
        let ids = tokenizer.encode_plain("1234<|end|>").unwrap();
        let found: Vec<String> = ids.iter().map(|&id| tokenizer.token(id).unwrap()).collect();
        assert_eq!(found, [expected, &["<|end|>"]].concat(), "{split}");
    }
    let (_folder, path) = bert();
    let tokenizer = Tokenizer::from_gguf(&path).unwrap();
    assert_eq!(tokenizer.encode("Hello lots").unwrap(), [1, 3, 4, 5, 2]);
    assert_eq!(tokenizer.encode_plain("HELLO").unwrap(), [3]);
    let (_folder, path) = file("runes");
    assert!(Tokenizer::from_gguf(&path).unwrap_err().to_string().contains("runes"));
    assert!(ChatTemplate::from_gguf(&path).unwrap().is_none());
}
