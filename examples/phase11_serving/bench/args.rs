use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use jarre_core::{Clock, SystemClock};

use crate::args::ModelArgs;

#[derive(Args)]
pub(crate) struct BenchArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) lengths: Lengths,
    #[command(flatten)]
    pub(crate) trace: TraceArgs,
    /// Loads a server of `OpenAI`'s API, as `http://127.0.0.1:8000`, in place of an engine in this process (needs the feature `server`). A key
    /// is taken from `JARRE_API_KEY` alone.
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// Ids that prompts are drawn from, with --url: a server does not tell how many its model has.
    #[arg(long, default_value_t = 512)]
    pub(crate) vocab_size: usize,
    /// Requests; of a trace, the first that fit.
    #[arg(long, default_value_t = 64)]
    pub(crate) num_prompts: usize,
    /// Requests a second on average; `inf`: all at once. Several with commas are measured one after the other.
    #[arg(long, value_delimiter = ',', default_value = "inf", conflicts_with = "trace")]
    pub(crate) request_rate: Vec<f64>,
    /// The shape of the gamma distribution of the gaps between requests: 1 is a Poisson process, less comes in bursts, more is evener.
    #[arg(long, default_value_t = 1.0)]
    pub(crate) burstiness: f64,
    /// What a good answer keeps to, in milliseconds: `ttft:500`, `tpot:50`, `e2el:4000`, several with commas.
    #[arg(long, value_delimiter = ',', value_parser = parse_slo)]
    pub(crate) goodput: Vec<Slo>,
    /// Writes the distributions as curves to this SVG file; with several rates the times over the rate, and the throughput to a second file
    /// beside it, whose name ends with `-throughput`.
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    /// Prints JSON, with the names of vLLM's results; a list with several rates.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Prompts of random tokens.
#[derive(Args, Clone, Copy)]
pub(crate) struct Lengths {
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
    /// Where the random numbers start: at 0 for an engine of this process, and at the time of day for a server, which may know the prompts
    /// of earlier runs.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
}

/// Requests as they once came.
#[derive(Args)]
pub(crate) struct TraceArgs {
    /// Replays a recorded load: the CSV of Azure's traces, or the lines of JSON of Mooncake's, where equal hashes become equal text.
    #[arg(long)]
    pub(crate) trace: Option<PathBuf>,
    /// So many times as fast as it was.
    #[arg(long, default_value_t = 1.0, requires = "trace")]
    pub(crate) speed: f64,
    /// Multiplies the lengths of prompts, of what they share, and of answers.
    #[arg(long, default_value_t = 1.0, requires = "trace")]
    pub(crate) scale_len: f64,
    /// What becomes of requests that the model has no room for.
    #[arg(long, default_value = "skip", requires = "trace")]
    pub(crate) too_long: TooLong,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TooLong {
    /// They do not come.
    Skip,
    /// The answer is cut to half of the room, the prompt to the rest.
    Cut,
}

/// A bound on one time of an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Slo {
    Ttft(Duration),
    Tpot(Duration),
    E2el(Duration),
}

impl BenchArgs {
    pub(super) fn seed(&self) -> u64 {
        if self.url.is_some() { self.lengths.seed_of_server() } else { self.lengths.seed.unwrap_or_default() }
    }

    /// Refuses what makes no load.
    pub(super) fn check(&self) -> Result<()> {
        ensure!(self.num_prompts > 0, "--num-prompts has to be above 0");
        ensure!(self.request_rate.iter().all(|&rate| rate > 0.0), "--request-rate has to be above 0");
        ensure!(self.burstiness > 0.0 && self.burstiness.is_finite(), "--burstiness has to be above 0");
        ensure!(self.trace.speed > 0.0 && self.trace.scale_len > 0.0, "--speed and --scale-len have to be above 0");
        ensure!(self.vocab_size > 0, "--vocab-size has to be above 0");
        self.lengths.check()
    }
}

impl Lengths {
    /// The seed, for a server.
    pub(crate) fn seed_of_server(&self) -> u64 {
        self.seed.unwrap_or_else(|| SystemClock::new().timestamp().unix_micros().cast_unsigned())
    }

    /// Refuses lengths that no prompt has.
    pub(crate) fn check(&self) -> Result<()> {
        ensure!((0.0..=1.0).contains(&self.range_ratio), "--range-ratio has to be between 0 and 1");
        ensure!(self.input_len + self.prefix_len > 0 && self.output_len > 0, "prompts and answers have at least one token");
        Ok(())
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
