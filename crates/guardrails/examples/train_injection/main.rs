//! Trains the model of `jarre_guardrails::injection` and reports on it:
//! `cargo run --release -p jarre-guardrails --example train_injection -- --data $JARRE_DATA [--report] [--cross] [--write crates/guardrails/models/injection.bin]`.
//!
//! Everything is seeded: the same data give the same model, to the byte, on one kind of machine.
#![expect(clippy::print_stdout, reason = "a program that reports")]

mod cross;
mod indirect;
mod report;
mod rows;
mod sets;
mod split;
mod templates;

use std::{error::Error, path::PathBuf};

use jarre_guardrails::{
    injection::features,
    learn::{Example, NgramModel, TrainConfig, train},
};
use rows::Row;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| arguments.iter().position(|argument| argument == name).and_then(|at| arguments.get(at + 1)).map(PathBuf::from);
    let data = value("--data").ok_or("give the folder of the data: --data $JARRE_DATA")?;
    let sets = sets::Sets::read(&data)?;
    if arguments.iter().any(|argument| argument == "--report") {
        report::report(&sets)?;
    }
    if arguments.iter().any(|argument| argument == "--cross") {
        cross::report(&sets)?;
    }
    if let Some(path) = value("--write") {
        let bytes = fit(&rows::rows(&sets, 0))?.to_bytes();
        std::fs::write(&path, &bytes)?;
        println!("{} bytes to {}", bytes.len(), path.display());
    }
    Ok(())
}

/// From this score on, an innocent part of a text that was passed over is learnt from after all.
const HARD: f32 = 0.2;

/// The model that `rows` make: fitted to some parts of each, then again with those of the others that the first model was wrong about.
fn fit(rows: &[Row]) -> Result<NgramModel, Box<dyn Error>> {
    let config = TrainConfig {
        name: "jarre-injection".into(),
        labels: vec!["attack".into(), "demand".into()],
        bits: 17,
        least_texts: 3,
        strengths: vec![3.0],
        balance: 0.3,
        folds: 2,
        epochs: 30,
        ..TrainConfig::default()
    };
    let (mut examples, left): (Vec<Vec<Example>>, Vec<Vec<Example>>) = rows.iter().map(Row::examples).unzip();
    let fit = |examples: &[Example]| train(&config, Some(features()), examples, &mut |_| ());
    let first = fit(&examples.concat())?;
    let is_hard = |example: &Example| {
        let innocent = example.targets.iter().position(|target| *target == Some(false));
        innocent.is_some_and(|label| first.score(&example.text)[label] >= HARD)
    };
    examples.push(left.into_iter().flatten().filter(is_hard).collect());
    let hard = examples.last().map_or(0, Vec::len);
    let examples = examples.concat();
    let count = |label: usize, side| examples.iter().filter(|example| example.targets[label] == Some(side)).count();
    println!(
        "\ntrained on {} attacks and {} others, {} demands and {} others; {hard} of the others were hard",
        count(0, true),
        count(0, false),
        count(1, true),
        count(1, false)
    );
    Ok(fit(&examples)?)
}
