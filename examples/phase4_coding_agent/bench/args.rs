use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jarre_agent::CodecKind;

use crate::{machine::SandboxArgs, models::Shipped, tasks::Set};

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(flatten)]
    pub(crate) tasks: Tasks,
    /// A model that comes with the program.
    #[arg(long, value_enum, default_value_t = Shipped::Oracle)]
    pub(crate) model: Shipped,
    #[cfg(feature = "remote")]
    #[command(flatten)]
    pub(crate) remote: crate::models::RemoteArgs,
    /// How calls of tools are written.
    #[arg(long, value_enum, default_value_t = Codec::Native)]
    pub(crate) codec: Codec,
    /// The results, one task a line; tasks that are in it are not run again.
    #[arg(long, default_value = "runs/phase4/bench.jsonl", value_name = "FILE")]
    pub(crate) resume: PathBuf,
    /// Keeps the log of each run in this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) traces: Option<PathBuf>,
    /// Tasks at one time.
    #[arg(long, default_value_t = 2)]
    pub(crate) jobs: usize,
    /// Attempts at a task, each ended by failing tests.
    #[arg(long, default_value_t = 3)]
    pub(crate) attempts: u64,
    /// Steps of a task.
    #[arg(long, default_value_t = 50)]
    pub(crate) steps: u64,
    /// Small changes that break the reference, for the model `mutation`.
    #[arg(long, default_value_t = 1)]
    pub(crate) mutations: usize,
    #[command(flatten)]
    pub(crate) sandbox: SandboxArgs,
    /// Prints the figures as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Writes the report here: one page that needs no server.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) tasks: Tasks,
    /// Tasks at one time.
    #[arg(long, default_value_t = 2)]
    pub(crate) jobs: usize,
    #[command(flatten)]
    pub(crate) sandbox: SandboxArgs,
    /// Prints a line of JSON a task.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which tasks.
#[derive(Debug, Args)]
pub(crate) struct Tasks {
    /// The sets.
    #[arg(long, value_enum, required = true, value_delimiter = ',')]
    pub(crate) set: Vec<Set>,
    /// The folder that holds `agent/`.
    #[arg(long, env = "JARRE_DATA")]
    pub(crate) data: PathBuf,
    /// Only tasks whose name has this in it.
    #[arg(long, value_name = "PART")]
    pub(crate) only: Option<String>,
    /// At most so many tasks.
    #[arg(long)]
    pub(crate) most: Option<usize>,
    /// Crates that exercises may depend on, as `cargo vendor` makes the folder: there is no network inside.
    #[arg(long, value_name = "DIR")]
    pub(crate) vendor: Option<PathBuf>,
}

/// How calls of tools are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Codec {
    /// As the provider's tool calls.
    Native,
    /// As text.
    React,
}

impl From<Codec> for CodecKind {
    fn from(codec: Codec) -> Self {
        match codec {
            Codec::Native => Self::Native,
            Codec::React => Self::React,
        }
    }
}
