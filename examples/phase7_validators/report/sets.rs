//! The texts that are measured on, each set with what its texts are and whether a classifier learnt from them.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::Path,
};

use anyhow::{Context, Result};
use flate2::read::GzDecoder;
use jarre_guardrails::Stage;
use serde_json::Value;

use super::figures::Side;

/// Texts of one kind, read by one layer.
pub(crate) struct Set {
    pub(crate) layer: &'static str,
    pub(crate) stage: Stage,
    pub(crate) name: String,
    pub(crate) side: Side,
    pub(crate) seen: bool,
    pub(crate) texts: Vec<String>,
}

const PAGES: &str = "text/tech_docs.jsonl.gz";

type Reader = fn(&Path) -> Result<Vec<Set>>;

/// All sets under `data`, and the names of those that are not there.
pub(crate) fn read(data: &Path) -> Result<(Vec<Set>, Vec<String>)> {
    let (mut sets, mut left_out) = (Vec::new(), Vec::new());
    let readers: [(&str, Reader); 6] = [
        ("guard/injection.jsonl", injection),
        ("guard/moderation.jsonl", moderation),
        ("router/clinc150.json", utterances),
        ("eval/gsm8k/test.jsonl", problems),
        (PAGES, pages),
        ("guard/hate_speech/labeled_data.csv", tweets),
    ];
    for (file, reader) in readers {
        let path = data.join(file);
        if path.exists() {
            sets.extend(reader(&path).with_context(|| path.display().to_string())?);
        } else {
            left_out.push(format!("{file} is not there"));
        }
    }
    Ok((sets, left_out))
}

/// Jailbreaks, attacks in data, and harmless requests; the shipped classifier learnt from all of them.
fn injection(path: &Path) -> Result<Vec<Set>> {
    let mut sets: Vec<Set> = Vec::new();
    for row in lines(path)? {
        let text = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
        let side = if row["label"] == 1 { Side::Harmful } else { Side::Harmless };
        let (source, text) = (text("set"), text("text"));
        // What is an attack only because it stands in data is read as data.
        let (layer, stage) = if source.starts_with("BIPIA") { ("indirect_injection", Stage::Context) } else { ("injection", Stage::Input) };
        match sets.iter_mut().find(|set| set.name == source && set.side == side) {
            Some(set) => set.texts.push(text),
            None => sets.push(Set { layer, stage, name: source, side, seen: true, texts: vec![text] }),
        }
    }
    Ok(sets)
}

/// Requests with a label in any category, and those labelled harmless in all; the shipped classifier learnt from all of them.
fn moderation(path: &Path) -> Result<Vec<Set>> {
    const CATEGORIES: [&str; 8] = ["S", "H", "V", "HR", "SH", "S3", "H2", "V2"];
    let rows = lines(path)?;
    let texts = |wanted: &dyn Fn(&Value) -> bool| {
        rows.iter().filter(|row| wanted(row)).filter_map(|row| row["prompt"].as_str().map(str::to_owned)).collect()
    };
    let flagged = |row: &Value| CATEGORIES.iter().any(|category| row[*category] == 1);
    let clean = |row: &Value| CATEGORIES.iter().all(|category| row[*category] == 0);
    let set = |side, texts| Set { layer: "moderation", stage: Stage::Input, name: "openai_moderation".into(), side, seen: true, texts };
    Ok(vec![set(Side::Harmful, texts(&flagged)), set(Side::Harmless, texts(&clean))])
}

/// What people say to a banking, travel or kitchen assistant: the parts that nothing learnt from.
fn utterances(path: &Path) -> Result<Vec<Set>> {
    let parts: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
    let part =
        |name: &str| parts[name].as_array().into_iter().flatten().filter_map(|row| row[0].as_str().map(str::to_owned)).collect::<Vec<_>>();
    let texts: Vec<String> = ["val", "test", "oos_val", "oos_test"].into_iter().flat_map(part).collect();
    Ok(harmless("clinc150", &texts, false))
}

/// School problems: the test part, which nothing learnt from.
fn problems(path: &Path) -> Result<Vec<Set>> {
    let texts: Vec<String> = lines(path)?.iter().filter_map(|row| row["question"].as_str().map(str::to_owned)).collect();
    Ok(harmless("gsm8k", &texts, false))
}

/// Documentation pages, as something retrieved and as something pasted. A part of them was learnt from.
fn pages(path: &Path) -> Result<Vec<Set>> {
    // Not those at the places that training takes.
    let texts = documents(path, |at| at % 10 == 5)?;
    let mut sets = harmless("tech_docs", &texts, false);
    sets.push(Set {
        layer: "indirect_injection",
        stage: Stage::Context,
        name: "tech_docs".into(),
        side: Side::Harmless,
        seen: false,
        texts,
    });
    Ok(sets)
}

/// What is timed: documentation pages that nothing learnt from.
pub(crate) fn timed(data: &Path) -> Result<Vec<String>> {
    let path = data.join(PAGES);
    if path.exists() { documents(&path, |at| at % 2 == 1).with_context(|| path.display().to_string()) } else { Ok(Vec::new()) }
}

/// The documentation pages at the places that are `wanted`.
fn documents(path: &Path, wanted: impl Fn(usize) -> bool) -> Result<Vec<String>> {
    let reader = BufReader::new(GzDecoder::new(File::open(path)?));
    let mut texts = Vec::new();
    for (_, line) in reader.lines().enumerate().filter(|(at, _)| wanted(*at)) {
        let row: Value = serde_json::from_str(&line?)?;
        texts.extend(row["text"].as_str().map(str::to_owned));
    }
    Ok(texts)
}

/// Tweets that most raters called hateful.
fn tweets(path: &Path) -> Result<Vec<Set>> {
    let mut texts = Vec::new();
    for row in csv::Reader::from_path(path)?.records() {
        let row = row?;
        if row.get(5) == Some("0") {
            texts.extend(row.get(6).map(str::to_owned));
        }
    }
    Ok(vec![Set { layer: "moderation", stage: Stage::Input, name: "hate_speech".into(), side: Side::Harmful, seen: false, texts }])
}

/// Texts that no layer of the input should stop.
fn harmless(name: &str, texts: &[String], seen: bool) -> Vec<Set> {
    let layers = ["injection", "moderation", "pipeline"];
    layers.map(|layer| Set { layer, stage: Stage::Input, name: name.into(), side: Side::Harmless, seen, texts: texts.to_vec() }).into()
}

fn lines(path: &Path) -> Result<Vec<Value>> {
    let rows = BufReader::new(File::open(path)?).lines().enumerate();
    rows.map(|(at, line)| serde_json::from_str(&line?).with_context(|| format!("line {}", at + 1))).collect()
}
