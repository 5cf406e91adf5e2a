use std::{fs, path::PathBuf};

use clap::Parser;
use tempfile::TempDir;

use super::{
    interrupt::Interrupt,
    labelled::{Labelled, Text},
    learn::Recipe,
    scores::Scores,
};

fn file(folder: &TempDir, text: &str) -> PathBuf {
    let path = folder.path().join("data.jsonl");
    fs::write(&path, text).unwrap();
    path
}

fn failure(text: &str, labels: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let labels: Vec<String> = labels.iter().map(|&label| label.to_owned()).collect();
    let error = Labelled::read(&file(&folder, text), "text", &labels).err().unwrap();
    format!("{error:#}")
}

#[test]
fn labels_are_read_and_what_nobody_said_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "{\"text\": \"a\", \"y\": 1, \"x\": 0}\n{\"text\": \"b\", \"y\": null, \"x\": true}\n{\"text\": \"c\"}\n");
    let read = Labelled::read(&path, "text", &[]).unwrap();
    assert_eq!(read.labels, ["x", "y"]);
    let targets: Vec<&[Option<bool>]> = read.texts.iter().map(|text| text.targets.as_slice()).collect();
    assert_eq!(targets, [[Some(false), Some(true)], [Some(true), None], [None, None]]);
    assert_eq!(Labelled::read(&path, "text", &["y".to_owned()]).unwrap().labels, ["y"]);
}

#[test]
fn data_that_cannot_be_learnt_from_are_refused() {
    for (text, labels, said) in [
        ("", &[][..], "nothing to learn"),
        ("{\"text\": \"a\"}", &[], "nothing to learn"),
        ("{\"text\": \"a\", \"x\": 2}", &[], "`x` is 2"),
        ("{\"text\": \"a\", \"x\": \"yes\"}", &[], "--label"),
        ("{\"text\": \"a\", \"x\": 1}", &["y"], "whether `y` fits"),
        ("{\"prompt\": \"a\", \"x\": 1}", &[], "no field `text`"),
        ("\"a\"", &[], "not an object"),
        ("{", &[], "line 1"),
    ] {
        let failure = failure(text, labels);
        assert!(failure.contains(said), "{text}: {failure}");
    }
}

#[test]
fn parts_are_kept_and_runs_are_not_mixed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scores.jsonl");
    let text = Text { text: "a".to_owned(), targets: vec![Some(true)] };
    let mut scores = Scores::open(&path, "one").unwrap();
    scores.add(1, &[&text], &["x".to_owned()], &[vec![0.25]]).unwrap();
    let again = Scores::open(&path, "one").unwrap();
    assert!(again.has(1) && !again.has(0));
    let row: serde_json::Value = serde_json::from_str(fs::read_to_string(&path).unwrap().trim()).unwrap();
    assert_eq!((row["text"].as_str(), row["scores"]["x"].as_f64()), (Some("a"), Some(0.25)));
    assert!(format!("{:#}", Scores::open(&path, "two").err().unwrap()).contains("another run"));
    fs::write(&path, "{}\n").unwrap();
    assert!(format!("{:#}", Scores::open(&path, "one").err().unwrap()).contains("line 1"));
}

#[derive(Parser)]
struct Settings {
    #[command(flatten)]
    recipe: Recipe,
}

fn recipe(arguments: &[&str]) -> Recipe {
    Settings::parse_from([&["finetune"], arguments].concat()).recipe
}

#[test]
fn the_encoder_of_this_repository_learns_and_is_loaded_again() {
    use jarre_core::TextClassifier;
    use jarre_transformer::{Device, SequenceClassifier};

    let recipe = recipe(&["--epochs", "6", "--batch", "4", "--rate", "3e-4", "--max-tokens", "16"]);
    let labels = ["animal".to_owned(), "question".to_owned()];
    let text = |text: &str, animal, question| Text { text: text.to_owned(), targets: vec![animal, question] };
    let texts = [
        text("the dog sleeps", Some(true), Some(false)),
        text("where is the cat?", Some(true), Some(true)),
        text("a horse runs", Some(true), None),
        text("the train is late", Some(false), Some(false)),
        text("what does it cost?", Some(false), Some(true)),
        text("pay the bill", Some(false), None),
        text("nobody said anything of this", None, None),
    ];
    let texts: Vec<&Text> = texts.iter().collect();
    let learnt = recipe.learn(&labels, &texts, "test", &Interrupt::default()).unwrap();
    assert_eq!(learnt.steps, 12);
    let judged = learnt.judge(&texts).unwrap();
    assert!(judged[..3].iter().all(|row| row[0] > judged[3][0]), "{judged:?}");
    let folder = tempfile::tempdir().unwrap();
    learnt.save(folder.path()).unwrap();
    let classifier = SequenceClassifier::from_folder(folder.path(), &Device::flex()).unwrap();
    assert_eq!(classifier.tokenizer().max_tokens(), 16);
    let said = classifier.classify(&[&texts[1].text]).unwrap();
    for (label, score) in labels.iter().zip(&judged[1]) {
        let again = said[0].score(label).unwrap();
        assert!((again - score).abs() < 1e-4, "{label}: {again} {score}");
    }
}

#[test]
fn an_encoder_that_is_none_is_named() {
    let recipe = recipe(&["--encoder", "no-such-folder"]);
    let text = Text { text: "a".to_owned(), targets: vec![Some(true)] };
    let error = recipe.learn(&["x".to_owned()], &[&text], "test", &Interrupt::default()).err().unwrap();
    assert!(format!("{error:#}").contains("no-such-folder"), "{error:#}");
}
