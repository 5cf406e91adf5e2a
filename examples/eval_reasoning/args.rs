use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Does thinking step by step help? Asks a model the same problems twice and compares the answers item by item.
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) ask: AskArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  cargo run --example eval_reasoning                                   the small model of this repository, 24 problems
  cargo run --example eval_reasoning -- --model ~/models/SmolLM2-135M-Instruct --items gsm8k/test.jsonl --target-extract --sample 100
  cargo run --example eval_reasoning -- recorded gsm8k_responses.csv   two large models, by what they answered before";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compares two models by a file of their responses: a column with the prompt, and for each model one with its correctness.
    Recorded(RecordedArgs),
}

#[derive(Debug, Args)]
pub(crate) struct AskArgs {
    /// The model: a folder of the Hugging Face layout or a GGUF file; the small one of this repository where it is not given.
    #[arg(long)]
    pub(crate) model: Option<PathBuf>,
    /// How conversations are written, where the model does not say: a Jinja template.
    #[arg(long)]
    pub(crate) chat_template: Option<PathBuf>,
    /// The problems: JSONL with `question` and `answer`.
    #[arg(long)]
    pub(crate) items: Option<PathBuf>,
    /// Takes the last number of `answer` as the answer, as in GSM8K's files.
    #[arg(long)]
    pub(crate) target_extract: bool,
    /// Draws so many problems.
    #[arg(long)]
    pub(crate) sample: Option<usize>,
    /// The most tokens of an answer.
    #[arg(long, default_value_t = 96)]
    pub(crate) max_tokens: u32,
    /// Answers that are asked for at once.
    #[arg(long, default_value_t = 4)]
    pub(crate) concurrency: usize,
}

#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// Keeps the runs in this file, so that they can be gone on with and looked into by `jarre-eval`; in memory where it is not given.
    #[arg(long, global = true)]
    pub(crate) db: Option<PathBuf>,
    /// Writes the report here: one page that needs no server.
    #[arg(long, global = true)]
    pub(crate) html: Option<PathBuf>,
    /// Prints JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RecordedArgs {
    /// The file: CSV or JSONL.
    pub(crate) responses: PathBuf,
    /// The model that is compared with: its column of correctness. Its responses stand in the column of the same name with `_response` behind it.
    #[arg(long, default_value = "mistralai/Mixtral-8x7B-Instruct-v0.1")]
    pub(crate) baseline: String,
    /// The model that is compared.
    #[arg(long, default_value = "gpt-4-1106-preview")]
    pub(crate) candidate: String,
    /// Draws so many items.
    #[arg(long)]
    pub(crate) sample: Option<usize>,
}
