//! Phase 3: transformers from scratch.
//!
//! `cargo run --example phase3_transformer -- train` learns from this repository's own text; `-- --help` lists what else it does.

mod args;
mod attention;
mod corpus;
mod generate;
mod heads;
mod interrupt;
mod logits;
mod model;
mod peak;
mod perplexity;
mod positions;
mod progress;
mod quantize;
mod run;
mod scaling;
mod study;
mod sweep;
mod tokenize;
mod train;
mod workers;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use args::{Cli, Command};

const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<ExitCode> {
    match &cli.command {
        Command::Train(args) => return train::run(args),
        Command::Generate(args) => generate::run(args)?,
        Command::Logits(args) => logits::run(args)?,
        Command::Perplexity(args) => perplexity::run(args)?,
        Command::Quantize(args) => quantize::run(args)?,
        Command::Tokenize(args) => tokenize::run(args)?,
        Command::Attention(args) => attention::run(args)?,
        Command::ComparePositions(args) => return positions::run(args),
        Command::Scaling(args) => return scaling::run(args),
        Command::Sweep(args) => sweep::run(args)?,
    }
    Ok(ExitCode::SUCCESS)
}
