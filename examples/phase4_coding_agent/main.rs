//! A coding agent on the command line: runs a task in a sandbox, is measured on task sets, replayed and looked at.
//!
//! `cargo run --example phase4_coding_agent -- run` shows a whole run without a network; `--help` says more.

mod args;
mod bench;
mod demo;
mod durable;
mod exec;
mod export;
mod interrupt;
mod log_file;
mod machine;
mod models;
mod replay;
mod run;
mod runs;
#[cfg(feature = "server")]
mod serve;
mod store;
mod tasks;

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

/// Whether all went well.
fn run(cli: &Cli) -> Result<bool> {
    match &cli.command {
        Command::Run(args) => run::run(args),
        Command::Approve(args) => run::approve(args),
        Command::Runs(args) => runs::runs(args),
        Command::Replay(args) => replay::replay(args),
        Command::Export(args) => export::export(args),
        #[cfg(feature = "server")]
        Command::Serve(args) => serve::serve(args),
        Command::Exec(args) => exec::exec(args),
        Command::Bench(args) => bench::bench(args),
        Command::Verify(args) => bench::verify(args),
    }
}
