//! `report`: how often each layer is wrong, about what, how long it takes, and whether that was better before.

#[cfg(any(feature = "encoder", test))]
mod domains;
mod figures;
#[cfg(any(feature = "server", test))]
mod judged;
mod measure;
mod page;
mod personal;
mod ratchet;
mod sets;
mod tables;
#[cfg(any(feature = "encoder", test))]
mod topics;

use std::{fs, io::Write, path::Path};

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use jarre_core::SystemClock;
use serde_json::json;

use crate::{args::ReportArgs, check};
use figures::{Figures, Mistake};
use measure::Bench;
use ratchet::Departure;

/// Texts of these lengths are timed, so often each.
const LENGTHS: [usize; 2] = [1 << 10, 32 << 10];
const RUNS: usize = 300;
/// Each layer of the input on these, so often each: what a byte costs must not grow with the length.
const GROWING: [usize; 4] = [10_000, 100_000, 1_000_000, 10_000_000];
const GROWING_RUNS: usize = 5;

/// Whether nothing is worse than what is held.
pub(crate) fn report(args: &ReportArgs) -> Result<bool> {
    let (figures, mistakes) = measured(args)?;
    let departures = match &args.ratchet {
        Some(path) if args.update => ratchet::write(path, &figures.rates).map(|()| Vec::new())?,
        Some(path) => ratchet::compare(&ratchet::read(path)?, &figures.rates),
        None => Vec::new(),
    };
    tell(args, &figures, &departures)?;
    if let Some(path) = &args.out {
        write(path, &serde_json::to_string(&json!({"figures": figures, "mistakes": mistakes}))?)?;
    }
    if let Some(path) = &args.html {
        write(path, &page::page(&figures, &mistakes, &departures, &command())?)?;
    }
    Ok(!departures.iter().any(Departure::fails))
}

fn measured(args: &ReportArgs) -> Result<(Figures, Vec<Mistake>)> {
    let pipeline = check::pipeline(&args.policy)?;
    let clock = SystemClock::new();
    let bench = Bench { pipeline: &pipeline, clock: &clock };
    let (sets, left_out) = sets::read(&args.data)?;
    let mut figures = Figures { left_out, ..Figures::default() };
    let bar = ProgressBar::new(sets.iter().map(|set| set.texts.len() as u64).sum());
    let mut mistakes = bench.rates(&sets, &bar, &mut figures)?;
    mistakes.extend(personal::rates(&mut figures)?);
    bar.set_message("rankings and times");
    figures.rankings = measure::ranking(&sets)?;
    let pages = sets::timed(&args.data)?;
    figures.latencies = bench.latencies(&pages, &LENGTHS, RUNS);
    if args.lengths {
        figures.latencies.extend(bench.growing(&pages, &GROWING, GROWING_RUNS));
    }
    #[cfg(feature = "encoder")]
    if let Some(folder) = &args.topics {
        let encoder = jarre_transformer::SentenceEncoder::from_folder(folder, &jarre_transformer::Device::flex())?;
        figures.topics = topics::rates(&args.data, &encoder, &bar)?;
    }
    #[cfg(feature = "server")]
    if let (Some(url), Some(model)) = (&args.judge_url, &args.judge_model) {
        bar.set_message("the judge");
        figures.graded = judged::ask(url, model, args.judge_key_env.as_deref(), &mistakes, args.judge_most)?;
    }
    bar.finish_and_clear();
    Ok((figures, mistakes))
}

fn tell(args: &ReportArgs, figures: &Figures, departures: &[Departure]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    if args.json {
        let told: Vec<String> = departures.iter().map(Departure::told).collect();
        writeln!(out, "{}", json!({"figures": figures, "departures": told}))?;
        return Ok(());
    }
    let tables = [
        tables::rates(figures)?,
        tables::rankings(figures)?,
        tables::latencies(figures)?,
        tables::topics(figures)?,
        tables::graded(figures)?,
    ];
    for table in tables.iter().filter(|table| !table.is_empty()) {
        writeln!(out, "{}", table.to_plain_text())?;
    }
    for set in &figures.left_out {
        writeln!(out, "left out: {set}")?;
    }
    for departure in departures {
        writeln!(out, "{}", departure.told())?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// The command as it was given, without the path of the program.
fn command() -> String {
    std::iter::once("phase7_validators".to_owned()).chain(std::env::args().skip(1)).collect::<Vec<_>>().join(" ")
}
