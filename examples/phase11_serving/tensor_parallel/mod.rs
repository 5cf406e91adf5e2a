//! `tensor-parallel`: one model over several processes, beside one process.
//!
//! Every measurement runs in processes of its own, this executable again, which are told by their standard input where to meet and what
//! proves that they belong together. What is measured are a runner's steps; no tokens are chosen.

mod cases;
mod processes;
mod rank;
mod table;
#[cfg(feature = "server")]
pub(crate) mod workers;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use jarre_transformer::{CausalModel, DecoderConfig, Device};
use serde::Serialize;

use self::processes::{Layout, measure};
pub(crate) use self::rank::{RankArgs, run as run_rank};
use self::rank::{Report, Work};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Processes that the model is cut over.
    #[arg(long, default_value = "2")]
    pub(crate) tensor_parallel_size: NonZeroUsize,
    /// A folder of Hugging Face; the model of this repository where neither it nor a shape is named.
    #[arg(long)]
    pub(crate) model: Option<PathBuf>,
    /// Random weights of this shape instead of a model.
    #[arg(long, conflicts_with = "model")]
    pub(crate) shape: Option<Shape>,
    #[command(flatten)]
    pub(crate) work: Work,
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Shape {
    /// 24 layers of 1,024 with 16 heads over 8 key heads, 32,000 tokens: 316 million weights.
    #[value(name = "350m")]
    M350,
    /// `TinyLlama`'s: 22 layers of 2,048 with 32 heads over 4 key heads, 32,000 tokens, the head tied: 1.03 billion weights.
    #[value(name = "1.1b")]
    B1,
}

/// How one way of running the model did.
#[derive(Serialize)]
struct Run {
    processes: usize,
    threads: usize,
    report: Report,
    /// From the first run's logits.
    largest_difference: f32,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let world = args.tensor_parallel_size.get();
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = (cores / world).max(1);
    let scratch = tempfile::tempdir()?;
    let folder = folder(args, scratch.path())?;
    let mut layouts = vec![Layout { world: 1, threads }, Layout { world: 1, threads: cores }, Layout { world, threads }];
    layouts.dedup();
    let mut runs: Vec<Run> = Vec::new();
    for layout in layouts {
        let (report, logits) = measure(layout, &folder, &args.work, scratch.path())?;
        let largest_difference = difference(&logits, &scratch.path().join("first"))?;
        runs.push(Run { processes: layout.world, threads: layout.threads, report, largest_difference });
    }
    println!("{}", if args.json { serde_json::to_string_pretty(&runs)? } else { table::text(&runs)? });
    Ok(())
}

fn folder(args: &Args, scratch: &Path) -> Result<PathBuf> {
    let Some(shape) = args.shape else {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/jarre-tiny");
        return args.model.as_deref().map_or(Ok(shipped), crate::model::locate);
    };
    let config = match shape {
        Shape::M350 => DecoderConfig::new(32_000, 1024, 16, 24, 2816).with_n_kv_heads(Some(8)),
        Shape::B1 => DecoderConfig::new(32_000, 2048, 32, 22, 5632).with_n_kv_heads(Some(4)),
    };
    let device = Device::default();
    device.seed(0);
    let folder = scratch.join("model");
    let model = CausalModel::new(config.init(&device), None, Vec::new());
    model.save_pretrained(&folder).with_context(|| format!("cannot write random weights to {}", folder.display()))?;
    Ok(folder)
}

/// The largest difference of logits from the first that came, which are kept at `first`.
fn difference(logits: &[f32], first: &Path) -> Result<f32> {
    if !first.exists() {
        std::fs::write(first, bytes(logits))?;
    }
    let first = floats(&std::fs::read(first)?);
    ensure!(first.len() == logits.len(), "{} logits where the first run had {}", logits.len(), first.len());
    Ok(first.iter().zip(logits).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max))
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
}
