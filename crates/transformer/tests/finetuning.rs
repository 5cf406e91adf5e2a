//! Fine-tuning of encoders with a head, from a folder to a folder.
#![cfg(feature = "train")]
#![expect(clippy::unwrap_used, reason = "tests")]

#[expect(dead_code, reason = "other tests use the rest")]
mod padded;
#[expect(dead_code, reason = "other tests use the rest")]
mod reference;
#[expect(dead_code, reason = "other tests use the rest")]
mod tiny;

use burn::tensor::Device;
use jarre_core::TextClassifier;
use jarre_transformer::train::{AdamWConfig, ClassifierTrainer, ClassifierTrainerConfig};
use jarre_transformer::{BertClassifier, BertClassifierConfig, BertConfig, Error, Pooler, SequenceClassifier, TokenBatch};
use padded::{slices, values};
use reference::{TOLERANCE, folder, largest};
use serde_json::Value;
use tiny::TinyModel;

type Targets = [Option<bool>; 3];

/// Eight texts of three to ten tokens, and labels, some of them not given.
fn task() -> (Vec<Vec<u32>>, Vec<Targets>) {
    let texts = (0..8_u32).map(|text| (0..3 + text).map(|token| (7 * text + 3 * token) % 40).collect());
    let label = |text: u32, label: u32| (!(text + label).is_multiple_of(5)).then_some(text >> label & 1 == 1);
    (texts.collect(), (0..8).map(|text| [0, 1, 2].map(|of| label(text, of))).collect())
}

fn settings() -> ClassifierTrainerConfig {
    ClassifierTrainerConfig { dropout: 0.0, ..ClassifierTrainerConfig::default() }
}

fn small(device: &Device) -> BertClassifier {
    BertClassifierConfig::new(BertConfig::new(40, 32, 4, 2, 64).with_n_positions(16), 3).init(device)
}

#[test]
fn eight_texts_are_learnt_by_heart() {
    let device = Device::flex();
    let (texts, targets) = task();
    let targets: Vec<&[Option<bool>]> = targets.iter().map(<[Option<bool>; 3]>::as_slice).collect();
    let mut trainer = ClassifierTrainer::new(small(&device), settings(), &device).unwrap();
    let losses: Vec<f64> = (0..300).map(|_| trainer.step(&slices(&texts), &targets, 2e-3).unwrap().loss).collect();
    assert!(losses[0] > 0.4 && losses[299] < 0.02, "{losses:?}");
    assert_eq!(trainer.steps(), 300);
    let logits = values(trainer.model().forward(&TokenBatch::new(&slices(&texts), 0, &device)));
    for (logits, targets) in logits.chunks(3).zip(targets) {
        assert!(logits.iter().zip(targets).all(|(logit, target)| target.is_none_or(|fits| fits == (*logit > 0.0))));
    }
}

#[test]
fn a_step_is_a_function_of_its_number_and_its_batch() {
    let device = Device::flex();
    let (texts, targets) = task();
    let targets: Vec<&[Option<bool>]> = targets.iter().map(<[Option<bool>; 3]>::as_slice).collect();
    let model = small(&device);
    let train = |seed| {
        let config = ClassifierTrainerConfig { seed, dropout: 0.5, ..ClassifierTrainerConfig::default() };
        let mut trainer = ClassifierTrainer::new(model.clone(), config, &device).unwrap();
        (0..3).map(|_| trainer.step(&slices(&texts), &targets, 1e-3).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(train(1), train(1));
    assert_ne!(train(1), train(2));
}

#[test]
fn what_makes_no_step_is_refused_and_changes_nothing() {
    let device = Device::flex();
    let config = ClassifierTrainerConfig { optimizer: AdamWConfig::default(), ..settings() };
    let mut trainer = ClassifierTrainer::new(small(&device), config, &device).unwrap();
    let error = trainer.step(&[&[1, 2]], &[&[None; 3]], 1e-3).unwrap_err();
    assert!(matches!(error, Error::InvalidSetting { .. }) && trainer.steps() == 0, "{error}");
    let mut fails = |ids: &[u32]| trainer.step(&[ids], &[&[Some(true); 3]], 1e-3).unwrap_err();
    assert!(matches!(fails(&[1, 40]), Error::UnknownToken { id: 40, vocab_size: 40 }));
    assert!(matches!(fails(&[1; 17]), Error::ContextLength { tokens: 17, max: 16 }));
    assert!(matches!(fails(&[]), Error::TooFewTokens { .. }));
    for dropout in [1.0, -0.1, f64::NAN] {
        let config = ClassifierTrainerConfig { dropout, ..settings() };
        assert!(ClassifierTrainer::new(small(&device), config, &device).is_err());
    }
}

/// Each family has its own names; a tiny random model of each that transformers wrote is read, written and read again.
#[test]
fn a_saved_folder_gives_the_same_logits() {
    let device = Device::flex();
    let ids: [&[u32]; 2] = [&[2, 7, 9, 3, 11, 3], &[2, 7, 3]];
    let batch = TokenBatch::new(&ids, 0, &device);
    let architectures = [("bert_classifier", "Bert"), ("roberta_classifier", "Roberta"), ("distilbert_classifier", "DistilBert")];
    for (family, architecture) in architectures {
        let model = BertClassifier::from_folder(folder(family), &device).unwrap();
        let logits = values(model.forward(&batch));
        let names: Vec<String> = (0..logits.len() / 2).map(|label| format!("label {label}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let out = tempfile::tempdir().unwrap();
        model.save_multi_label(&folder(family), &names, 12, out.path()).unwrap();
        let again = BertClassifier::from_folder(out.path(), &device).unwrap();
        assert!(largest(&logits, &values(again.forward(&batch))) < TOLERANCE / 100.0, "{family}");
        let read = |name: &str| std::fs::read(out.path().join(name)).unwrap();
        let config: Value = serde_json::from_slice(&read("config.json")).unwrap();
        assert_eq!(config["architectures"][0], format!("{architecture}ForSequenceClassification"));
        assert_eq!(
            tensor_names(&read("model.safetensors")),
            tensor_names(&std::fs::read(folder(family).join("model.safetensors")).unwrap())
        );
        assert!(model.save_multi_label(&folder(family), &names[1..], 12, out.path()).is_err());
        assert!(model.save_multi_label(out.path(), &names, 12, out.path()).is_err());
        assert!(BertClassifier::from_folder(out.path(), &device).is_ok(), "what is refused leaves the folder alone");
    }
}

/// Without buffers.
fn tensor_names(file: &[u8]) -> Vec<String> {
    let file = safetensors::SafeTensors::deserialize(file).unwrap();
    let mut names: Vec<String> = file.names().into_iter().map(str::to_owned).filter(|name| !name.ends_with("_ids")).collect();
    names.sort();
    names
}

#[test]
fn an_encoder_gets_a_head_and_becomes_a_classifier_of_texts() {
    let device = Device::flex();
    let tiny = TinyModel::new();
    tiny.write();
    let model = BertClassifier::from_encoder(tiny.path(), &[0.5, 0.01], 3, &device).unwrap();
    let batch = TokenBatch::new(&[&[2, 5, 6, 3]], 0, &device);
    let logits = values(model.forward(&batch));
    assert!(logits[0].abs() < 0.5 && (logits[1] + 99_f32.ln()).abs() < 0.5, "{logits:?}");
    let again = BertClassifier::from_encoder(tiny.path(), &[0.5, 0.01], 3, &device).unwrap();
    assert_eq!(values(again.forward(&batch)), logits);
    assert!(model.bert().max_tokens() == 20);

    let mut trainer = ClassifierTrainer::new(model, settings(), &device).unwrap();
    for _ in 0..5 {
        trainer.step(&[&[2, 4, 5, 3], &[2, 6, 7, 3]], &[&[Some(true), None], &[Some(false), Some(true)]], 1e-3).unwrap();
    }
    let out = tempfile::tempdir().unwrap();
    trainer.model().save_multi_label(tiny.path(), &["odd", "even"], 12, out.path()).unwrap();
    let classifier = SequenceClassifier::from_folder(out.path(), &device).unwrap();
    assert!(classifier.info().multi_label && classifier.tokenizer().max_tokens() == 12);
    let ids: [&[u32]; 2] = [&[2, 4, 5, 3], &[2, 6, 7, 3]];
    let logits = values(trainer.model().forward(&TokenBatch::new(&ids, 0, &device)));
    let again = classifier.logits(&[("one two", None), ("three four", None)]).unwrap().concat();
    assert!(largest(&logits, &again) < TOLERANCE, "{logits:?} {again:?}");
    let scores = classifier.classify(&["one two", "three four"]).unwrap();
    for (row, label, logit) in [(0, "odd", logits[0]), (0, "even", logits[1]), (1, "odd", logits[2]), (1, "even", logits[3])] {
        assert!((scores[row].score(label).unwrap() - 1.0 / (1.0 + (-logit).exp())).abs() < TOLERANCE, "{label}");
    }
}

#[test]
fn the_pooler_is_the_folders_where_it_has_one() {
    let device = Device::flex();
    let batch = TokenBatch::new(&[&[2, 7, 9, 3]], 0, &device);
    let model = BertClassifier::from_encoder(folder("bert"), &[0.3], 0, &device).unwrap();
    let expected = Pooler::from_folder(folder("bert"), &device).unwrap().forward(model.bert().forward(&batch));
    assert_eq!(values(model.head().pooler().forward(model.bert().forward(&batch))), values(expected));
    for priors in [&[][..], &[0.0], &[0.5, 1.0], &[f64::NAN]] {
        assert!(matches!(BertClassifier::from_encoder(folder("bert"), priors, 0, &device), Err(Error::InvalidSetting { .. })));
    }
}
