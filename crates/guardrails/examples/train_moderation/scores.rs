use std::{collections::HashMap, error::Error, fs, path::Path};

use jarre_guardrails::learn::Example;
use serde::Deserialize;

use crate::{data::LABELS, measure::Judged};

#[derive(Deserialize)]
struct Row {
    text: String,
    scores: HashMap<String, f32>,
}

/// Each example with what `phase7_validators finetune --scores` wrote of it.
pub(crate) fn read(file: &Path, examples: &[Example]) -> Result<Vec<Judged>, Box<dyn Error>> {
    let text = fs::read_to_string(file)?;
    let rows = text.lines().map(|line| serde_json::from_str(line).map(|row: Row| (row.text, row.scores)));
    let rows: HashMap<String, HashMap<String, f32>> = rows.collect::<Result<_, _>>()?;
    let judged = |example: &Example| -> Result<Judged, Box<dyn Error>> {
        let scores = rows.get(&*example.text).ok_or("a text has no scores: some parts are still to be done")?;
        let score = |label: &str| scores.get(label).copied().ok_or_else(|| format!("a text has no score of {label}"));
        Ok(Judged { scores: LABELS.into_iter().map(score).collect::<Result<_, _>>()?, example: example.clone() })
    };
    examples.iter().map(judged).collect()
}
