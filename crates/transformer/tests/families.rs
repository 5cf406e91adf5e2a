//! Tiny random models of each family beside the logits that Hugging Face transformers computes (`families/make_families.py`).
#![expect(clippy::unwrap_used, reason = "tests")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor};
use jarre_transformer::generate::{SamplingParams, StopCriteria, generate};
use jarre_transformer::quantize::{Int4Scheme, Method, Quantizer, Scheme};
use jarre_transformer::{CausalModel, LoraConfig, Sequences, int8};
use safetensors::SafeTensors;

/// The largest difference of a logit from the reference, in float32.
const TOLERANCE: f32 = 2e-4;

const DECODERS: [&str; 19] = [
    "gpt2",
    "llama",
    "llama_sharded",
    "llama3",
    "llama_bias",
    "llama_dynamic",
    "llama_linear",
    "llama_mqa",
    "llama_yarn",
    "llama_yarn_spelled",
    "mistral",
    "qwen2",
    "qwen2_sliding",
    "qwen3",
    "smollm2",
    "phi3",
    "phi3_longrope",
    "phi3_partial",
    "gemma2",
];

/// Those that lie there as GGUF files too, as llama.cpp's own converter wrote them (`families/make_gguf.py`). The window of `mistral` and
/// `query_pre_attn_scalar` of `gemma2` have no place in such files.
const CONVERTED: [&str; 12] = [
    "gpt2",
    "llama",
    "llama3",
    "llama_bias",
    "llama_linear",
    "llama_yarn",
    "qwen2",
    "qwen3",
    "smollm2",
    "phi3",
    "phi3_longrope",
    "phi3_partial",
];

/// Weights of two bytes, of which there are fewer cases.
const HALVES: [&str; 2] = ["llama_bf16", "llama_f16"];

fn families() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/families")
}

struct Golden(Vec<u8>);

impl Golden {
    fn read(family: &str) -> Self {
        // The shards hold the weights of `llama`.
        let family = family.strip_suffix("_sharded").unwrap_or(family);
        Self::read_file(&families().join(family).join("golden.safetensors"))
    }

    fn read_file(path: &Path) -> Self {
        Self(std::fs::read(path).unwrap())
    }

    fn shape(&self, name: &str) -> Vec<usize> {
        SafeTensors::deserialize(&self.0).unwrap().tensor(name).unwrap().shape().to_vec()
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let tensor = file.tensor(name).unwrap();
        tensor.data().as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
    }

    fn ids(&self, name: &str) -> Vec<u32> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let tensor = file.tensor(name).unwrap();
        tensor.data().as_chunks().0.iter().map(|four| i32::from_le_bytes(*four) as u32).collect()
    }

    /// The rows of `ids.<case>` without their padding.
    fn rows(&self, case: &str) -> Vec<Vec<u32>> {
        let ids = self.ids(&format!("ids.{case}"));
        let seq = self.shape(&format!("ids.{case}"))[1];
        let mask = if case == "right" || case == "left" { self.ids(&format!("mask.{case}")) } else { vec![1; ids.len()] };
        let rows = ids.chunks_exact(seq).zip(mask.chunks_exact(seq));
        rows.map(|(ids, mask)| ids.iter().zip(mask).filter(|(_, mask)| **mask == 1).map(|(id, _)| *id).collect()).collect()
    }
}

fn slices(rows: &[Vec<u32>]) -> Vec<&[u32]> {
    rows.iter().map(Vec::as_slice).collect()
}

fn values<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_into_vec().unwrap()
}

fn largest(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn load(family: &str) -> CausalModel {
    CausalModel::from_folder(families().join(family), &Device::default()).unwrap()
}

/// The largest difference over the tokens of a case; padding is not compared.
fn difference(model: &CausalModel, golden: &Golden, case: &str) -> f32 {
    let rows = golden.rows(case);
    let tokens = if case == "left" { Sequences::left_padded(&slices(&rows), 0) } else { Sequences::right_padded(&slices(&rows), 0) };
    let ours = values(model.decoder().forward(&tokens));
    let theirs = golden.floats(&format!("logits.{case}"));
    let vocab = model.config().vocab_size;
    let mut worst = 0.0_f32;
    for (row, place) in tokens.tokens().iter().enumerate() {
        let of = |values: &[f32]| values[(row * tokens.seq() + place.start) * vocab..(row * tokens.seq() + place.end) * vocab].to_vec();
        worst = worst.max(largest(&of(&ours), &of(&theirs)));
    }
    worst
}

#[test]
fn gguf_files_of_llama_cpp_give_the_same_logits() {
    for family in CONVERTED {
        let path = families().join(family).join("model.gguf");
        let (model, golden) = (CausalModel::from_gguf(&path, &Device::default()).unwrap(), Golden::read(family));
        let worst = ["single", "right", "left", "long"].iter().map(|case| difference(&model, &golden, case)).fold(0.0, f32::max);
        println!("{family:16} GGUF: {worst:.1e}");
        assert!(worst < TOLERANCE, "{family}: {worst}");
    }
}

#[test]
fn logits_agree_with_transformers() {
    for family in DECODERS {
        let (model, golden) = (load(family), Golden::read(family));
        let worst: Vec<f32> = ["single", "right", "left", "long"].iter().map(|case| difference(&model, &golden, case)).collect();
        println!("{family:16} single {:.1e} right {:.1e} left {:.1e} long {:.1e}", worst[0], worst[1], worst[2], worst[3]);
        assert!(worst.iter().all(|&worst| worst < TOLERANCE), "{family}: {worst:?}");
    }
}

#[test]
fn weights_of_two_bytes_are_read() {
    for family in HALVES {
        let (model, golden) = (load(family), Golden::read(family));
        let worst = ["single", "long"].map(|case| difference(&model, &golden, case));
        println!("{family:16} single {:.1e} long {:.1e}", worst[0], worst[1]);
        assert!(worst.iter().all(|&worst| worst < TOLERANCE), "{family}: {worst:?}");
    }
}

/// Random weights are the hardest for rounding: no direction stands out.
#[test]
fn every_family_survives_eight_bits() {
    for family in DECODERS {
        let (golden, target) = (Golden::read(family), tempfile::tempdir().unwrap());
        int8::quantize_folder(&families().join(family), target.path()).unwrap();
        let small = CausalModel::from_folder(target.path(), &Device::default()).unwrap();
        let (rows, expected) = (golden.rows("single"), golden.floats("logits.single"));
        let logits = values(small.decoder().forward(&Sequences::right_padded(&slices(&rows), 0)));
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        let cosine = dot(&logits, &expected) / (dot(&logits, &logits) * dot(&expected, &expected)).sqrt();
        assert!(cosine > 0.995 && largest(&logits, &expected) > 0.0, "{family}: {cosine}");
    }
}

#[test]
fn hidden_states_and_attention_agree_layer_by_layer() {
    for family in DECODERS {
        let (model, golden) = (load(family), Golden::read(family));
        let rows = golden.rows("single");
        let states = model.decoder().forward_states(&Sequences::right_padded(&slices(&rows), 0));
        for (layer, hidden) in states.hidden.into_iter().enumerate() {
            let worst = largest(&values(hidden), &golden.floats(&format!("hidden.single.{layer}")));
            assert!(worst < TOLERANCE, "{family}, hidden state {layer}: {worst}");
        }
        for (layer, weights) in states.attention.into_iter().enumerate() {
            let worst = largest(&values(weights), &golden.floats(&format!("attentions.single.{layer}")));
            assert!(worst < 1e-5, "{family}, attention {layer}: {worst}");
        }
    }
}

#[test]
fn twenty_greedy_tokens_are_those_of_transformers() {
    for family in DECODERS {
        let (model, golden) = (load(family), Golden::read(family));
        let prompt = golden.ids("ids.single");
        let stop = StopCriteria::new(20);
        let answer = generate(&model, &prompt, &SamplingParams::greedy(), &stop, &mut |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(answer.tokens, golden.ids("greedy"), "{family}");
    }
}

#[test]
fn older_files_describe_the_same_model() {
    for family in DECODERS {
        let old = families().join(family).join("config_old.json");
        if !old.exists() {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(&old, folder.path().join("config.json")).unwrap();
        std::fs::copy(families().join(family).join("model.safetensors"), folder.path().join("model.safetensors")).unwrap();
        let model = CausalModel::from_folder(folder.path(), &Device::default()).unwrap();
        let worst = difference(&model, &Golden::read(family), "long");
        assert!(worst < TOLERANCE, "{family}: {worst}");
    }
}

#[test]
fn a_saved_model_is_loaded_with_the_same_logits() {
    for family in DECODERS {
        let (model, golden) = (load(family), Golden::read(family));
        let folder = tempfile::tempdir().unwrap();
        model.save_pretrained(folder.path()).unwrap();
        let again = CausalModel::from_folder(folder.path(), &Device::default()).unwrap();
        let worst = difference(&again, &golden, "long");
        assert!(worst < TOLERANCE, "{family}: {worst}");
        assert_eq!(again.eos(), model.eos());
    }
}

/// Logits of `llama` with its adapter.
fn adapted() -> (Vec<u32>, Vec<f32>) {
    let golden = Golden::read_file(&families().join("llama/lora/golden.safetensors"));
    (golden.ids("ids.single"), golden.floats("logits.single"))
}

#[test]
fn an_adapter_of_peft_gives_its_logits_beside_the_weights_and_in_them() {
    let (ids, expected) = adapted();
    let tokens = Sequences::right_padded(&[&ids], 0);
    let plain = load("llama").decoder().clone();
    let before = values(plain.forward(&tokens));
    let beside = plain.with_lora_from(families().join("llama/lora")).unwrap();
    assert!(largest(&values(beside.forward(&tokens)), &expected) < TOLERANCE);
    let merged = beside.merge_lora();
    assert!(!merged.has_unmerged_lora());
    assert!(largest(&values(merged.forward(&tokens)), &expected) < TOLERANCE);
    let unmerged = merged.unmerge_lora();
    assert!(largest(&values(unmerged.forward(&tokens)), &expected) < TOLERANCE);
    assert!(largest(&before, &expected) > 1e-2, "the adapter has to do something");
}

#[test]
fn adapters_survive_the_disk_and_training_starts_at_the_model_itself() {
    let (ids, expected) = adapted();
    let tokens = Sequences::right_padded(&[&ids], 0);
    let folder = tempfile::tempdir().unwrap();
    load("llama").decoder().clone().with_lora_from(families().join("llama/lora")).unwrap().save_lora(folder.path()).unwrap();
    let again = load("llama").decoder().clone().with_lora_from(folder.path()).unwrap();
    assert!(largest(&values(again.forward(&tokens)), &expected) < TOLERANCE);
    let plain = load("llama").decoder().clone();
    let fresh = plain.clone().with_lora(&LoraConfig::new(4).with_targets(["q_proj", "down_proj"])).unwrap();
    assert_eq!(values(fresh.forward(&tokens)), values(plain.forward(&tokens)));
    assert!(plain.with_lora(&LoraConfig::new(4).with_targets(["query"])).is_err());
}

#[test]
fn layers_that_are_packed_as_they_are_read_are_those_that_are_packed_later() {
    let device = Device::default();
    let quantizers = [Scheme::Int8, Scheme::Int4(Int4Scheme::symmetric(8)), Scheme::Bf16].map(Quantizer::new);
    let tokens = Sequences::right_padded(&[&[1, 5, 9, 2, 7]], 0);
    for family in DECODERS {
        for quantizer in &quantizers {
            let later = load(family).quantized(quantizer, &[]).unwrap();
            let expected = values(later.decoder().forward(&tokens));
            let model = CausalModel::from_folder_quantized(families().join(family), quantizer, &device).unwrap();
            assert!(model.decoder().is_packed());
            assert_eq!(values(model.decoder().forward(&tokens)), expected, "{family} {quantizer:?}");
        }
    }
    for family in CONVERTED {
        let path = families().join(family).join("model.gguf");
        let later = CausalModel::from_gguf(&path, &device).unwrap().quantized(&quantizers[0], &[]).unwrap();
        let model = CausalModel::from_gguf_quantized(&path, &quantizers[0], &device).unwrap();
        assert_eq!(values(model.decoder().forward(&tokens)), values(later.decoder().forward(&tokens)), "{family} GGUF");
    }
    let calibrated = Quantizer::new(Scheme::Int4(Int4Scheme::symmetric(8))).with_method(Method::Awq);
    let error = CausalModel::from_folder_quantized(families().join("llama"), &calibrated, &device).unwrap_err().to_string();
    assert!(error.contains("while loading"), "{error}");
}
