//! Phase 11: serving language models.
//!
//! `cargo run --example phase11_serving -- bench` loads an engine with the model of this repository and shows how long its answers take;
//! `cargo run --example phase11_serving --features phase11_serving/server -- serve` answers the API of `OpenAI`.

mod args;
mod bench;
mod load;
mod measure;
mod model;
#[cfg(feature = "server")]
mod serve;
mod summary;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use args::{Cli, Command};

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
    match &cli.command {
        Command::Bench(args) => bench::run(args),
        #[cfg(feature = "server")]
        Command::Serve(args) => serve::run(args),
        #[cfg(not(feature = "server"))]
        Command::Serve(_) => anyhow::bail!("this build has no server: run it with --features phase11_serving/server"),
    }
}
