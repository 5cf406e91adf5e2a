//! The command line.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Transformers from scratch: train one on your text, let it write, and look inside.
///
/// `train` needs nothing: without --text it learns from this repository's own documentation and code. The other commands take a Hugging
/// Face folder (GPT-2, Llama, Mistral, Qwen, SmolLM2, Phi-3, Gemma 2) or a .bin file of llama2.c; without --model they take jarre-tiny, a
/// small model of technical English that ships with the repository.
#[derive(Debug, Parser)]
#[command(name = "phase3_transformer", version, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  cargo run --example phase3_transformer -- generate --prompt \"To install the package\"
  cargo run --example phase3_transformer -- train --steps 500
  cargo run --example phase3_transformer -- train --text shakespeare.txt --tokenizer chars --steps 2000 --out runs/shakespeare
  cargo run --example phase3_transformer -- generate --model runs/shakespeare/model --prompt \"ROMEO:\" --max-tokens 200
  cargo run --example phase3_transformer -- attention --model runs/shakespeare/model --prompt \"To be, or not to be\" --out attention.html
  cargo run --example phase3_transformer -- quantize --scheme int8,int4,int4-gptq
  cargo run --example phase3_transformer -- quantize --scheme int4-gptq --out runs/tiny-int4
  cargo run --example phase3_transformer -- generate --model runs/tiny-int4 --packed --prompt \"To install the package\"
  cargo run --example phase3_transformer -- logits --model runs/shakespeare/model --ids 1,2,3 --json

Exit codes:
  0  done
  1  something failed; the message says what
  2  the command line is wrong
  130  interrupted; `train` leaves a checkpoint from which the same command goes on";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train a model, or go on with a training that was stopped
    Train(Box<TrainArgs>),
    /// Continue a text
    Generate(GenerateArgs),
    /// Print the scores of every token at every position, for checks against other implementations
    Logits(LogitsArgs),
    /// Measure how well a model predicts texts, with an interval over documents
    Perplexity(PerplexityArgs),
    /// Pack a model's weights into fewer bits, and measure what that costs
    Quantize(QuantizeArgs),
    /// Show how a text falls into tokens
    Tokenize(TokenizeArgs),
    /// Write a page that shows what every head of every layer attends to
    Attention(AttentionArgs),
    /// Train four models that differ in how they know positions, and compare them inside and beyond the length they saw
    ComparePositions(StudyArgs),
    /// Train five sizes on one corpus and fit a power law to their losses
    Scaling(StudyArgs),
    /// Sweep temperature, top-p, top-k, min-p and mirostat: diversity, repetition, length and time to the first token
    Sweep(SweepArgs),
}

/// A model on disk.
#[derive(Args, Debug)]
pub(crate) struct ModelArgs {
    /// A Hugging Face folder, a .gguf file, or a .bin file of llama2.c [default: jarre-tiny, which ships with the repository]
    #[arg(long, value_name = "DIR|FILE.gguf|FILE.bin")]
    pub(crate) model: Option<PathBuf>,

    /// The vocabulary of a llama2.c model [default: the only tok*.bin beside it]
    #[arg(long, value_name = "FILE.bin")]
    pub(crate) vocabulary: Option<PathBuf>,

    /// Keep layers that lie in a folder in four bits (AWQ, GPTQ, compressed-tensors) as they are, and round their inputs to eight; those in
    /// eight with a scale for each row too, where the folder says so of their inputs
    #[arg(long)]
    pub(crate) packed: bool,
}

impl ModelArgs {
    /// Where the model lies.
    pub(crate) fn path(&self) -> PathBuf {
        self.model.clone().unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/jarre-tiny"))
    }

    /// What a reader is told.
    pub(crate) fn name(&self) -> String {
        self.model.as_ref().map_or_else(|| "jarre-tiny".to_owned(), |path| path.display().to_string())
    }
}

#[derive(Args, Debug)]
pub(crate) struct CorpusArgs {
    /// Text to learn from: a file, a folder, JSON lines (.jsonl, .jsonl.gz); may be given several times [default: this repository]
    #[arg(long, value_name = "PATH")]
    pub(crate) text: Vec<PathBuf>,

    /// How text becomes tokens
    #[arg(long, value_enum, default_value_t = TokenizerArg::Bpe)]
    pub(crate) tokenizer: TokenizerArg,

    /// Tokens of the BPE vocabulary
    #[arg(long, default_value_t = 2048, value_parser = clap::value_parser!(u32).range(260..=200_000))]
    pub(crate) vocab_size: u32,

    /// Share of the documents (with one document: of its end) that is kept for validation
    #[arg(long, default_value_t = 0.1)]
    pub(crate) validation: f64,
}

#[derive(Args, Debug)]
pub(crate) struct ShapeArgs {
    /// What the model is like
    #[arg(long, value_enum, default_value_t = FamilyArg::Llama)]
    pub(crate) family: FamilyArg,

    /// Layers
    #[arg(long, default_value_t = 4)]
    pub(crate) layers: usize,

    /// Query heads
    #[arg(long, default_value_t = 4)]
    pub(crate) heads: usize,

    /// Key and value heads [default: as many as query heads]
    #[arg(long)]
    pub(crate) kv_heads: Option<usize>,

    /// Width of the hidden state
    #[arg(long, default_value_t = 128)]
    pub(crate) width: usize,

    /// Tokens that the model sees at once
    #[arg(long, default_value_t = 64)]
    pub(crate) context: usize,

    /// Share of values dropped while training
    #[arg(long, default_value_t = 0.0)]
    pub(crate) dropout: f64,
}

#[derive(Args, Debug)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    pub(crate) corpus: CorpusArgs,

    #[command(flatten)]
    pub(crate) shape: ShapeArgs,

    /// Folder of the run: checkpoints, metrics.jsonl, loss.svg and the finished model
    #[arg(long, value_name = "DIR", default_value = "runs/phase3")]
    pub(crate) out: PathBuf,

    /// Steps
    #[arg(long, default_value_t = 2000)]
    pub(crate) steps: u64,

    /// Rows of a batch, over all workers
    #[arg(long, default_value_t = 12)]
    pub(crate) batch: usize,

    /// Batches whose gradients are summed before a step
    #[arg(long, default_value_t = 1)]
    pub(crate) accumulate: usize,

    /// Highest learning rate
    #[arg(long, default_value_t = 1e-3)]
    pub(crate) lr: f64,

    /// Lowest learning rate, at the end [default: a tenth of the highest]
    #[arg(long)]
    pub(crate) min_lr: Option<f64>,

    /// Steps over which the learning rate rises
    #[arg(long, default_value_t = 100)]
    pub(crate) warmup: u64,

    /// How the learning rate falls
    #[arg(long, value_enum, default_value_t = ScheduleArg::Cosine)]
    pub(crate) schedule: ScheduleArg,

    /// Decay of weight matrices
    #[arg(long, default_value_t = 0.1)]
    pub(crate) weight_decay: f64,

    /// Second decay rate of Adam
    #[arg(long, default_value_t = 0.99)]
    pub(crate) beta2: f64,

    /// Longest gradient; 0 for no limit
    #[arg(long, default_value_t = 1.0)]
    pub(crate) clip: f64,

    /// Share of each target that is spread over the vocabulary
    #[arg(long, default_value_t = 0.0)]
    pub(crate) label_smoothing: f32,

    /// Steps between two validations
    #[arg(long, default_value_t = 250)]
    pub(crate) eval_every: u64,

    /// Batches of a validation
    #[arg(long, default_value_t = 20)]
    pub(crate) eval_batches: u64,

    /// Validations without a better loss after which training stops [default: never]
    #[arg(long)]
    pub(crate) patience: Option<std::num::NonZeroU64>,

    /// Steps between two checkpoints
    #[arg(long, default_value_t = 500)]
    pub(crate) checkpoint_every: u64,

    /// Mask other documents of a row, and start positions anew with each
    #[arg(long)]
    pub(crate) documents: bool,

    /// Recompute cheap activations instead of keeping them: less memory, more time
    #[arg(long)]
    pub(crate) gradient_checkpointing: bool,

    /// In which numbers linear layers multiply while training; the model and its validation stay in float32
    #[arg(long, value_enum, default_value_t = PrecisionArg::F32)]
    pub(crate) precision: PrecisionArg,

    /// Draws weights, batches and dropout
    #[arg(long, default_value_t = 1337)]
    pub(crate) seed: u64,

    /// Processes that share each batch
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) workers: u16,

    /// One JSON object on standard output at the end
    #[arg(long)]
    pub(crate) json: bool,

    /// Set on the processes that --workers starts.
    #[arg(long, hide = true)]
    pub(crate) rank: Option<usize>,

    /// Set on the processes that --workers starts.
    #[arg(long, hide = true)]
    pub(crate) rendezvous: Option<std::net::SocketAddr>,
}

#[derive(Args, Debug)]
pub(crate) struct GenerateArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,

    /// The text to continue
    #[arg(long, default_value = "")]
    pub(crate) prompt: String,

    /// The most tokens to write
    #[arg(long, default_value_t = 200)]
    pub(crate) max_tokens: usize,

    /// Always take the likeliest token
    #[arg(long, conflicts_with_all = ["temperature", "top_p", "top_k", "min_p"])]
    pub(crate) greedy: bool,

    /// Divides the logits
    #[arg(long, default_value_t = 0.8)]
    pub(crate) temperature: f32,

    /// Keep the likeliest tokens that together reach this probability
    #[arg(long)]
    pub(crate) top_p: Option<f32>,

    /// Keep that many of the likeliest tokens
    #[arg(long)]
    pub(crate) top_k: Option<u32>,

    /// Keep tokens at least this fraction as likely as the likeliest
    #[arg(long)]
    pub(crate) min_p: Option<f32>,

    /// Texts that end the answer; may be given several times
    #[arg(long)]
    pub(crate) stop: Vec<String>,

    /// Draws the tokens
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,

    /// One JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct LogitsArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,

    /// Token ids, separated by commas
    #[arg(long, value_delimiter = ',', required = true)]
    pub(crate) ids: Vec<u32>,

    /// `{"logits": [[f32; vocab]; positions]}`
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct PerplexityArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,

    /// Texts: a file, a folder, JSON lines (.jsonl, .jsonl.gz); may be given several times
    #[arg(long, value_name = "PATH", required = true)]
    pub(crate) text: Vec<PathBuf>,

    /// Only the documents that `train` keeps for validation at this share
    #[arg(long)]
    pub(crate) validation: Option<f64>,

    /// Tokens that the model reads at a time [default: all that it can, at most 1024]
    #[arg(long)]
    pub(crate) context: Option<usize>,

    /// How far one reading lies behind the one before [default: half of --context]
    #[arg(long)]
    pub(crate) stride: Option<usize>,

    /// One JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct QuantizeArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,

    /// Schemes, separated by commas [default: all]
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) scheme: Vec<SchemeArg>,

    /// Neighbours that share a scale in four bits
    #[arg(long, default_value_t = 32)]
    pub(crate) group: usize,

    /// Give every group of four bits a zero point
    #[arg(long)]
    pub(crate) zero_point: bool,

    /// Multiply inputs as they are instead of rounding them to eight bits
    #[arg(long)]
    pub(crate) float_inputs: bool,

    /// Save the packed model in a new folder, which --model takes (compressed-tensors, the format of vLLM; bf16 as plain tensors); with one --scheme
    #[arg(long, value_name = "DIR", requires = "scheme")]
    pub(crate) out: Option<PathBuf>,

    /// Texts to calibrate on [default: every other document of --text, which is then not measured on]
    #[arg(long, value_name = "PATH")]
    pub(crate) calibrate: Vec<PathBuf>,

    /// Texts to measure on: a file, a folder, JSON lines (.jsonl, .jsonl.gz); may be given several times [default: this repository's docs]
    #[arg(long, value_name = "PATH")]
    pub(crate) text: Vec<PathBuf>,

    /// Only the documents that `train` keeps for validation at this share
    #[arg(long)]
    pub(crate) validation: Option<f64>,

    /// Tokens that are read at a time [default: all that the model can, at most 512]
    #[arg(long)]
    pub(crate) context: Option<usize>,

    /// The most tokens to measure on
    #[arg(long, default_value_t = 20_000)]
    pub(crate) tokens: usize,

    /// Also write the table to a file, as JSON
    #[arg(long, value_name = "FILE.json")]
    pub(crate) report: Option<PathBuf>,

    /// The table as JSON on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct TokenizeArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,

    /// The text
    pub(crate) text: String,

    /// `{"ids": [..], "tokens": [..]}`
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct AttentionArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,

    /// The text to look at
    #[arg(long)]
    pub(crate) prompt: String,

    /// The page
    #[arg(long, value_name = "FILE.html", default_value = "attention.html")]
    pub(crate) out: PathBuf,

    /// Scores of all heads as JSON on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct StudyArgs {
    #[command(flatten)]
    pub(crate) corpus: CorpusArgs,

    /// Steps of each training
    #[arg(long, default_value_t = 600)]
    pub(crate) steps: u64,

    /// Tokens that a model sees at once while it trains
    #[arg(long, default_value_t = 64)]
    pub(crate) context: usize,

    /// Draws weights and batches
    #[arg(long, default_value_t = 1337)]
    pub(crate) seed: u64,

    /// Folder of the tables and charts
    #[arg(long, value_name = "DIR", default_value = "runs/study")]
    pub(crate) out: PathBuf,

    /// The table as JSON on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct SweepArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,

    /// The text to continue; may be given several times
    #[arg(long, required = true)]
    pub(crate) prompt: Vec<String>,

    /// Answers for each prompt and setting, drawn from seeds 0, 1, ...
    #[arg(long, default_value_t = 4)]
    pub(crate) repeats: u64,

    /// The most tokens of an answer
    #[arg(long, default_value_t = 100)]
    pub(crate) max_tokens: usize,

    /// Folder of the table and the chart
    #[arg(long, value_name = "DIR", default_value = "runs/sweep")]
    pub(crate) out: PathBuf,

    /// The table as JSON on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

/// How text becomes tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TokenizerArg {
    /// Byte-level BPE, trained on the text
    Bpe,
    /// One token a character
    Chars,
}

/// What a model is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FamilyArg {
    /// Rotary positions, RMSNorm, SwiGLU, no biases
    Llama,
    /// Learned positions, LayerNorm, GELU, biases
    Gpt2,
}

/// In which numbers linear layers multiply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrecisionArg {
    /// 32 bits
    F32,
    /// Factors rounded to bfloat16, sums of 32 bits: faster where the processor has AVX-512 BF16
    Bf16,
}

/// What weights become, and how they are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemeArg {
    /// Bfloat16, inputs of products too
    Bf16,
    /// Eight bits, one scale for each output
    Int8,
    /// The same after `SmoothQuant`, which calibrates
    Int8Smoothquant,
    /// Four bits in groups
    Int4,
    /// The same with AWQ, which calibrates
    Int4Awq,
    /// The same with GPTQ, which calibrates
    Int4Gptq,
}

/// How the learning rate falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScheduleArg {
    /// Along a cosine, from the end of the warm-up to the last step
    Cosine,
    /// Not until the last fifth of the steps, then evenly
    Wsd,
    /// Not at all
    Constant,
}
