//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::{mode::Mode, split_brain::Cut};

/// Phase 1: a key-value store that shows what it promises. Without a command: a tour of the store in one file, then the split-brain
/// demonstration.
#[derive(Debug, Parser)]
#[command(version = None)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// What the store in one file does: history, transactions, leases, watches, sessions, snapshots
    Tour {
        /// The file, which must not exist yet; a temporary one unless named
        #[arg(long)]
        path: Option<PathBuf>,
    },
    /// What replication promises, shown by breaking it
    Demo {
        #[command(subcommand)]
        demo: Demo,
    },
    /// A cluster to play with: cut it, kill, pause and heal its nodes from a prompt
    Cluster(ClusterArgs),
    /// A member's process; for the program itself
    #[cfg(feature = "cluster")]
    #[command(hide = true)]
    Member { node: usize, folder: PathBuf, addresses: Vec<String> },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Demo {
    /// Cuts the network under a leader with clients on both sides
    SplitBrain(SplitBrainArgs),
    /// Kills the leader again and again
    Failover(FailoverArgs),
    /// Throughput, latency, unavailability and losses by mode, read level and condition
    TradeOffs(TradeOffsArgs),
}

#[derive(Args, Debug)]
pub(crate) struct SplitBrainArgs {
    /// How to replicate; several ways are separated by commas
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Mode::COMPARED.to_vec())]
    pub(crate) mode: Vec<Mode>,
    /// Of everything that is left to chance
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How the network is cut; A is the leader
    #[arg(long, value_enum, default_value_t = Cut::Halves)]
    pub(crate) partition: Cut,
    /// Writes a page there
    #[arg(long)]
    pub(crate) html: Option<PathBuf>,
    /// Prints everything as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl Default for SplitBrainArgs {
    fn default() -> Self {
        Self { mode: Mode::COMPARED.to_vec(), seed: 1, partition: Cut::Halves, html: None, json: false }
    }
}

#[derive(Args, Debug)]
pub(crate) struct FailoverArgs {
    /// How to replicate; several ways are separated by commas
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Mode::COMPARED.to_vec())]
    pub(crate) mode: Vec<Mode>,
    /// Of everything that is left to chance
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How often the leader is killed
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) kills: u32,
    /// Nodes in the cluster
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(3..=9))]
    pub(crate) nodes: u8,
    /// Writes a page there
    #[arg(long)]
    pub(crate) html: Option<PathBuf>,
    /// Prints everything as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct TradeOffsArgs {
    /// How to replicate; several ways are separated by commas
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Mode::TRADED.to_vec())]
    pub(crate) mode: Vec<Mode>,
    /// Of everything that is left to chance
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Writes a page there
    #[arg(long)]
    pub(crate) html: Option<PathBuf>,
    /// Prints everything as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ClusterArgs {
    /// How to replicate
    #[arg(long, value_enum, default_value_t = Mode::PLAYED)]
    pub(crate) mode: Mode,
    /// Of everything that is left to chance
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Nodes in the cluster
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=9))]
    pub(crate) nodes: u8,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
