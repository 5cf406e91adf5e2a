//! `demo split-brain`: one seed and one schedule, and what each way to replicate makes of them.

mod page;
mod play;
mod report;
mod scenario;
mod words;

use anyhow::{Context, Result};

pub(crate) use report::Report;
pub(crate) use scenario::{Cut, Schedule};

use crate::{args::SplitBrainArgs, mode::Mode};

/// Nodes of the cluster that is cut.
const NODES: usize = 5;

pub(crate) fn run(args: &SplitBrainArgs) -> Result<()> {
    let reports = args.mode.iter().map(|&mode| report(mode, args.partition, args.seed)).collect::<Result<Vec<_>>>()?;
    if let Some(path) = &args.html {
        std::fs::write(path, page::page(&reports)?.to_html()).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if args.json {
        println!("{}", serde_json::to_string(&reports)?);
        return Ok(());
    }
    print!("{}", words::words(&reports)?);
    if let Some(path) = &args.html {
        println!("{}", path.display());
    }
    Ok(())
}

/// Plays the split in one mode.
pub(crate) fn report(mode: Mode, cut: Cut, seed: u64) -> Result<Report> {
    let schedule = Schedule::DEFAULT;
    let played = play::play(mode.deploy(NODES, seed)?, cut, &schedule, seed)?;
    Ok(Report::new(mode, cut, seed, schedule, played))
}

#[cfg(test)]
mod tests;
