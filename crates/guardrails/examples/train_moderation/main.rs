//! Trains the classifier for moderation that comes with the crate, or measures how such a one does on texts that it has not seen.
//!
//! `cargo run --release -p jarre-guardrails --example train_moderation -- --data $JARRE_DATA --out crates/guardrails/models/moderation.bin`
//! `cargo run --release -p jarre-guardrails --example train_moderation -- --data $JARRE_DATA --evaluate [--folds N] [--vectors FILE]`
//! `cargo run --release -p jarre-guardrails --example train_moderation -- --data $JARRE_DATA --scores FILE`
//!
//! The vectors are those of `phase7_validators embed`; what they add to the n-grams is measured, and not shipped. The scores are those of
//! `phase7_validators finetune --folds N`, and are measured as the others are.
#![expect(clippy::print_stdout, reason = "a program tells what it measured")]

mod data;
mod measure;
mod recipe;
mod scores;
mod table;
mod tweets;
mod vectors;

use std::{error::Error, fs, num::NonZeroUsize, path::PathBuf};

use jarre_guardrails::learn::{Example, fold};

use self::{
    measure::Judged,
    recipe::{Features, Recipe},
};

/// Folds where none are asked for.
const FOLDS: usize = 10;
/// Cuts the folds that are measured on; those that choose and calibrate are cut by another.
const SEED: u64 = 8;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (mut folder, mut file, mut vectors, mut scores, mut evaluated, mut folds) = (None, None, None, None, false, FOLDS);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--data" => folder = arguments.next().map(PathBuf::from),
            "--out" => file = arguments.next().map(PathBuf::from),
            "--vectors" => vectors = arguments.next().map(PathBuf::from),
            "--scores" => scores = arguments.next().map(PathBuf::from),
            "--folds" => folds = arguments.next().ok_or("give --folds N")?.parse::<NonZeroUsize>()?.get(),
            "--evaluate" => evaluated = true,
            other => {
                let known = "--data FOLDER, and --out FILE, --scores FILE or --evaluate, with it --folds N and --vectors FILE";
                return Err(format!("`{other}` is not known: give {known}").into());
            }
        }
    }
    let folder = folder.ok_or("give --data FOLDER")?;
    let examples = data::moderation(&folder)?;
    if let Some(file) = scores {
        println!("## {}\n\n{}\n", file.display(), table::table(&scores::read(&file, &examples)?)?);
    }
    if evaluated {
        let vectors = vectors.map(|file| vectors::read(&file)).transpose()?;
        let with_vectors: &[Features] = if vectors.is_some() { &[Features::Vectors, Features::ThemesAndVectors] } else { &[] };
        for &features in [Features::Ngrams, Features::Themes, Features::Tweets].iter().chain(with_vectors) {
            let recipe = Recipe::new(features, &folder, vectors.clone())?;
            println!("## {features:?}\n\n{}\n", table::table(&judged(&recipe, &examples, folds)?)?);
        }
    }
    if let Some(file) = file {
        let (model, config, loss) = Recipe::new(Features::Themes, &folder, None)?.train(&examples)?;
        let bytes = model.to_bytes();
        println!("{} examples, {} bytes, log loss {loss:.4} on texts left out, {config:?}", examples.len(), bytes.len());
        fs::write(file, bytes)?;
    }
    Ok(())
}

/// Each example, judged by a model that was trained, chosen and calibrated without its fold.
fn judged(recipe: &Recipe, examples: &[Example], folds: usize) -> Result<Vec<Judged>, Box<dyn Error>> {
    let mut judged = Vec::new();
    for left_out in 0..folds {
        let (out, learnt): (Vec<Example>, Vec<Example>) =
            examples.iter().cloned().partition(|example| fold(&example.text, SEED, folds) == left_out);
        let (model, ..) = recipe.train(&learnt)?;
        judged.extend(out.into_iter().map(|example| Judged { scores: model.score(&example.text), example }));
    }
    Ok(judged)
}
