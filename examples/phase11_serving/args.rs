//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jarre_serving::ToolFormat;

/// Serves language models: continuous batching over a paged, prefix-shared KV cache.
#[derive(Parser)]
#[command(version, about)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Loads an engine in this process and measures it: TTFT, TPOT, ITL, E2E, goodput, as vLLM's `bench serve` defines them.
    ///
    /// Arrivals are open-loop: they do not wait for answers, and times count from when a request was to arrive.
    Bench(BenchArgs),
    /// Answers the API of `OpenAI` over HTTP, with vLLM's additions and metrics (needs the feature `server`).
    Serve(ServeArgs),
}

#[derive(Args)]
pub(crate) struct ModelArgs {
    /// A folder of Hugging Face or a .gguf file; the model of this repository where none is named.
    #[arg(long)]
    pub(crate) model: Option<PathBuf>,
    /// Packs weights, to the nearest.
    #[arg(long)]
    pub(crate) quant: Option<Quant>,
    /// How keys and values are kept.
    #[arg(long, default_value = "bf16")]
    pub(crate) kv_cache_dtype: KvKind,
    /// Memory of the cache, MiB.
    #[arg(long, default_value_t = 1024)]
    pub(crate) kv_cache_mib: usize,
    /// Tokens of prompt and answer together at most; what the model was made for where it is not given.
    #[arg(long)]
    pub(crate) max_model_len: Option<usize>,
    /// Sequences that are computed together at most.
    #[arg(long, default_value_t = 64)]
    pub(crate) max_num_seqs: usize,
    /// Tokens of a step at most.
    #[arg(long, default_value_t = 512)]
    pub(crate) max_num_batched_tokens: usize,
    /// Requests that wait at most; further ones are refused.
    #[arg(long, default_value_t = 256)]
    pub(crate) max_waiting: usize,
    /// Proposes tokens that followed the same words earlier, to be checked together.
    #[arg(long, conflicts_with = "draft_model")]
    pub(crate) ngram: bool,
    /// A smaller model with the same vocabulary that proposes tokens, to be checked together; packed as the model is.
    #[arg(long)]
    pub(crate) draft_model: Option<PathBuf>,
    /// Tokens that are proposed at most.
    #[arg(long, default_value_t = 4)]
    pub(crate) num_speculative_tokens: usize,
    /// Does not share cached beginnings of prompts.
    #[arg(long)]
    pub(crate) no_prefix_caching: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Quant {
    /// Eight bits, inputs of products too.
    Int8,
    /// Four bits in groups of 32, inputs in eight.
    Int4,
    /// Bfloat16.
    Bf16,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum KvKind {
    F32,
    Bf16,
    Int8,
}

#[derive(Args)]
pub(crate) struct BenchArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Requests.
    #[arg(long, default_value_t = 64)]
    pub(crate) num_prompts: usize,
    /// Requests a second on average, their gaps exponential; `inf`: all at once.
    #[arg(long, default_value_t = f64::INFINITY)]
    pub(crate) request_rate: f64,
    /// Tokens of a prompt, drawn at random.
    #[arg(long, default_value_t = 128)]
    pub(crate) input_len: usize,
    /// Tokens of a beginning that all prompts share, before those.
    #[arg(long, default_value_t = 0)]
    pub(crate) prefix_len: usize,
    /// Tokens of an answer.
    #[arg(long, default_value_t = 64)]
    pub(crate) output_len: usize,
    /// Prompts and answers are between this share of their lengths and the whole, evenly; 1: all of one length.
    #[arg(long, default_value_t = 1.0)]
    pub(crate) range_ratio: f64,
    /// What a good answer keeps to, in milliseconds: `ttft:500`, `tpot:50`, `e2el:4000`, several with commas.
    #[arg(long, value_delimiter = ',', value_parser = parse_slo)]
    pub(crate) goodput: Vec<Slo>,
    /// Where the random numbers start.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Writes the distributions as curves to this SVG file.
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    /// Prints JSON, with the names of vLLM's results.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Where to listen. Addresses that other machines reach need an API key.
    #[arg(long, default_value = "127.0.0.1:8000")]
    pub(crate) address: SocketAddr,
    /// Keys that clients may show; taken from the environment so that they stand in no list of processes.
    #[arg(long, env = "JARRE_API_KEY", hide_env_values = true, value_delimiter = ',')]
    pub(crate) api_key: Vec<String>,
    /// A Jinja file that says how conversations are written, for models that bring none.
    #[arg(long)]
    pub(crate) chat_template: Option<PathBuf>,
    /// An adapter that requests may name as their model: `NAME=FOLDER` in PEFT's format; may be given several times.
    #[arg(long, value_name = "NAME=FOLDER", value_parser = parse_adapter)]
    pub(crate) lora_modules: Vec<(String, PathBuf)>,
    /// Lets clients load adapters from this folder, and unload any.
    #[arg(long)]
    pub(crate) lora_dir: Option<PathBuf>,
    /// How the model writes calls of tools: hermes, llama3, mistral or json; as its chat template shows where it is not given.
    #[arg(long)]
    pub(crate) tool_call_parser: Option<ToolFormat>,
    /// A sentence encoder's folder, for /v1/embeddings.
    #[arg(long)]
    pub(crate) embedding_model: Option<PathBuf>,
    /// Seconds that open answers have to come to their end when the server is stopped.
    #[arg(long, default_value_t = 30)]
    pub(crate) shutdown_timeout: u64,
}

/// A bound on one time of an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Slo {
    Ttft(Duration),
    Tpot(Duration),
    E2el(Duration),
}

fn parse_adapter(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, folder)) if !name.is_empty() && !folder.is_empty() => Ok((name.to_owned(), folder.into())),
        _ => Err(format!("`{text}` is not like sql=adapters/sql")),
    }
}

fn parse_slo(text: &str) -> Result<Slo, String> {
    let wrong = || format!("`{text}` is not like ttft:500, tpot:50 or e2el:4000");
    let (name, milliseconds) = text.split_once(':').ok_or_else(wrong)?;
    let milliseconds: f64 = milliseconds.parse().map_err(|_| wrong())?;
    let bound = Duration::try_from_secs_f64(milliseconds / 1e3).map_err(|_| wrong())?;
    match name {
        "ttft" => Ok(Slo::Ttft(bound)),
        "tpot" => Ok(Slo::Tpot(bound)),
        "e2el" => Ok(Slo::E2el(bound)),
        _ => Err(wrong()),
    }
}
