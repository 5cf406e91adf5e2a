//! Encoders and their heads beside what Hugging Face transformers computes (`families/make_families.py`), and from texts on.
#![expect(clippy::unwrap_used, reason = "tests")]

mod padded;
mod reference;

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::Device;
use jarre_core::{Reranker, TextClassifier};
use jarre_transformer::{Bert, BertClassifier, CrossEncoder, Error, Pooler, SequenceClassifier, TokenBatch, int8};
use padded::{largest_in_tokens, slices, values};
use reference::{Golden, TOLERANCE, folder, largest};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};

const ENCODERS: [&str; 11] = [
    "bert",
    "bert_gelu_new",
    "bert_relu",
    "bert_classifier",
    "cross_encoder",
    "roberta",
    "roberta_classifier",
    "xlm_roberta",
    "xlm_roberta_reranker",
    "distilbert",
    "distilbert_classifier",
];

/// The padded batch of a golden file, with its segments where it has any.
fn batch(golden: &Golden) -> TokenBatch {
    let ids = golden.rows("ids").unwrap();
    match golden.rows("token_type_ids") {
        Some(segments) => TokenBatch::with_segments(&slices(&ids), &slices(&segments), 0, &Device::default()),
        None => TokenBatch::new(&slices(&ids), 0, &Device::default()),
    }
}

#[test]
fn states_pooled_states_and_logits_agree_with_transformers() {
    for family in ENCODERS {
        let (golden, device) = (Golden::read(family), Device::default());
        let batch = batch(&golden);
        let hidden = Bert::from_folder(folder(family), &device).unwrap().forward(&batch);
        let states = largest_in_tokens(&values(hidden.clone()), &golden.floats("last_hidden_state").unwrap(), batch.lengths());
        let pooled = golden.floats("pooled").map(|expected| {
            let pooler = Pooler::from_folder(folder(family), &device).unwrap();
            largest(&values(pooler.forward(hidden)), &expected)
        });
        let logits = golden.floats("logits").map(|expected| {
            let classifier = BertClassifier::from_folder(folder(family), &device).unwrap();
            largest(&values(classifier.forward(&batch)), &expected)
        });
        let shown = |difference: Option<f32>| difference.map_or_else(|| "      -".to_owned(), |difference| format!("{difference:.1e}"));
        println!("{family:22} states {states:.1e} pooled {} logits {}", shown(pooled), shown(logits));
        assert!([Some(states), pooled, logits].into_iter().flatten().all(|worst| worst < TOLERANCE), "{family}");
    }
}

#[test]
fn segments_are_read_where_the_model_has_them() {
    let device = Device::default();
    let ids: [&[u32]; 2] = [&[2, 7, 9, 3, 11, 3], &[2, 7, 3]];
    let plain = TokenBatch::new(&ids, 0, &device);
    let pair = TokenBatch::with_segments(&ids, &[&[0, 0, 0, 0, 1, 1], &[0, 0, 0]], 0, &device);
    let changed_by_segments = |family: &str| {
        let model = Bert::from_folder(folder(family), &device).unwrap();
        let row = 6 * 32;
        let [plain, pair] = [&plain, &pair].map(|batch| values(model.forward(batch)));
        assert!(largest(&plain[row..], &pair[row..]) < 1e-5, "{family}: the other sequence has one segment");
        largest(&plain[..row], &pair[..row])
    };
    assert!(changed_by_segments("bert") > 1e-2);
    assert!(changed_by_segments("roberta") < 1e-6 && changed_by_segments("distilbert") < 1e-6);
}

#[test]
fn padding_changes_nothing() {
    for family in ENCODERS {
        let (golden, device) = (Golden::read(family), Device::default());
        let model = Bert::from_folder(folder(family), &device).unwrap();
        let together = values(model.forward(&TokenBatch::new(&slices(&golden.rows("ids").unwrap()), 5, &device)));
        for (index, ids) in golden.rows("ids").unwrap().iter().enumerate() {
            let alone = values(model.forward(&TokenBatch::new(&[ids.as_slice()], 0, &device)));
            let start = index * 12 * 32;
            assert!(largest(&alone, &together[start..start + alone.len()]) < 1e-5, "{family}, sequence {index}");
        }
    }
}

/// `family` in a folder of its own, with `rename` applied to its tensors, `more` tensors of zeros beside them and `settings` in its configuration.
fn dressed(family: &str, rename: impl Fn(&str) -> String, more: &[(&str, &[usize])], settings: Value) -> tempfile::TempDir {
    let target = tempfile::tempdir().unwrap();
    let mut config: BTreeMap<String, Value> = read_json(&folder(family).join("config.json"));
    config.extend(serde_json::from_value::<BTreeMap<String, Value>>(settings).unwrap());
    std::fs::write(target.path().join("config.json"), json!(config).to_string()).unwrap();
    let bytes = std::fs::read(folder(family).join("model.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut tensors: BTreeMap<String, TensorView<'_>> = file.tensors().into_iter().map(|(name, tensor)| (rename(&name), tensor)).collect();
    let zeros = vec![0; 4 * 96 * 32];
    for (name, shape) in more {
        let size = 4 * shape.iter().product::<usize>();
        tensors.insert((*name).to_owned(), TensorView::new(safetensors::Dtype::F32, shape.to_vec(), &zeros[..size]).unwrap());
    }
    safetensors::serialize_to_file(tensors, None, &target.path().join("model.safetensors")).unwrap();
    target
}

fn read_json(path: &Path) -> BTreeMap<String, Value> {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn old_norms(name: &str) -> String {
    name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
}

#[test]
fn checkpoints_of_other_heads_and_old_names_hold_the_same_encoder() {
    let heads: [(&str, &[usize]); 4] = [
        ("cls.predictions.bias", &[96]),
        ("cls.predictions.transform.dense.weight", &[32, 32]),
        ("cls.seq_relationship.weight", &[2, 32]),
        ("bert.embeddings.position_ids", &[1, 16]),
    ];
    let golden = Golden::read("bert");
    let old = dressed("bert", |name| format!("bert.{}", old_norms(name)), &heads, json!({}));
    let hidden = Bert::from_folder(old.path(), &Device::default()).unwrap().forward(&batch(&golden));
    assert!(largest_in_tokens(&values(hidden), &golden.floats("last_hidden_state").unwrap(), batch(&golden).lengths()) < TOLERANCE);

    let golden = Golden::read("bert_classifier");
    let old = dressed("bert_classifier", old_norms, &[("cls.predictions.bias", &[96])], json!({}));
    let logits = BertClassifier::from_folder(old.path(), &Device::default()).unwrap().forward(&batch(&golden));
    assert!(largest(&values(logits), &golden.floats("logits").unwrap()) < TOLERANCE);

    let masked: [(&str, &[usize]); 2] = [("vocab_transform.weight", &[32, 32]), ("vocab_projector.bias", &[96])];
    let old = dressed("distilbert", |name| format!("distilbert.{name}"), &masked, json!({}));
    assert!(Bert::from_folder(old.path(), &Device::default()).is_ok());
}

#[test]
fn what_a_head_lacks_is_said_by_the_names_of_its_family() {
    let missing = |family: &str| match BertClassifier::from_folder(folder(family), &Device::default()) {
        Err(Error::Weights { missing, unexpected, misshapen }) if unexpected.is_empty() && misshapen.is_empty() => missing,
        other => panic!("a weights error was expected, not {other:?}"),
    };
    assert_eq!(missing("bert"), ["classifier.bias", "classifier.weight"]);
    let roberta = ["classifier.dense.bias", "classifier.dense.weight", "classifier.out_proj.bias", "classifier.out_proj.weight"];
    assert_eq!(missing("roberta"), roberta);
    assert_eq!(missing("distilbert"), ["classifier.bias", "classifier.weight", "pre_classifier.bias", "pre_classifier.weight"]);
    assert!(matches!(Pooler::from_folder(folder("distilbert"), &Device::default()), Err(Error::Weights { .. })));
    let without_key = dressed("distilbert", |name| name.replace("0.attention.k_lin.bias", "0.attention.key.bias"), &[], json!({}));
    let error = Bert::from_folder(without_key.path(), &Device::default()).unwrap_err().to_string();
    assert!(
        error.contains("missing: transformer.layer.0.attention.k_lin.bias; unexpected: transformer.layer.0.attention.key.bias"),
        "{error}"
    );
}

#[test]
fn every_family_survives_eight_bits() {
    for family in ["bert", "xlm_roberta", "distilbert"] {
        let (golden, target) = (Golden::read(family), tempfile::tempdir().unwrap());
        int8::quantize_folder(&folder(family), target.path()).unwrap();
        let batch = batch(&golden);
        let [plain, small] = [folder(family).as_path(), target.path()]
            .map(|folder| values(Bert::from_folder(folder, &Device::default()).unwrap().forward(&batch)));
        let worst = largest_in_tokens(&plain, &small, batch.lengths());
        assert!(worst > 0.0 && worst < 0.3, "{family}: {worst}");
    }
}

/// Words `w5`, `w6` ... by their ids, with special tokens around texts as the family has them.
fn write_tokenizer(target: &Path, roberta: bool) {
    let vocab: BTreeMap<String, u32> = ["[CLS]", "[PAD]", "[SEP]", "[UNK]"]
        .iter()
        .map(|word| (*word).to_owned())
        .zip(0..)
        .chain((5..96).map(|id| (format!("w{id}"), id)))
        .collect();
    let mut processor = json!({ "type": "BertProcessing", "cls": ["[CLS]", 0], "sep": ["[SEP]", 2] });
    if roberta {
        processor["type"] = "RobertaProcessing".into();
        processor["trim_offsets"] = true.into();
        processor["add_prefix_space"] = false.into();
    }
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null, "decoder": null,
        "pre_tokenizer": { "type": "WhitespaceSplit" },
        "post_processor": processor,
        "model": { "type": "WordLevel", "vocab": vocab, "unk_token": "[UNK]" }
    });
    std::fs::write(target.join("tokenizer.json"), tokenizer.to_string()).unwrap();
}

fn with_tokenizer(family: &str, settings: Value) -> tempfile::TempDir {
    let target = dressed(family, str::to_owned, &[], settings);
    write_tokenizer(target.path(), family.contains("roberta"));
    target
}

/// Logits of one sequence of tokens.
fn logits_of(family: &str, ids: &[u32], segments: &[u32]) -> Vec<f32> {
    let model = BertClassifier::from_folder(folder(family), &Device::default()).unwrap();
    values(model.forward(&TokenBatch::with_segments(&[ids], &[segments], 0, &Device::default())))
}

#[test]
fn pairs_are_read_with_their_special_tokens_and_segments() {
    for family in ["bert_classifier", "distilbert_classifier", "roberta_classifier"] {
        let target = with_tokenizer(family, json!({}));
        let classifier = SequenceClassifier::from_folder(target.path(), &Device::default()).unwrap();
        let logits = classifier.logits(&[("w5 w6", Some("w7")), ("w8", None), ("w9 w10", Some(""))]).unwrap();
        let roberta = family == "roberta_classifier";
        let ids: &[u32] = if roberta { &[0, 5, 6, 2, 2, 7, 2] } else { &[0, 5, 6, 2, 7, 2] };
        let segments: &[u32] = if family == "bert_classifier" { &[0, 0, 0, 0, 1, 1] } else { &[0; 7][..ids.len()] };
        assert!(largest(&logits[0], &logits_of(family, ids, segments)) < 1e-5, "{family}");
        assert!(largest(&logits[1], &logits_of(family, &[0, 8, 2], &[0; 3])) < 1e-5, "{family}");
        assert_eq!(classifier.info().labels, ["no", "maybe", "yes"]);
        jarre_core::testing::contract::text_classifier(&classifier);
    }
}

#[test]
fn of_a_pair_the_longer_text_is_cut() {
    let target = with_tokenizer("bert_classifier", json!({}));
    std::fs::write(target.path().join("tokenizer_config.json"), r#"{"model_max_length": 9}"#).unwrap();
    let classifier = SequenceClassifier::from_folder(target.path(), &Device::default()).unwrap();
    let logits = |first: &str, second: &str| classifier.logits(&[(first, Some(second))]).unwrap().remove(0);
    let (long, other) = ("w5 w6 w7 w8 w9 w10", "w11 w12 w13 w14 w15");
    assert_eq!(logits("w20", long), logits("w20", "w5 w6 w7 w8 w9"));
    assert_eq!(logits(long, "w20 w21"), logits("w5 w6 w7 w8", "w20 w21"));
    assert_eq!(logits(long, other), logits("w5 w6 w7", "w11 w12 w13"));
    assert_ne!(logits(long, other), logits("w5 w6", "w11 w12 w13"));
    std::fs::write(target.path().join("tokenizer_config.json"), r#"{"model_max_length": 3}"#).unwrap();
    let classifier = SequenceClassifier::from_folder(target.path(), &Device::default()).unwrap();
    assert!(classifier.logits(&[("w5", None)]).is_ok());
    let error = classifier.logits(&[("w5", Some("w6"))]).unwrap_err().to_string();
    assert!(error.contains("3 tokens leave no room beside 3 special ones"), "{error}");
}

#[test]
fn tokens_beyond_the_model_are_an_error() {
    let target = with_tokenizer("bert_classifier", json!({}));
    let text = std::fs::read_to_string(target.path().join("tokenizer.json")).unwrap();
    std::fs::write(target.path().join("tokenizer.json"), text.replace("\"w5\":5", "\"w5\":96")).unwrap();
    let classifier = SequenceClassifier::from_folder(target.path(), &Device::default()).unwrap();
    assert!(classifier.classify(&["w5"]).unwrap_err().to_string().contains("token 96 is beyond"));
}

#[test]
fn scores_are_softmax_or_a_sigmoid_each_as_the_configuration_says() {
    let scores = |settings| {
        let target = with_tokenizer("bert_classifier", settings);
        let classifier = SequenceClassifier::from_folder(target.path(), &Device::default()).unwrap();
        let logits = classifier.logits(&[("w5 w6", None)]).unwrap().remove(0);
        classifier.classify(&["w5 w6"]).map(|scores| (logits, scores[0].scores.iter().map(|score| score.score).collect::<Vec<_>>()))
    };
    let (logits, softmax) = scores(json!({})).unwrap();
    let sum: f32 = logits.iter().map(|logit| logit.exp()).sum();
    assert!(largest(&softmax, &logits.iter().map(|logit| logit.exp() / sum).collect::<Vec<_>>()) < 1e-6);
    let (logits, sigmoid) = scores(json!({ "problem_type": "multi_label_classification" })).unwrap();
    assert!(largest(&sigmoid, &logits.iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect::<Vec<_>>()) < 1e-6);
    assert!(scores(json!({ "problem_type": "regression" })).unwrap_err().to_string().contains("regression"));
}

#[test]
fn cross_encoders_score_pairs_by_sigmoid_or_identity() {
    const CANDIDATES: [&str; 4] = ["w7 w8", "", "w9 w10 w11 w12", "w5"];
    for family in ["cross_encoder", "xlm_roberta_reranker"] {
        let score = |settings| {
            let target = with_tokenizer(family, settings);
            let encoder = CrossEncoder::from_folder(target.path(), &Device::default())?;
            assert!(encoder.score("w5 w6", &[]).unwrap().is_empty());
            Ok::<_, Error>((encoder.logits("w5 w6", &CANDIDATES)?, encoder.score("w5 w6", &CANDIDATES).unwrap()))
        };
        let (logits, scores) = score(json!({})).unwrap();
        assert!(largest(&scores, &logits.iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect::<Vec<_>>()) < 1e-6, "{family}");
        let (segments, ids): (&[u32], &[u32]) = match family {
            "cross_encoder" => (&[0, 0, 0, 0, 1, 1, 1], &[0, 5, 6, 2, 7, 8, 2]),
            _ => (&[0; 8], &[0, 5, 6, 2, 2, 7, 8, 2]),
        };
        assert!(largest(&logits[..1], &logits_of(family, ids, segments)) < 1e-5, "{family}");
        let identity = json!({ "sentence_transformers": { "activation_fn": "torch.nn.modules.linear.Identity", "version": "5.1.0" } });
        let (logits, scores) = score(identity).unwrap();
        assert_eq!(logits, scores);
        let odd = score(json!({ "sbert_ce_default_activation_function": "torch.nn.modules.activation.Tanh" })).unwrap_err();
        assert!(odd.to_string().contains("`Tanh`"), "{odd}");
    }
    let target = with_tokenizer("bert_classifier", json!({}));
    assert!(CrossEncoder::from_folder(target.path(), &Device::default()).unwrap_err().to_string().contains("`3`"));
}
