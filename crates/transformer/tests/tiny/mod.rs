//! A random two-layer BERT in a temporary folder, which tests bend before they write it.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};

const WORDS: [&str; 10] = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

pub(crate) struct TinyModel {
    folder: tempfile::TempDir,
    pub(crate) config: Value,
    pub(crate) tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
    pub(crate) bytes: BTreeMap<String, (Vec<usize>, Vec<u8>)>,
    pub(crate) pooling: &'static str,
    pub(crate) normalize: bool,
    pub(crate) max_seq_length: usize,
}

impl TinyModel {
    pub(crate) fn new() -> Self {
        let mut model = Self {
            folder: tempfile::tempdir().unwrap(),
            config: json!({ "model_type": "bert", "vocab_size": 32, "hidden_size": 16, "num_attention_heads": 4, "num_hidden_layers": 2,
                            "intermediate_size": 24, "max_position_embeddings": 20, "type_vocab_size": 2, "hidden_act": "gelu" }),
            tensors: BTreeMap::new(),
            bytes: BTreeMap::new(),
            pooling: "mean",
            normalize: true,
            max_seq_length: 12,
        };
        model.put("embeddings.word_embeddings.weight", &[32, 16]);
        model.put("embeddings.position_embeddings.weight", &[20, 16]);
        model.put("embeddings.token_type_embeddings.weight", &[2, 16]);
        model.put_pair("embeddings.LayerNorm", &[16]);
        for layer in 0..2 {
            for part in ["self.query", "self.key", "self.value", "output.dense"] {
                model.put_pair(&format!("encoder.layer.{layer}.attention.{part}"), &[16, 16]);
            }
            model.put_pair(&format!("encoder.layer.{layer}.attention.output.LayerNorm"), &[16]);
            model.put_pair(&format!("encoder.layer.{layer}.intermediate.dense"), &[24, 16]);
            model.put_pair(&format!("encoder.layer.{layer}.output.dense"), &[16, 24]);
            model.put_pair(&format!("encoder.layer.{layer}.output.LayerNorm"), &[16]);
        }
        model
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A tensor of values in -0.5..0.5 that follow from its name.
    pub(crate) fn put(&mut self, name: &str, shape: &[usize]) {
        let mut state = name.bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let values = (0..shape.iter().product()).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5
        });
        self.tensors.insert(name.to_owned(), (shape.to_vec(), values.collect()));
    }

    /// A tensor of type I8 in place of the one with this name.
    pub(crate) fn put_bytes(&mut self, name: &str, shape: &[usize]) {
        self.tensors.remove(name);
        self.bytes.insert(name.to_owned(), (shape.to_vec(), vec![1; shape.iter().product()]));
    }

    pub(crate) fn write(&self) {
        self.write_json("config.json", &self.config);
        self.write_json("tokenizer.json", &tokenizer());
        self.write_json("tokenizer_config.json", &json!({ "model_max_length": 512 }));
        self.write_json("sentence_bert_config.json", &json!({ "max_seq_length": self.max_seq_length }));
        self.write_json("modules.json", &self.modules());
        std::fs::create_dir_all(self.path().join("1_Pooling")).unwrap();
        self.write_json("1_Pooling/config.json", &json!({ "pooling_mode": self.pooling, "embedding_dimension": 16 }));
        self.write_as(Dtype::F32);
    }

    pub(crate) fn write_as(&self, dtype: Dtype) {
        self.write_file("model.safetensors", dtype, |_| true);
    }

    /// The same tensors in two files and an index, without the single file.
    pub(crate) fn write_shards(&self) {
        std::fs::remove_file(self.path().join("model.safetensors")).unwrap();
        self.write_file("model-00001-of-00002.safetensors", Dtype::F32, |name| name.len() % 2 == 0);
        self.write_file("model-00002-of-00002.safetensors", Dtype::F32, |name| name.len() % 2 == 1);
        let shard = |name: &String| format!("model-0000{}-of-00002.safetensors", 1 + name.len() % 2);
        let map: BTreeMap<&String, String> = self.tensors.keys().map(|name| (name, shard(name))).collect();
        self.write_json("model.safetensors.index.json", &json!({ "weight_map": map }));
    }

    fn put_pair(&mut self, name: &str, weight: &[usize]) {
        self.put(&format!("{name}.weight"), weight);
        self.put(&format!("{name}.bias"), &weight[..1]);
    }

    fn modules(&self) -> Value {
        let module = |path: &str, kind: &str| json!({ "path": path, "type": format!("sentence_transformers.models.{kind}") });
        let mut modules = vec![module("", "Transformer"), module("1_Pooling", "Pooling")];
        modules.extend(self.normalize.then(|| module("2_Normalize", "Normalize")));
        modules.into()
    }

    fn write_json(&self, file: &str, value: &Value) {
        std::fs::write(self.path().join(file), value.to_string()).unwrap();
    }

    fn write_file(&self, file: &str, dtype: Dtype, keep: impl Fn(&str) -> bool) {
        let floats = self.tensors.iter().map(|(name, (shape, values))| (name, dtype, shape, to_bytes(values, dtype)));
        let bytes = self.bytes.iter().map(|(name, (shape, bytes))| (name, Dtype::I8, shape, bytes.clone()));
        let all: Vec<_> = floats.chain(bytes).filter(|(name, ..)| keep(name)).collect();
        let views = all.iter().map(|(name, dtype, shape, bytes)| (*name, TensorView::new(*dtype, (*shape).clone(), bytes).unwrap()));
        safetensors::serialize_to_file(views, None, &self.path().join(file)).unwrap();
    }
}

fn to_bytes(values: &[f32], dtype: Dtype) -> Vec<u8> {
    match dtype {
        Dtype::F16 => values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect(),
        Dtype::BF16 => values.iter().flat_map(|value| bf16::from_f32(*value).to_le_bytes()).collect(),
        _ => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
    }
}

/// Words split at white space, `[CLS]` and `[SEP]` around them.
fn tokenizer() -> Value {
    let specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"];
    let vocab: serde_json::Map<String, Value> =
        specials.iter().chain(&WORDS).enumerate().map(|(id, word)| ((*word).to_owned(), id.into())).collect();
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null, "decoder": null,
        "pre_tokenizer": { "type": "WhitespaceSplit" },
        "post_processor": { "type": "BertProcessing", "cls": ["[CLS]", 2], "sep": ["[SEP]", 3] },
        "model": { "type": "WordLevel", "vocab": vocab, "unk_token": "[UNK]" }
    })
}
