//! `finetune`: an encoder learns labels, of which any number fits a text.

mod interrupt;
mod labelled;
mod learn;
mod scores;

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use jarre_guardrails::learn::fold;
use serde_json::json;

use self::{
    interrupt::Interrupt,
    labelled::{Labelled, Text},
    learn::{Learnt, Recipe},
    scores::Scores,
};

#[derive(Debug, Args)]
pub(crate) struct FinetuneArgs {
    /// What to learn from: a JSON object a line, with the text and 0, 1, true or false for each label; one that is missing or null is not
    /// known.
    pub(crate) file: PathBuf,
    /// The field that holds the text.
    #[arg(long, default_value = "text")]
    pub(crate) field: String,
    /// A field that is a label; may be given several times. All fields but the text's where none is.
    #[arg(long = "label", value_name = "FIELD")]
    pub(crate) labels: Vec<String>,
    /// Writes the classifier here, as a folder of the Hugging Face layout.
    #[arg(long, value_name = "FOLDER", required_unless_present = "folds")]
    pub(crate) out: Option<PathBuf>,
    /// Measures as well: the texts are cut by their hash, and each part is judged by a model that has learnt from the others.
    #[arg(long, value_name = "PARTS", requires = "scores", value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub(crate) folds: Option<u32>,
    /// Writes what those models say here, a text a line. Parts that a run of the same settings has written already are not done again.
    #[arg(long, value_name = "FILE", requires = "folds")]
    pub(crate) scores: Option<PathBuf>,
    /// Cuts the texts otherwise; this one as `train_moderation` does.
    #[arg(long, default_value_t = 8)]
    pub(crate) fold_seed: u64,
    #[command(flatten)]
    pub(crate) recipe: Recipe,
    /// Prints what was done as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Measures, then learns from all texts, as far as each is asked for.
pub(crate) fn finetune(args: &FinetuneArgs) -> Result<bool> {
    let labelled = Labelled::read(&args.file, &args.field, &args.labels)?;
    let interrupt = Interrupt::install()?;
    if let (Some(folds), Some(file)) = (args.folds, &args.scores) {
        measure(args, &labelled, folds as usize, file, &interrupt)?;
    }
    if let Some(out) = &args.out {
        let texts: Vec<&Text> = labelled.texts.iter().collect();
        let learnt = args.recipe.learn(&labelled.labels, &texts, "all texts", &interrupt)?;
        learnt.save(out).with_context(|| format!("cannot write {}", out.display()))?;
        tell(args.json, &learnt, &format!("{} has learnt from", out.display()), texts.len())?;
    }
    Ok(true)
}

/// Lets each part of the texts be judged by a model that has not seen it.
fn measure(args: &FinetuneArgs, labelled: &Labelled, folds: usize, file: &Path, interrupt: &Interrupt) -> Result<()> {
    let run = format!("{}, folds {folds} by {}, {} labels", args.recipe, args.fold_seed, labelled.labels.len());
    let mut scores = Scores::open(file, &run)?;
    for part in 0..folds {
        let (left_out, others): (Vec<&Text>, Vec<&Text>) =
            labelled.texts.iter().partition(|text| fold(&text.text, args.fold_seed, folds) == part);
        let name = format!("part {} of {folds}", part + 1);
        if left_out.is_empty() || scores.has(part) {
            continue;
        }
        if others.is_empty() {
            bail!("{name} holds all texts: there are none to learn from");
        }
        let learnt = args.recipe.learn(&labelled.labels, &others, &name, interrupt)?;
        scores.add(part, &left_out, &labelled.labels, &learnt.judge(&left_out)?)?;
        tell(args.json, &learnt, &format!("{name} is judged by a model that has learnt from"), others.len())?;
    }
    Ok(())
}

fn tell(json: bool, learnt: &Learnt, what: &str, texts: usize) -> Result<()> {
    let (steps, loss, seconds) = (learnt.steps, learnt.loss, learnt.seconds);
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", json!({"what": what, "texts": texts, "steps": steps, "loss": loss, "seconds": seconds}))?;
    } else {
        writeln!(out, "{what} {texts} texts: {steps} steps, {seconds:.0} s, loss {loss:.4} a label in the last epoch")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
