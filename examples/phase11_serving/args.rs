//! The command line.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jarre_serving::ToolFormat;
use serde::{Deserialize, Serialize};

use crate::attention::AttentionArgs;
use crate::bench::args::BenchArgs;
use crate::chat::ChatArgs;
use crate::profile::ProfileArgs;
use crate::quality::QualityArgs;
#[cfg(feature = "server")]
use crate::storm::args::StormArgs;

/// Serves language models: continuous batching over a paged, prefix-shared KV cache.
#[derive(Parser)]
#[command(version, about, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  phase11_serving serve --model hub:HuggingFaceTB/SmolLM2-135M-Instruct --quant int8      (built with --features server)
  JARRE_API_KEY=... phase11_serving serve --quant int8                                    (the model of this repository)
  phase11_serving chat --url http://127.0.0.1:8000
  phase11_serving bench --quant int8 --request-rate 4 --num-prompts 200 --goodput ttft:500,tpot:50 --out load.svg
  phase11_serving quality --json > quality.json
  phase11_serving profile --quant int8
  phase11_serving tensor-parallel --quant int8";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Loads an engine in this process, or a server, and measures it: TTFT, TPOT, ITL, E2E, goodput, as vLLM's `bench serve` defines them.
    ///
    /// Arrivals are open-loop: they do not wait for answers, and times count from when a request was to arrive.
    Bench(BenchArgs),
    /// Answers the API of `OpenAI` over HTTP, with vLLM's additions and metrics (needs the feature `server`).
    Serve(ServeArgs),
    /// Loads a server beyond what it can answer, amid clients that go away and bodies that are no requests, and fails where it does not keep
    /// to its bounds.
    #[cfg(feature = "server")]
    Storm(StormArgs),
    /// Measures a model cut over several processes beside one process: tokens a second, share of communication, difference of logits.
    TensorParallel(crate::tensor_parallel::Args),
    /// One of those processes.
    #[command(hide = true)]
    TensorParallelRank(crate::tensor_parallel::RankArgs),
    /// One of the processes of a server.
    #[cfg(feature = "server")]
    #[command(hide = true)]
    TensorParallelWorker(crate::tensor_parallel::workers::WorkerArgs),
    /// Talks with a model: one in this process, or one behind a server.
    ///
    /// Answers are written as they come. In a terminal, /reset begins the conversation anew, /system TEXT sets what the model is told before it,
    /// /quit or Ctrl-D ends, and Ctrl-C stops an answer. Otherwise each line of standard input is a turn, and what goes wrong ends the program: for scripts.
    Chat(ChatArgs),
    /// Compares a model in f32, f16, bf16, int8 and int4: perplexity, divergence from f32, agreement, latency, throughput, memory.
    ///
    /// Windows of texts are cut into a prompt and what follows it. Each model reads them over the paged cache, and is scored at every token after
    /// the prompt, given the text before it (teacher forcing). The same windows go to all, so that differences are paired: an interval that leaves out 0
    /// says that the bits matter on such texts. Times and memory are of a fresh process for each precision. f16 stands for a checkpoint whose numbers
    /// were rounded to half precision: it is computed, and kept in memory, in f32. All are rounded to the nearest, without calibration.
    Quality(QualityArgs),
    /// Measures one precision for `quality`, in a process of its own.
    #[command(hide = true)]
    QualityCost,
    /// Compares `FlashAttention` with attention that writes its scores out, over lengths: time, speed, memory.
    ///
    /// Flash is the tiled kernel of this workspace, which keeps scores in the core that makes them. Standard attention makes them with burn's product,
    /// takes softmax of their rows in one pass of this workspace, and multiplies them with the values. Before anything is timed, rows of both
    /// are compared with plain sums of 64 bits. Memory is by how much one call raises the peak of a fresh process, inputs and result left out; the
    /// mask that standard attention adds counts there, and its making does not count in its time.
    Attention(AttentionArgs),
    /// Measures the memory of one call for `attention`, in a process of its own.
    #[command(hide = true)]
    AttentionMemory,
    /// Shows where the time of a step goes: each kernel of prefill and decode beside the roofs of this machine.
    ///
    /// First the roofs are measured: how fast memory is read, and how fast this workspace's largest products go. Then the kernels of a step run outside of
    /// the model, in their order and with its sizes, each timed, in turn with the model's own step: what they do not add up to is shown as unexplained.
    /// The roof of a kernel is the lower of arithmetic and of memory times its operations a byte (the roofline of Williams et al. 2009). For what
    /// happens inside a kernel: `perf record --call-graph dwarf` on the same command; builds have line tables.
    Profile(ProfileArgs),
}

#[derive(Args)]
pub(crate) struct ModelArgs {
    /// A folder of Hugging Face, a .gguf file, or `hub:ORG/NAME[@REVISION]` for a model of the Hugging Face Hub, which is fetched into the cache of its
    /// own tools (`HF_HOME`, `HF_ENDPOINT`, `HF_TOKEN`, `HF_HUB_OFFLINE`; needs the feature `server`); the model of this repository where none is named.
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

#[derive(Clone, Copy, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KvKind {
    F32,
    Bf16,
    Int8,
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
    /// Processes that the model is cut over.
    #[arg(long, default_value = "1")]
    pub(crate) tensor_parallel_size: NonZeroUsize,
    /// An adapter that requests may name as their model: `NAME=FOLDER` in PEFT's format; may be given several times.
    #[arg(long, value_name = "NAME=FOLDER", value_parser = parse_adapter)]
    pub(crate) lora_modules: Vec<(String, PathBuf)>,
    /// Lets clients load adapters from this folder, and unload any.
    #[arg(long)]
    pub(crate) lora_dir: Option<PathBuf>,
    /// How the model writes calls of tools: hermes, llama3, mistral or json; as its chat template shows where it is not given.
    #[arg(long)]
    pub(crate) tool_call_parser: Option<ToolFormat>,
    /// A sentence encoder, for /v1/embeddings: a folder or `hub:ORG/NAME[@REVISION]`.
    #[arg(long)]
    pub(crate) embedding_model: Option<PathBuf>,
    /// A cross-encoder, for /v1/score and /v1/rerank: a folder or `hub:ORG/NAME[@REVISION]`.
    #[arg(long)]
    pub(crate) scoring_model: Option<PathBuf>,
    /// Connections that are open at most; each takes a file of the process.
    #[arg(long, default_value_t = 1024)]
    pub(crate) max_connections: usize,
    /// Milliseconds that a grammar may take to compile.
    #[arg(long, default_value_t = 5000)]
    pub(crate) grammar_timeout_ms: u64,
    /// Seconds that open answers have to come to their end when the server is stopped.
    #[arg(long, default_value_t = 30)]
    pub(crate) shutdown_timeout: u64,
}

fn parse_adapter(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, folder)) if !name.is_empty() && !folder.is_empty() => Ok((name.to_owned(), folder.into())),
        _ => Err(format!("`{text}` is not like sql=adapters/sql")),
    }
}
