//! Packed models on disk, as compressed-tensors has them: what is loaded computes what was saved, to the bit.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use jarre_transformer::quantize::{Inputs, Int4Scheme, Quantizer, Scheme};
use jarre_transformer::{CausalModel, DecoderConfig, Error, NormPlacement, Positions, RopeConfig, RopeLayout, Sequences, Tokenizer, int8};
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Biases, norms of heads, several layers in one tensor, norms that are stored less 1.
const FAMILIES: [&str; 8] = ["llama", "llama_bias", "mistral", "qwen2", "qwen3", "smollm2", "phi3", "gemma2"];

const IDS: [u32; 8] = [1, 5, 9, 2, 7, 40, 33, 3];

fn family(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/families").join(name)
}

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/assets/jarre-tiny")
}

fn load(folder: &Path) -> CausalModel {
    CausalModel::from_folder(folder, &Device::default()).unwrap()
}

fn load_packed(folder: &Path, inputs: Inputs) -> CausalModel {
    CausalModel::from_packed_folder(folder, inputs, &Device::default()).unwrap()
}

/// A random model of widths that groups of 128 divide.
fn random(config: impl FnOnce(DecoderConfig) -> DecoderConfig) -> CausalModel {
    let base = DecoderConfig::new(96, 128, 4, 2, 256).with_n_kv_heads(Some(2)).with_init_std(0.2);
    CausalModel::new(config(base).init(&Device::default()), Some(1), vec![2])
}

fn logits(model: &CausalModel) -> Vec<f32> {
    model.decoder().forward(&Sequences::right_padded(&[&IDS], 0)).into_data().try_into_vec().unwrap()
}

/// The root mean square of the differences as a share of that of `theirs`.
fn share(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    let change: f32 = ours.iter().zip(theirs).map(|(a, b)| (a - b).powi(2)).sum();
    (change / theirs.iter().map(|x| x.powi(2)).sum::<f32>()).sqrt()
}

fn saved(model: &CausalModel) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    model.save_pretrained(folder.path()).unwrap();
    folder
}

fn config(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("config.json")).unwrap()).unwrap()
}

fn tensors(folder: &Path) -> BTreeMap<String, (Dtype, Vec<usize>, usize)> {
    let bytes = std::fs::read(folder.join("model.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    file.iter().map(|(name, tensor)| (name.to_owned(), (tensor.dtype(), tensor.shape().to_vec(), tensor.data().len()))).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn schemes(groups: &[usize]) -> Vec<Scheme> {
    let four = |&group| [Scheme::Int4(Int4Scheme::symmetric(group)), Scheme::Int4(Int4Scheme::asymmetric(group))];
    groups.iter().flat_map(four).chain([Scheme::Int8]).collect()
}

/// Packs, saves and loads, and compares the logits.
fn round_trip(model: &CausalModel, scheme: Scheme, inputs: Inputs, what: &str) {
    let packed = model.clone().quantized(&Quantizer::new(scheme).with_inputs(inputs), &[]).unwrap();
    let folder = saved(&packed);
    let again = load_packed(folder.path(), inputs);
    assert!(again.decoder().is_packed());
    assert_eq!(again.decoder().weight_bytes(), packed.decoder().weight_bytes(), "{what} {scheme:?} {inputs:?}");
    assert_eq!(logits(&again), logits(&packed), "{what} {scheme:?} {inputs:?}");
    assert_eq!((again.bos(), again.eos()), (packed.bos(), packed.eos()));
    let float = load(folder.path());
    let worst = share(&logits(&float), &logits(&packed));
    assert!(!float.decoder().is_packed() && worst < 0.1, "{what} {scheme:?} {inputs:?}: {worst}");
}

#[test]
fn every_family_and_scheme_gives_the_same_bits() {
    for name in FAMILIES {
        let model = load(&family(name));
        for scheme in schemes(&[8]) {
            for inputs in [Inputs::Int8, Inputs::Float] {
                round_trip(&model, scheme, inputs, name);
            }
        }
    }
}

#[test]
fn every_group_gives_the_same_bits() {
    for tied in [false, true] {
        let model = random(|config| config.with_tied(tied));
        for scheme in schemes(&[32, 64, 128]) {
            round_trip(&model, scheme, Inputs::Int8, "random");
        }
    }
}

#[test]
fn the_shipped_model_in_both_widths_gives_the_same_bits() {
    // Groups of 32 do not divide 688 inputs, so that its layers have eight bits and four.
    let model = load(&shipped());
    for scheme in schemes(&[32]) {
        round_trip(&model, scheme, Inputs::Int8, "jarre-tiny");
    }
    let four = Quantizer::new(Scheme::Int4(Int4Scheme::symmetric(32)));
    let folder = saved(&model.quantized(&four, &[]).unwrap());
    let groups = &config(folder.path())["quantization_config"]["config_groups"];
    assert_eq!(groups["group_1"]["targets"].as_array().unwrap().len(), 5 * 4 + 5 * 2, "{groups}");
}

#[test]
fn a_file_has_the_bytes_of_its_integers_and_says_what_they_are() {
    let packed = random(|config| config).quantized(&Quantizer::new(Scheme::Int4(Int4Scheme::asymmetric(64))), &[]).unwrap();
    let folder = saved(&packed);
    let tensors = tensors(folder.path());
    let up = |ending: &str| tensors[&format!("model.layers.1.mlp.up_proj.weight{ending}")].clone();
    assert_eq!(up("_packed"), (Dtype::I32, vec![256, 16], 256 * 128 / 2));
    assert_eq!(up("_scale"), (Dtype::F32, vec![256, 2], 4 * 256 * 2));
    assert_eq!(up("_zero_point"), (Dtype::I32, vec![32, 2], 256 * 2 / 2));
    assert_eq!(up("_shape"), (Dtype::I64, vec![2], 16));
    assert_eq!(tensors["lm_head.weight"], (Dtype::I8, vec![96, 128], 96 * 128));
    assert_eq!(tensors["lm_head.weight_scale"], (Dtype::F32, vec![96, 1], 4 * 96));
    // Norms are 1 and so are whole in two bytes.
    assert_eq!(tensors["model.norm.weight"], (Dtype::BF16, vec![128], 2 * 128));
    let weights = 2 * (128 * 128 * 2 + 128 * 64 * 2 + 3 * 128 * 256);
    let packed = weights / 2 + weights / 64 * 4 + weights / 64 / 2 + 2 * 7 * 16;
    let floats = 96 * 128 * 4 + 5 * 128 * 2;
    let all: usize = tensors.values().map(|(.., bytes)| bytes).sum();
    assert_eq!(all, packed + 96 * 128 + 96 * 4 + floats);

    let config = config(folder.path());
    let row = json!({ "num_bits": 8, "type": "int", "symmetric": true, "strategy": "channel", "dynamic": false });
    let token = json!({ "num_bits": 8, "type": "int", "symmetric": true, "strategy": "token", "dynamic": true });
    let group = json!({ "num_bits": 4, "type": "int", "symmetric": false, "strategy": "group", "group_size": 64, "dynamic": false });
    let expected = json!({
        "quant_method": "compressed-tensors", "format": "mixed-precision", "quantization_status": "compressed", "ignore": [],
        "config_groups": {
            "group_0": { "targets": ["lm_head"], "format": "int-quantized", "weights": row, "input_activations": token,
                         "output_activations": null },
            "group_1": { "targets": ["Linear"], "format": "pack-quantized", "weights": group, "input_activations": null,
                         "output_activations": null },
        },
    });
    assert_eq!(config["quantization_config"], expected);
    assert_eq!(config["torch_dtype"], "float32");
}

#[test]
fn bfloat16_is_written_as_it_is() {
    for (name, dtype) in [("llama_bf16", "bfloat16"), ("gpt2", "float32")] {
        let quantizer = Quantizer::new(Scheme::Bf16);
        let packed = load(&family(name)).quantized(&quantizer, &[]).unwrap();
        let folder = saved(&packed);
        let again = CausalModel::from_folder_quantized(folder.path(), &quantizer, &Device::default()).unwrap();
        assert_eq!(logits(&again), logits(&packed), "{name}");
        let config = config(folder.path());
        assert_eq!((config.get("quantization_config"), &config["torch_dtype"]), (None, &json!(dtype)));
        let is_table = |name: &str| ["embed_tokens", "wte", "wpe"].iter().any(|table| name.contains(table));
        let wide = |(name, (dtype, shape, _)): &(&String, &(Dtype, Vec<usize>, usize))| {
            shape.len() == 2 && !is_table(name) && *dtype != Dtype::BF16
        };
        assert_eq!(tensors(folder.path()).iter().find(wide), None, "{name}");
    }
}

#[test]
fn the_embedding_table_in_bfloat16_is_written_once() {
    let quantizer = Quantizer::new(Scheme::Bf16);
    let model = random(|config| config.with_tied(true)).quantized(&quantizer, &[]).unwrap();
    let twice = saved(&model);
    assert_eq!((&config(twice.path())["tie_word_embeddings"], tensors(twice.path()).contains_key("lm_head.weight")), (&json!(false), true));
    // Once its values have two bytes, the table is what the logits' weights are.
    let mut config_of = config(twice.path());
    config_of["tie_word_embeddings"] = json!(true);
    let bytes = std::fs::read(twice.path().join("model.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let head = file.tensor("lm_head.weight").unwrap();
    let kept = file.iter().filter(|(name, _)| *name != "lm_head.weight" && *name != "model.embed_tokens.weight");
    let tensors_of: Vec<_> = kept.chain([("model.embed_tokens.weight", head)]).collect();
    safetensors::serialize_to_file(tensors_of, None, &twice.path().join("tied.safetensors")).unwrap();
    std::fs::rename(twice.path().join("tied.safetensors"), twice.path().join("model.safetensors")).unwrap();
    std::fs::write(twice.path().join("config.json"), config_of.to_string()).unwrap();
    let tied = CausalModel::from_folder_quantized(twice.path(), &quantizer, &Device::default()).unwrap();
    let once = saved(&tied);
    assert_eq!((&config(once.path())["tie_word_embeddings"], tensors(once.path()).contains_key("lm_head.weight")), (&json!(true), false));
    let again = CausalModel::from_folder_quantized(once.path(), &quantizer, &Device::default()).unwrap();
    assert_eq!(logits(&again), logits(&tied));
}

#[test]
fn rows_that_pair_neighbours_are_written_as_files_pair_them() {
    let rope = RopeConfig::new(10_000.0).with_layout(RopeLayout::Interleaved);
    let model = random(|config| config.with_positions(Positions::Rope(rope)).with_qkv_bias(true).with_output_bias(true));
    for scheme in schemes(&[32]) {
        let packed = model.clone().quantized(&Quantizer::new(scheme).with_inputs(Inputs::Float), &[]).unwrap();
        let again = load_packed(saved(&packed).path(), Inputs::Float);
        let worst = share(&logits(&again), &logits(&packed));
        assert!(worst < 1e-4, "{scheme:?}: {worst}");
    }
}

#[test]
fn eight_bits_stay_where_no_input_is_rounded_against_the_folder() {
    // Its folder says that inputs are multiplied as they come.
    assert!(!load_packed(&shipped(), Inputs::Int8).decoder().is_packed());
    let kept = load_packed(&shipped(), Inputs::Float);
    assert!(kept.decoder().is_packed() && share(&logits(&kept), &logits(&load(&shipped()))) < 1e-5);

    let quantizer = Quantizer::new(Scheme::Int8);
    let packed = random(|config| config).quantized(&quantizer, &[]).unwrap();
    let folder = saved(&packed);
    let again = CausalModel::from_folder_quantized(folder.path(), &quantizer, &Device::default()).unwrap();
    assert_eq!(logits(&again), logits(&packed), "integers are kept, not rounded once more");
    let four = Quantizer::new(Scheme::Int4(Int4Scheme::symmetric(32)));
    let four = CausalModel::from_folder_quantized(folder.path(), &four, &Device::default()).unwrap();
    assert!(four.decoder().weight_bytes() < packed.decoder().weight_bytes(), "four bits were asked for");
}

#[test]
fn a_new_folder_has_all_that_texts_need() {
    let place = tempfile::tempdir().unwrap();
    let source = place.path().join("source");
    std::fs::create_dir_all(source.join("additional_chat_templates")).unwrap();
    for name in ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"] {
        std::fs::copy(shipped().join(name), source.join(name)).unwrap();
    }
    std::fs::write(source.join("generation_config.json"), r#"{ "bos_token_id": 0, "eos_token_id": 0, "temperature": 0.6 }"#).unwrap();
    std::fs::write(source.join("chat_template.jinja"), "{{ messages }}").unwrap();
    std::fs::write(source.join("additional_chat_templates/tool.jinja"), "{{ tools }}").unwrap();
    let packed = load(&source).quantized(&Quantizer::new(Scheme::Int8), &[]).unwrap();
    let made = place.path().join("made");
    packed.save_new(&made, Some(&source), None).unwrap();
    assert_eq!(names(place.path()), ["made", "source"]);
    for name in ["tokenizer.json", "tokenizer_config.json", "generation_config.json", "chat_template.jinja"] {
        assert_eq!(std::fs::read(made.join(name)).unwrap(), std::fs::read(source.join(name)).unwrap(), "{name}");
    }
    assert_eq!(std::fs::read(made.join("additional_chat_templates/tool.jinja")).unwrap(), b"{{ tools }}");
    assert_eq!(logits(&load_packed(&made, Inputs::Int8)), logits(&packed));

    let alone = place.path().join("alone");
    packed.save_new(&alone, None, Some(&Tokenizer::from_folder(&source).unwrap())).unwrap();
    assert_eq!(names(&alone), ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json"]);
    let ids = |folder: &Path| Tokenizer::from_folder(folder).unwrap().encode_plain("To install the package").unwrap();
    assert_eq!(ids(&alone), ids(&source));
}

#[test]
fn a_save_that_fails_leaves_no_folder_and_no_other_is_touched() {
    let place = tempfile::tempdir().unwrap();
    let (source, made) = (place.path().join("source"), place.path().join("made"));
    let packed = random(|config| config).quantized(&Quantizer::new(Scheme::Int8), &[]).unwrap();
    // A folder is in the place of a file that is copied after the weights were written.
    std::fs::create_dir_all(source.join("tokenizer_config.json")).unwrap();
    assert!(matches!(packed.save_new(&made, Some(&source), None), Err(Error::Io { .. })));
    assert_eq!(names(place.path()), ["source"]);

    std::fs::create_dir(&made).unwrap();
    std::fs::write(made.join("notes"), "mine").unwrap();
    let error = packed.save_new(&made, None, None).unwrap_err().to_string();
    assert!(error.contains("made") && error.contains("new or empty"), "{error}");
    assert_eq!((names(place.path()), names(&made)), (vec!["made".to_owned(), "source".to_owned()], vec!["notes".to_owned()]));
}

#[test]
fn what_files_do_not_hold_is_refused() {
    let refuse = |model: CausalModel, scheme| {
        let packed = model.quantized(&Quantizer::new(scheme), &[]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let error = packed.save_pretrained(folder.path()).unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }) && names(folder.path()).is_empty(), "{error}");
        error.to_string()
    };
    for scheme in schemes(&[8]) {
        assert!(refuse(load(&family("gpt2")), scheme).contains("transformer.h.0.attn.c_attn"));
    }
    assert!(refuse(random(|config| config.with_norm_placement(NormPlacement::Post)), Scheme::Int8).contains("post-norm"));
}

#[test]
fn damaged_folders_are_refused_by_name() {
    let packed = random(|config| config).quantized(&Quantizer::new(Scheme::Int4(Int4Scheme::symmetric(64))), &[]).unwrap();
    let refuse = |pointer: &str, value: Value| {
        let folder = saved(&packed);
        let mut file = config(folder.path());
        *file.pointer_mut(&format!("/quantization_config/config_groups{pointer}")).unwrap() = value;
        std::fs::write(folder.path().join("config.json"), file.to_string()).unwrap();
        CausalModel::from_packed_folder(folder.path(), Inputs::Int8, &Device::default()).unwrap_err().to_string()
    };
    for (pointer, value, named) in [
        ("/group_1/format", json!("float-quantized"), "config_groups.format `float-quantized`"),
        ("/group_1/weights/num_bits", json!(3), "num_bits `3`"),
        ("/group_1/weights/group_size", json!(48), "groups of 48 do not divide"),
        ("/group_1/weights/group_size", json!(32), "weight_scale [256, 2] instead of [256, 4]"),
        ("/group_0/weights/num_bits", json!(4), "config_groups.weights"),
        ("/group_0/weights/strategy", json!("tensor"), "config_groups.weights"),
        ("/group_0/weights", json!("eight"), "config_groups.weights `\"eight\""),
    ] {
        let error = refuse(pointer, value);
        assert!(error.contains(named), "{pointer}: {error}");
    }
}

#[test]
fn eight_bits_of_a_whole_folder_are_those_that_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    int8::quantize_folder(&family("llama"), folder.path()).unwrap();
    let [kept, float] = [load_packed(folder.path(), Inputs::Float), load(folder.path())];
    assert!(kept.decoder().is_packed() && share(&logits(&kept), &logits(&float)) < 1e-5);
    let folder = tempfile::tempdir().unwrap();
    int8::quantize_folder(&family("gpt2"), folder.path()).unwrap();
    let kept = load_packed(folder.path(), Inputs::Float);
    assert!(share(&logits(&kept), &logits(&load(folder.path()))) < 1e-5, "its rows are inputs");
}
