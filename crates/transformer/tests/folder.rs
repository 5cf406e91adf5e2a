//! Loading small random models: what is wrong with a folder is said by name, and nothing in a folder makes the loader panic.
#![expect(clippy::unwrap_used, reason = "tests")]

mod tiny;

use burn::tensor::Device;
use jarre_core::{Embedder, TokenCounter};
use jarre_transformer::{Bert, Error, SentenceEncoder, int8};
use tiny::TinyModel;

fn load(model: &TinyModel) -> Result<SentenceEncoder, Error> {
    SentenceEncoder::from_folder(model.path(), &Device::default())
}

fn difference(a: &SentenceEncoder, b: &SentenceEncoder) -> f32 {
    let texts = ["one two three", "four", "five one five one nine"];
    let [a, b] = [a, b].map(|encoder| encoder.embed(&texts).unwrap().into_vec());
    a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn a_missing_an_unexpected_and_a_misshapen_tensor_are_listed_in_one_error() {
    let mut model = TinyModel::new();
    model.tensors.remove("encoder.layer.1.output.dense.bias");
    model.tensors.remove("embeddings.LayerNorm.weight");
    model.put("encoder.layer.7.surprise", &[3]);
    model.put("encoder.layer.0.intermediate.dense.weight", &[5, 16]);
    model.write();
    let Err(Error::Weights { missing, unexpected, misshapen }) = load(&model) else { panic!("a weights error was expected") };
    assert_eq!(missing, ["embeddings.LayerNorm.weight", "encoder.layer.1.output.dense.bias"]);
    assert_eq!(unexpected, ["encoder.layer.7.surprise"]);
    assert_eq!(misshapen, ["encoder.layer.0.intermediate.dense.weight [5, 16] instead of [24, 16]"]);
}

#[test]
fn poolers_prefixes_and_old_norm_names_are_understood() {
    let plain = TinyModel::new();
    plain.write();
    let mut dressed = TinyModel::new();
    dressed.tensors = std::mem::take(&mut dressed.tensors)
        .into_iter()
        .map(|(name, tensor)| (format!("bert.{}", name.replace("LayerNorm.weight", "LayerNorm.gamma")), tensor))
        .collect();
    dressed.put("bert.pooler.dense.weight", &[16, 16]);
    dressed.put("cls.predictions.bias", &[32]);
    dressed.write();
    assert!(difference(&load(&plain).unwrap(), &load(&dressed).unwrap()) <= f32::EPSILON);
}

#[test]
fn other_architectures_and_settings_are_refused_by_name() {
    for (key, value) in [("model_type", "llama"), ("hidden_act", "quick_gelu"), ("position_embedding_type", "relative_key")] {
        let mut model = TinyModel::new();
        model.config[key] = value.into();
        model.write();
        let error = load(&model).unwrap_err();
        assert!(matches!(&error, Error::Unsupported { found, .. } if found == value), "{error}");
    }
}

#[test]
fn sizes_that_make_no_encoder_are_refused_before_anything_is_allocated() {
    let huge = 1_u64 << 60;
    for (key, value) in [("num_attention_heads", 0), ("num_attention_heads", 5), ("num_hidden_layers", huge), ("vocab_size", huge)] {
        let mut model = TinyModel::new();
        model.config[key] = value.into();
        model.write();
        let error = load(&model).unwrap_err();
        assert!(matches!(error, Error::Malformed { .. } | Error::Weights { .. }), "{key}: {error}");
    }
}

#[test]
fn every_truncation_of_the_weights_is_an_error() {
    let model = TinyModel::new();
    model.write();
    let path = model.path().join("model.safetensors");
    let whole = std::fs::read(&path).unwrap();
    for length in [0, 4, 8, 9, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(matches!(load(&model).unwrap_err(), Error::Malformed { .. }), "{length} bytes");
    }
}

#[test]
fn garbage_in_any_file_is_an_error_that_names_it() {
    for file in ["config.json", "tokenizer.json", "model.safetensors", "modules.json", "tokenizer_config.json"] {
        for garbage in [&b""[..], b"{", b"[1, 2]", b"\xff\xfe\x00", &[b'['; 4096]] {
            let model = TinyModel::new();
            model.write();
            std::fs::write(model.path().join(file), garbage).unwrap();
            let error = load(&model).unwrap_err();
            assert!(error.to_string().contains(file), "{file}: {error}");
        }
    }
}

#[test]
fn a_missing_folder_is_not_found() {
    let error = load_missing();
    assert_eq!(error.kind(), jarre_core::ErrorKind::NotFound, "{error}");
}

fn load_missing() -> jarre_core::Error {
    SentenceEncoder::from_folder("no such folder", &Device::default()).unwrap_err().into()
}

#[test]
fn an_index_that_points_outside_its_folder_is_refused() {
    let model = TinyModel::new();
    model.write();
    std::fs::remove_file(model.path().join("model.safetensors")).unwrap();
    let index = serde_json::json!({ "weight_map": { "x": "../model.safetensors" } });
    std::fs::write(model.path().join("model.safetensors.index.json"), index.to_string()).unwrap();
    assert!(load(&model).unwrap_err().to_string().contains("../model.safetensors"));
}

#[test]
fn shards_half_precision_and_single_file_agree() {
    let model = TinyModel::new();
    model.write();
    let single = load(&model).unwrap();
    model.write_shards();
    assert!(difference(&single, &load(&model).unwrap()) <= f32::EPSILON);
    for (dtype, tolerance) in [(safetensors::Dtype::F16, 2e-3), (safetensors::Dtype::BF16, 2e-2)] {
        model.write_as(dtype);
        let worst = difference(&single, &load(&model).unwrap());
        assert!(worst > 0.0 && worst < tolerance, "{dtype:?}: {worst}");
    }
}

#[test]
fn eight_bits_are_written_and_read_and_change_the_fingerprint() {
    let model = TinyModel::new();
    model.write();
    let single = load(&model).unwrap();
    let target = tempfile::tempdir().unwrap();
    int8::quantize_folder(model.path(), target.path()).unwrap();
    let small = SentenceEncoder::from_folder(target.path(), &Device::default()).unwrap();
    let worst = difference(&single, &small);
    assert!(worst > 0.0 && worst < 0.05, "{worst}");
    assert_ne!(single.info().fingerprint, small.info().fingerprint);
}

#[test]
fn a_scale_that_is_missing_is_named() {
    let mut model = TinyModel::new();
    model.put_bytes("embeddings.word_embeddings.weight", &[32, 16]);
    model.write();
    let error = Bert::from_folder(model.path(), &Device::default()).unwrap_err();
    assert!(error.to_string().contains("missing: embeddings.word_embeddings.weight_scale"), "{error}");
}

#[test]
fn the_fingerprint_follows_weights_pooling_normalisation_and_length() {
    let fingerprint = |change: &dyn Fn(&mut TinyModel)| {
        let mut model = TinyModel::new();
        change(&mut model);
        model.write();
        load(&model).unwrap().info().fingerprint.clone()
    };
    let base = fingerprint(&|_| ());
    assert_eq!(base, fingerprint(&|_| ()), "the folder's path does not matter");
    let mut all = vec![base];
    all.push(fingerprint(&|model| model.tensors.get_mut("embeddings.LayerNorm.bias").unwrap().1[3] += 0.5));
    all.push(fingerprint(&|model| model.pooling = "cls"));
    all.push(fingerprint(&|model| model.normalize = false));
    all.push(fingerprint(&|model| model.max_seq_length = 7));
    let distinct: std::collections::HashSet<&String> = all.iter().collect();
    assert_eq!(distinct.len(), all.len(), "{all:?}");
}

#[test]
fn texts_are_cut_at_the_limit_with_their_special_tokens() {
    let mut model = TinyModel::new();
    model.max_seq_length = 6;
    model.write();
    let encoder = load(&model).unwrap();
    let long = encoder.embed(&["one two three four five six"]).unwrap();
    assert_eq!(long, encoder.embed(&["one two three four nine nine nine"]).unwrap());
    assert_ne!(long, encoder.embed(&["one two three five"]).unwrap());
    assert_eq!(encoder.count_tokens("one two three four five six"), 6);
    assert_eq!(encoder.token_spans("one  two"), [0..3, 5..8]);
}

#[test]
fn each_pooling_gives_other_vectors_and_normalised_ones_have_length_one() {
    let vector = |pooling, normalize| {
        let mut model = TinyModel::new();
        model.pooling = pooling;
        model.normalize = normalize;
        model.write();
        load(&model).unwrap().embed(&["one two three"]).unwrap().into_vec()
    };
    let [mean, cls, max] = ["mean", "cls", "max"].map(|pooling| vector(pooling, false));
    assert!(mean != cls && cls != max);
    assert!(mean.iter().zip(&max).all(|(mean, max)| mean <= max));
    let norm = |vector: &[f32]| vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    assert!((norm(&vector("mean", true)) - 1.0).abs() < 1e-6 && (norm(&mean) - 1.0).abs() > 1e-3);
}
