//! What the shipped model makes of texts that it has not learnt from: `JARRE_DATA=... cargo test -p jarre-guardrails --test injection_data
//! -- --ignored --nocapture`.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, reason = "tests")]

use std::{fs, io::Read as _, path::PathBuf};

use jarre_eval::stats::wilson;
use jarre_guardrails::{
    Context, Guard, Stage,
    injection::{IndirectConfig, IndirectGuard, InjectionConfig, InjectionGuard},
};
use serde_json::Value;

fn data(path: &str) -> PathBuf {
    PathBuf::from(std::env::var("JARRE_DATA").expect("set JARRE_DATA to the folder of the data")).join(path)
}

fn questions(path: &str) -> Vec<String> {
    let text = fs::read_to_string(data(path)).unwrap();
    text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["question"].as_str().unwrap().to_owned()).collect()
}

/// Utterances of the parts of CLINC150 that nothing was learnt from.
fn utterances() -> Vec<String> {
    let sets: Value = serde_json::from_str(&fs::read_to_string(data("router/clinc150.json")).unwrap()).unwrap();
    let rows = ["test", "oos_test"].iter().flat_map(|set| sets[*set].as_array().unwrap());
    rows.map(|row| row[0].as_str().unwrap().to_owned()).collect()
}

/// The pages that nothing was learnt from: every other one.
fn pages() -> Vec<String> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(fs::File::open(data("text/tech_docs.jsonl.gz")).unwrap()).read_to_string(&mut text).unwrap();
    let unseen = text.lines().skip(1).step_by(2);
    unseen.map(|line| serde_json::from_str::<Value>(line).unwrap()["text"].as_str().unwrap().to_owned()).collect()
}

/// The share of `texts` that `guard` finds something in.
fn found(name: &str, guard: &dyn Guard, stage: Stage, texts: &[String]) -> f64 {
    let count = texts.iter().filter(|text| !guard.check(text, &Context::new(stage)).unwrap().is_empty()).count() as u64;
    let total = texts.len() as u64;
    let interval = wilson(count, total, 0.95).unwrap();
    println!("{name:<40} {count:>5} of {total:>5}, {:.2} % to {:.2} %", 100.0 * interval.low, 100.0 * interval.high);
    count as f64 / total as f64
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn harmless_texts_are_left_alone() {
    let direct = InjectionGuard::new(InjectionConfig::default()).unwrap();
    let indirect = IndirectGuard::new(IndirectConfig::default()).unwrap();
    let pages = pages();
    assert!(found("CLINC150, test", &direct, Stage::Input, &utterances()) < 0.01);
    assert!(found("GSM8K, test", &direct, Stage::Input, &questions("eval/gsm8k/test.jsonl")) < 0.005);
    assert!(found("documentation pages, whole", &direct, Stage::Input, &pages) < 0.01);
    let passages: Vec<String> = pages.iter().map(|page| page.chars().take(1500).collect()).collect();
    assert!(found("documentation passages, direct", &direct, Stage::Input, &passages) < 0.01);
    assert!(found("documentation passages, as data", &indirect, Stage::Context, &passages) < 0.0125);
}
