use jarre_eval::experiment::{Experiment, MetricSpec};

use crate::model::experiment;

const WHOLE: &str = r#"
name = "arithmetic"
description = "can it add"
metrics = ["exact_match", { name = "flag", recorded = { small = "ok" } }]
sampling = { temperature = 0.0, max_tokens = 64, stop = [] }
repeats = 3
seed = 9

[dataset]
path = "items.jsonl"
target = "answer"
cluster = "doc"
sample = 10

[prompt]
system = "Be brief."
user = "{{question}}"

[method]
kind = "few_shot_cot"
path = "shots.jsonl"
question = "q"
answer = "a"
count = 4

[[models]]
name = "small"
model = "m"
base_url = "http://127.0.0.1:1/v1"
sampling = { top_p = 0.9 }

[[models]]
name = "large"
recorded = "reply"

[limits]
concurrency = 8
dollars = 1.5

[limits.retries]
most = 2

[sweep]
temperature = [0.0, 1.0]
"#;

#[test]
fn a_file_is_read_and_written() {
    let read = experiment(WHOLE).unwrap();
    assert_eq!((read.models.len(), read.repeats, read.limits.retries.most, read.dataset.sample), (2, 3, 2, Some(10)));
    assert!(matches!(&read.metrics[1], MetricSpec::Recorded(recorded) if recorded.recorded["small"] == "ok"));
    let written = toml::to_string(&read).unwrap();
    assert_eq!(Experiment::parse(&written).unwrap(), read);
}

#[test]
fn misspelt_settings_are_refused_wherever_they_stand() {
    let changes = [
        ("repeats = 3", "repaets = 3"),
        ("target = ", "traget = "),
        ("user = ", "uesr = "),
        ("temperature = 0.0, ", "temprature = 0.0, "),
        ("top_p = 0.9", "topp = 0.9"),
        ("concurrency", "concurency"),
        ("most = 2", "mots = 2"),
        ("temperature = [", "heat = ["),
        ("model = \"m\"", "modle = \"m\""),
        ("\"exact_match\", ", "\"exact_mach\", "),
        ("few_shot_cot", "some_shots"),
    ];
    for (right, wrong) in changes {
        assert!(WHOLE.contains(right), "{right}");
        let error = experiment(&WHOLE.replacen(right, wrong, 1)).unwrap_err();
        assert!(!error.to_string().is_empty(), "{wrong}");
    }
}

#[test]
fn what_cannot_be_run_is_refused_with_what_to_do() {
    let told = |right: &str, wrong: &str| experiment(&WHOLE.replacen(right, wrong, 1)).unwrap_err().to_string();
    assert_eq!(told("name = \"large\"", "name = \"small\""), "two models are named `small`; variants are told apart by their names");
    assert_eq!(told("repeats = 3", "repeats = 0"), "`repeats` and `limits.concurrency` must be at least 1");
    assert_eq!(told("user = \"{{question}}\"", "user = \"a\"\nregistered = \"b\""), "[prompt] needs either `user` or `registered`");
    assert_eq!(told("\"arithmetic\"", "\" \""), "`name` must not be empty");
    assert!(told("name = \"arithmetic\"", "name = 1").contains("expected a string"));
    assert!(told("\"exact_match\", ", "\"exact_mach\", ").contains("expected a scorer: one of exact_match"));
    assert!(told("name = \"flag\"", "nmae = \"flag\"").contains("unknown field `nmae`"));
}
