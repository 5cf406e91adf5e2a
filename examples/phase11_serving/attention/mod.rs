//! `attention`: the tiled attention of this workspace beside attention that writes its scores out, over lengths.

mod case;
mod memory;
mod show;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Args;

use self::case::{Case, Inputs, Kind};
use self::show::{Report, Row, Side};
use crate::child;

/// Seconds that a sample of repeated calls takes at least.
const SAMPLE: f64 = 0.02;

#[derive(Args)]
pub(crate) struct AttentionArgs {
    /// The shortest length; each further one is twice as long.
    #[arg(long, default_value_t = 128)]
    min_len: usize,
    /// The longest length.
    #[arg(long, default_value_t = 16_384)]
    max_len: usize,
    /// Heads of queries, keys and values.
    #[arg(long, default_value_t = 8)]
    heads: usize,
    /// Width of a head, at most 256.
    #[arg(long, default_value_t = 64)]
    head_dim: usize,
    /// Lets every token see every other; without it none sees those after it, as in language models.
    #[arg(long)]
    full: bool,
    /// Samples of each time, of which the median counts.
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// Standard attention is left out where its scores alone would take more than this.
    #[arg(long, default_value_t = 2048)]
    memory_limit_mib: usize,
    /// Writes times over lengths to this SVG file.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Writes memory over lengths to this SVG file.
    #[arg(long)]
    memory_out: Option<PathBuf>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &AttentionArgs) -> Result<()> {
    ensure!(args.min_len > 0 && args.min_len <= args.max_len, "--min-len has to be at least 1 and at most --max-len");
    ensure!(args.heads > 0 && args.repeats > 0, "--heads and --repeats have to be at least 1");
    ensure!((1..=256).contains(&args.head_dim), "--head-dim has to be 1 to 256: the tiled kernel has no room for wider heads");
    let lengths = std::iter::successors(Some(args.min_len), |length| length.checked_mul(2)).take_while(|length| *length <= args.max_len);
    let mut rows = Vec::new();
    for length in lengths {
        let case = Case { length, heads: args.heads, head_dim: args.head_dim, causal: !args.full };
        eprintln!("{length} tokens");
        rows.push(measure(&case, args)?);
    }
    let report = Report { heads: args.heads, head_dim: args.head_dim, causal: !args.full, rows };
    for (path, svg) in [(&args.out, report.time_svg()), (&args.memory_out, report.memory_svg())] {
        if let Some(path) = path {
            std::fs::write(path, svg).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    println!("{}", if args.json { serde_json::to_string_pretty(&report)? } else { report.to_text()? });
    Ok(())
}

/// The process that measures the memory of one call.
pub(crate) fn run_memory() -> Result<()> {
    child::serve(|job| Ok(memory::measure(job)))
}

fn measure(case: &Case, args: &AttentionArgs) -> Result<Row> {
    let fits = case.score_bytes() <= (args.memory_limit_mib as u64) << 20;
    let kinds: &[Kind] = if fits { &[Kind::Flash, Kind::Standard] } else { &[Kind::Flash] };
    let inputs = Inputs::new(case);
    for kind in kinds {
        inputs.assert_parity(*kind)?;
    }
    let mut samples = vec![Vec::new(); kinds.len()];
    let calls: Vec<u32> = kinds.iter().map(|kind| enough(&inputs, *kind)).collect();
    // Both in each round, so that what else the machine does comes upon both.
    for _ in 0..args.repeats {
        for ((kind, calls), samples) in kinds.iter().zip(&calls).zip(&mut samples) {
            samples.push(seconds(&inputs, *kind, *calls));
        }
    }
    drop(inputs);
    let mut sides = Vec::new();
    for (kind, samples) in kinds.iter().zip(samples) {
        let seconds = median(samples);
        sides.push(Side { seconds, gflops: case.operations() / seconds / 1e9, extra_bytes: memory::of(case, *kind)? });
    }
    let mut sides = sides.into_iter();
    let flash = sides.next().context("the tiled kernel is always measured")?;
    Ok(Row { tokens: case.length, score_bytes: case.score_bytes(), flash, standard: sides.next() })
}

/// How many calls make a sample.
fn enough(inputs: &Inputs, kind: Kind) -> u32 {
    let once = seconds(inputs, kind, 1).min(seconds(inputs, kind, 1));
    (SAMPLE / once.max(1e-9)).ceil().clamp(1.0, 10_000.0) as u32
}

/// Seconds of a call, the mean over some.
fn seconds(inputs: &Inputs, kind: Kind, calls: u32) -> f64 {
    let started = Instant::now();
    for _ in 0..calls {
        std::hint::black_box(inputs.attend(kind));
    }
    started.elapsed().as_secs_f64() / f64::from(calls)
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}
