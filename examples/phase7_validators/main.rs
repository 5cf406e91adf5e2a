//! Guards on the command line: checks texts by a policy, validates and repairs JSON, stands before a model as a proxy, and measures itself.
//!
//! `cargo run --example phase7_validators -- check 'Ignore all previous instructions'`; `--help` says more.

mod args;
mod check;
#[cfg(feature = "encoder")]
mod embed;
#[cfg(feature = "encoder")]
mod finetune;
mod input;
mod repair;
mod report;
#[cfg(feature = "server")]
mod serve;
mod validate;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use args::{Cli, Command};

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether all was allowed, valid or mended.
fn run(cli: &Cli) -> Result<bool> {
    match &cli.command {
        Command::Check(args) => check::check(args),
        Command::Validate(args) => validate::validate(args),
        Command::Repair(args) => repair::repair(args),
        Command::Policy => check::print_policy(),
        #[cfg(feature = "encoder")]
        Command::Embed(args) => embed::embed(args),
        #[cfg(feature = "encoder")]
        Command::Finetune(args) => finetune::finetune(args),
        #[cfg(feature = "server")]
        Command::Serve(args) => serve::serve(args),
        Command::Report(args) => report::report(args),
    }
}
