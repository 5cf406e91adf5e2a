//! Phase 11: serving language models.
//!
//! `cargo run --example phase11_serving -- bench` loads an engine with the model of this repository and shows how long its answers take;
//! `cargo run --example phase11_serving --features phase11_serving/server -- serve` answers the API of `OpenAI`.

#[cfg(all(feature = "server", target_os = "linux", target_env = "gnu"))]
mod arenas;
mod args;
mod attention;
mod bench;
mod chat;
mod child;
#[cfg(feature = "server")]
mod client;
#[cfg(feature = "server")]
mod hub;
mod model;
mod profile;
mod quality;
mod resident;
#[cfg(feature = "server")]
mod serve;
#[cfg(feature = "server")]
mod storm;
mod tensor_parallel;

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
        Command::TensorParallel(args) => tensor_parallel::run(args),
        Command::TensorParallelRank(args) => tensor_parallel::run_rank(args),
        #[cfg(feature = "server")]
        Command::TensorParallelWorker(args) => tensor_parallel::workers::run(args),
        Command::Chat(args) => chat::run(args),
        Command::Quality(args) => quality::run(args),
        Command::QualityCost => quality::run_cost(),
        Command::Attention(args) => attention::run(args),
        Command::AttentionMemory => attention::run_memory(),
        Command::Profile(args) => profile::run(args),
        #[cfg(feature = "server")]
        Command::Serve(args) => serve::run(args),
        #[cfg(feature = "server")]
        Command::Storm(args) => storm::run(args),
        #[cfg(not(feature = "server"))]
        Command::Serve(_) => anyhow::bail!("this build has no server: run it with --features phase11_serving/server"),
    }
}
