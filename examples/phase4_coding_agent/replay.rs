//! `replay`: a run once more from its log, to see that it comes to the same, or from some record on in another way.

use std::{fs, io::Write, path::PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use jarre_agent::{
    Event, Record,
    log::EventLog,
    replay::{Replayed, branch, replay as again},
};

use crate::{log_file, store::StoreArgs};

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The run.
    #[arg(required_unless_present = "file")]
    pub(crate) run: Option<String>,
    /// Replays a log that was exported, in the place of one of the store.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["run", "until"])]
    pub(crate) file: Option<PathBuf>,
    /// Begins another run with so many of its records.
    #[arg(long, value_name = "N", requires = "to")]
    pub(crate) until: Option<u64>,
    /// What happens then in the place of what did: an event, as the log has it under `event`, as JSON.
    #[arg(long, value_name = "FILE", requires = "until")]
    pub(crate) edit: Option<PathBuf>,
    /// The name of the other run; `run --resume` goes on with it.
    #[arg(long, value_name = "NAME", requires = "until", value_parser = crate::run::run_name)]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// Whether the run came to the same, byte for byte.
pub(crate) fn replay(args: &ReplayArgs) -> Result<bool> {
    let mut out = std::io::stdout().lock();
    let records = match (&args.file, &args.run) {
        (Some(file), _) => log_file::read(file)?,
        (None, Some(run)) => {
            let log = args.store.kept()?;
            if let (Some(until), Some(to)) = (args.until, &args.to) {
                let kept = pollster::block_on(branch_off(args, &log, run, until, to))?;
                writeln!(out, "{to} begins with {kept} records of {run}; `run --resume {to}` goes on")?;
                return Ok(true);
            }
            pollster::block_on(log.read(run, 0))?
        }
        (None, None) => Vec::new(),
    };
    compare(&records, &mut out)
}

fn compare(records: &[Record], out: &mut dyn Write) -> Result<bool> {
    match pollster::block_on(again(records))? {
        Replayed::Same { records } => {
            writeln!(out, "the same, byte for byte: {records} records")?;
            Ok(true)
        }
        Replayed::Diverged(divergence) => {
            let expected = divergence.expected.as_ref().map(|record| &record.event);
            writeln!(out, "another at record {}", divergence.at)?;
            writeln!(out, "expected: {}", serde_json::to_string(&expected)?)?;
            writeln!(out, "got:      {}", serde_json::to_string(&divergence.got)?)?;
            Ok(false)
        }
        other => {
            writeln!(out, "{other:?}")?;
            Ok(false)
        }
    }
}

/// Begins the other run, and says how many records it has of the first.
async fn branch_off(args: &ReplayArgs, log: &EventLog, run: &str, until: u64, to: &str) -> Result<u64> {
    let edit: Option<Event> = match &args.edit {
        Some(path) => {
            let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            Some(serde_json::from_str(&text).with_context(|| format!("{} is no event", path.display()))?)
        }
        None => None,
    };
    let edited = u64::from(edit.is_some());
    let to = crate::run::free(log, Some(to)).await?;
    let laid = crate::run::copy_again(&args.store, run, &to)?;
    let (_, begun) = branch(log, run, until, edit, &to).await?;
    if let Some(laid) = laid {
        laid.keep();
    }
    Ok(begun.seq() - edited)
}
