//! Does thinking step by step help? One model is asked the same problems twice, and two large ones are compared by what they answered before.
//!
//! `cargo run --example eval_reasoning`; `--help` says more.

mod args;
mod ask;
mod model;
mod recorded;
mod tell;

use std::{process::ExitCode, sync::Arc};

use anyhow::{Context, Result};
use clap::Parser;
use jarre_core::SystemClock;
use jarre_eval::{
    compare::Side,
    track::{RunId, SampleTexts, Tracker},
};

use args::{Cli, Command, OutputArgs};

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    let tracker = tracker(&cli.output)?;
    let (sides, metric) = match &cli.command {
        None => ask::both_ways(&tracker, &cli.ask)?,
        Some(Command::Recorded(args)) => recorded::both_models(&tracker, args)?,
    };
    tell::tell(&sides, &metric, &cli.output)
}

fn tracker(output: &OutputArgs) -> Result<Tracker> {
    let clock = Arc::new(SystemClock::new());
    match &output.db {
        Some(path) => Tracker::open(path, clock).with_context(|| format!("cannot open {}", path.display())),
        None => Ok(Tracker::open_in_memory(clock)?),
    }
}

/// A run with its answers.
fn side(tracker: &Tracker, id: &RunId) -> Result<Side> {
    let run = tracker.run(id)?;
    let samples = tracker.samples(id, SampleTexts::Whole)?;
    Ok(Side { name: run.name, run: id.to_string(), provenance: run.provenance, samples })
}
