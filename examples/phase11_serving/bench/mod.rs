//! `bench`: an engine or a server under load.

pub(crate) mod args;
pub(crate) mod arrivals;
mod engine;
pub(crate) mod load;
pub(crate) mod measured;
#[cfg(feature = "server")]
pub(crate) mod remote;
mod replay;
mod report;
pub(crate) mod summary;
mod sweep;

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use self::args::BenchArgs;
use self::load::{Planned, Room};
use self::measured::Measured;
use self::summary::Summary;
use self::sweep::Point;

/// What is loaded.
trait Target {
    /// What its model takes.
    fn room(&self) -> Room;

    /// Lets planned requests come when it is their time, whether or not others are answered, until all are answered or `stop` is raised.
    fn drive(&mut self, plan: Vec<Planned>, stop: &AtomicBool, bar: &ProgressBar) -> Result<Measured>;
}

pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    args.check()?;
    let mut target = target(args)?;
    let (seed, stop) = (args.seed(), stop()?);
    // A trace has its own times, and goes through once.
    let rates = &args.request_rate;
    let mut points = Vec::new();
    for (round, &request_rate) in rates.iter().enumerate() {
        let load = load::plan(args, round, seed, target.room())?;
        let bar = progress(load.requests.len());
        let measured = target.drive(load.requests.clone(), &stop, &bar)?;
        bar.finish_and_clear();
        if let Some(why) = measured.failures.first() {
            ensure!(!measured.requests.is_empty(), "all requests failed or were refused, one of them because {why}");
            eprintln!("{} requests failed, one of them because {why}", measured.failures.len());
        }
        points.push(Point { request_rate, burstiness: args.burstiness, summary: Summary::of(&load, &measured, &args.goodput) });
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    if rates.len() == 1 { show_one(args, &points[0].summary) } else { show_all(args, &points) }
}

fn target(args: &BenchArgs) -> Result<Box<dyn Target>> {
    match &args.url {
        None => Ok(Box::new(engine::InProcess::open(args)?)),
        #[cfg(feature = "server")]
        Some(url) => Ok(Box::new(remote::Remote::connect(url, args.vocab_size, args.model.max_model_len)?)),
        #[cfg(not(feature = "server"))]
        Some(_) => anyhow::bail!("this build has no client: run it with --features phase11_serving/server"),
    }
}

/// Raised by Ctrl-C.
pub(crate) fn stop() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&stop);
    ctrlc::set_handler(move || raised.store(true, Ordering::Relaxed)).context("cannot watch for Ctrl-C")?;
    Ok(stop)
}

fn progress(requests: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} answered, {elapsed} of about {duration}");
    ProgressBar::new(requests as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn show_one(args: &BenchArgs, summary: &Summary) -> Result<()> {
    if let Some(path) = &args.out {
        std::fs::write(path, report::curves(summary)).with_context(|| format!("cannot write {}", path.display()))?;
    }
    println!("{}", if args.json { serde_json::to_string_pretty(summary)? } else { report::text(summary)? });
    Ok(())
}

fn show_all(args: &BenchArgs, points: &[Point]) -> Result<()> {
    if let Some(path) = &args.out {
        sweep::write(path, points)?;
    }
    println!("{}", if args.json { serde_json::to_string_pretty(points)? } else { sweep::text(points)? });
    Ok(())
}
