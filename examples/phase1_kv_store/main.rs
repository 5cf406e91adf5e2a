//! Phase 1: one key-value store, and what replication promises and costs.
//!
//! `cargo run --example phase1_kv_store` takes a tour of the store in one file and cuts two clusters in halves that replicate in unsafe
//! ways; `-- demo --help` and `-- cluster` lead further.

mod args;
mod client;
mod deployment;
mod failover;
mod judge;
mod mode;
mod prompt;
mod quantile;
#[cfg(feature = "cluster")]
mod raft_members;
mod record;
mod request;
mod simulation;
mod split_brain;
mod timeline;
mod tour;
mod trade_offs;
mod unsafe_replication;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use args::{Cli, Command, Demo, SplitBrainArgs};

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    match cli.command {
        None => {
            tour::run(None)?;
            println!("\nThe same store, copied to five nodes in two ways that are not safe, and a network that is cut:\n");
            split_brain::run(&SplitBrainArgs::default())
        }
        Some(Command::Tour { path }) => tour::run(path.as_deref()),
        Some(Command::Demo { demo: Demo::SplitBrain(args) }) => split_brain::run(&args),
        Some(Command::Demo { demo: Demo::Failover(args) }) => failover::run(&args),
        Some(Command::Demo { demo: Demo::TradeOffs(args) }) => trade_offs::run(&args),
        Some(Command::Cluster(args)) => prompt::run(&args),
        #[cfg(feature = "cluster")]
        Some(Command::Member { node, folder, addresses }) => raft_members::serve(node, folder, &addresses),
    }
}
