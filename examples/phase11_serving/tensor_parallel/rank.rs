//! One of the processes.

use std::io::{BufRead, Write, stdin, stdout};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::ValueEnum;
use jarre_kernels::packed::set_threads;
use jarre_serving::tensor_parallel::{ShardedRunner, run_reading_worker};
use jarre_serving::{KvType, ModelRunner, PagedRunner};
use jarre_transformer::collective::{CollectiveStats, Communicator, Rendezvous, RingConfig};
use jarre_transformer::paged::{PagedBatch, PagedDecoder, ShardConfig};
use serde::{Deserialize, Serialize};

use super::{bytes, cases};
use crate::args::Quant;
use crate::model;

/// Positions of a block of the cache.
pub(super) const BLOCK: usize = 16;

/// Longer than one process may load a model while the others are done with it.
pub(super) const LOADING: Duration = Duration::from_mins(10);

/// What is measured.
#[derive(clap::Args, Clone)]
pub(crate) struct Work {
    /// Packs weights, to the nearest.
    #[arg(long)]
    pub(crate) quant: Option<Quant>,
    /// Tokens of the prompt that is read.
    #[arg(long, default_value_t = 512)]
    pub(crate) prompt: usize,
    /// Streams that are decoded side by side.
    #[arg(long, default_values_t = [1, 8], value_delimiter = ',')]
    pub(crate) streams: Vec<usize>,
    /// Tokens that each stream has before.
    #[arg(long, default_value_t = 128)]
    pub(crate) context: usize,
    /// Steps of decoding.
    #[arg(long, default_value_t = 64)]
    pub(crate) steps: usize,
    /// Times that each case is run; the median counts.
    #[arg(long, default_value_t = 5)]
    pub(crate) repeats: usize,
}

#[derive(clap::Args)]
pub(crate) struct RankArgs {
    #[arg(long)]
    rank: usize,
    #[arg(long)]
    world: usize,
    #[arg(long)]
    threads: usize,
    #[arg(long)]
    folder: PathBuf,
    /// Where rank 0 writes logits.
    #[arg(long)]
    logits: PathBuf,
    #[command(flatten)]
    work: Work,
}

/// What rank 0 measured.
#[derive(Serialize, Deserialize)]
pub(super) struct Report {
    pub(super) cases: Vec<Case>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Case {
    pub(super) name: String,
    /// Tokens that were read or decoded.
    pub(super) tokens: usize,
    pub(super) seconds: f64,
    /// Of them, in operations of the ring.
    pub(super) communicating: f64,
    /// Of those, for others.
    pub(super) waiting: f64,
    pub(super) bytes_sent: u64,
}

impl Work {
    /// As on the command line.
    pub(super) fn words(&self) -> Vec<String> {
        let streams: Vec<String> = self.streams.iter().map(ToString::to_string).collect();
        let mut words = vec!["--streams".to_owned(), streams.join(",")];
        let numbers = [("--prompt", self.prompt), ("--context", self.context), ("--steps", self.steps), ("--repeats", self.repeats)];
        words.extend(numbers.iter().flat_map(|(name, number)| [(*name).to_owned(), number.to_string()]));
        if let Some(quant) = self.quant.and_then(|quant| quant.to_possible_value()) {
            words.extend(["--quant".to_owned(), quant.get_name().to_owned()]);
        }
        words
    }

    pub(super) fn max_len(&self) -> usize {
        self.prompt.max(self.context + self.steps)
    }

    fn blocks(&self) -> usize {
        self.max_len().div_ceil(BLOCK) * self.streams.iter().copied().max().unwrap_or(1).max(1)
    }
}

/// A model in one process or in several, as rank 0 has it.
pub(super) enum Runner {
    Whole(Box<PagedRunner>),
    Sharded(Box<ShardedRunner>),
}

impl Runner {
    pub(super) fn step(&mut self, batch: &PagedBatch<'_>) -> jarre_serving::Result<Vec<f32>> {
        match self {
            Self::Whole(runner) => runner.step(batch),
            Self::Sharded(runner) => runner.step(batch),
        }
    }

    fn vocab_size(&self) -> usize {
        match self {
            Self::Whole(runner) => runner.vocab_size(),
            Self::Sharded(runner) => runner.vocab_size(),
        }
    }

    pub(super) fn communication(&self) -> CollectiveStats {
        match self {
            Self::Whole(_) => CollectiveStats::default(),
            Self::Sharded(runner) => runner.communication(),
        }
    }
}

pub(crate) fn run(args: &RankArgs) -> Result<()> {
    set_threads(args.threads);
    let (token, address) = told()?;
    let ring = |at| RingConfig::new(args.rank, args.world, at).with_token(&token).with_timeout(LOADING);
    if args.rank > 0 {
        let communicator = Communicator::connect(&ring(address.parse()?))?;
        return Ok(run_reading_worker(|part| model::read_part(part, &args.folder, args.work.quant), communicator)?);
    }
    let rendezvous = Rendezvous::bind(&ring(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))))?;
    println!("{}", rendezvous.address());
    stdout().flush()?;
    let mut runner = runner(args, rendezvous)?;
    let vocab_size = runner.vocab_size();
    let (cases, logits) = cases::run(&mut runner, &args.work, vocab_size)?;
    std::fs::write(&args.logits, bytes(&logits)).with_context(|| format!("cannot write {}", args.logits.display()))?;
    println!("{}", serde_json::to_string(&Report { cases })?);
    Ok(())
}

/// The secret of the ring and where it meets, by standard input.
pub(super) fn told() -> Result<(String, String)> {
    let mut lines = stdin().lock().lines();
    let token = lines.next().context("nobody said how to meet")??;
    Ok((token, lines.next().context("nobody said where to meet")??))
}

fn runner(args: &RankArgs, rendezvous: Rendezvous) -> Result<Runner> {
    let (max_len, blocks) = (args.work.max_len(), args.work.blocks());
    if args.world == 1 {
        let model = model::weights(Some(&args.folder), args.work.quant)?;
        let decoder = PagedDecoder::new(model.decoder(), max_len)?;
        return Ok(Runner::Whole(Box::new(PagedRunner::new(decoder, blocks, BLOCK, KvType::Bf16))));
    }
    let decoder = model::read_part(ShardConfig::new(0, args.world, max_len), &args.folder, args.work.quant)?;
    Ok(Runner::Sharded(Box::new(ShardedRunner::new(decoder, blocks, BLOCK, KvType::Bf16, rendezvous.connect()?)?)))
}
