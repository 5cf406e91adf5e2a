//! `runs`: what the store holds.

use std::io::Write;

use anyhow::Result;
use clap::Args;
use jarre_agent::{
    Outcome,
    log::{RunState, RunSummary},
};
use jarre_report::{Cell, Column, Table};

use crate::store::StoreArgs;

/// Runs that are read at once.
const PAGE: usize = 100;

#[derive(Debug, Args)]
pub(crate) struct RunsArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Prints a line of JSON a run.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Lists them; always well.
pub(crate) fn runs(args: &RunsArgs) -> Result<bool> {
    let log = args.store.kept()?;
    let (mut all, mut after): (Vec<RunSummary>, Option<String>) = (Vec::new(), None);
    loop {
        let page = pollster::block_on(log.runs(after.as_deref(), PAGE))?;
        all.extend(page.runs);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let mut out = std::io::stdout().lock();
    if args.json {
        for run in &all {
            writeln!(out, "{}", serde_json::to_string(run)?)?;
        }
        return Ok(true);
    }
    let mut table = Table::new(["run", "task", "model", "state", "records", "tokens", "updated"].map(Column::new));
    for run in &all {
        table.row([
            run.run.as_str().into(),
            run.task.as_str().into(),
            run.model.as_str().into(),
            Cell::from(state(&run.state)),
            run.records.into(),
            run.usage.total_tokens().into(),
            run.updated.to_string().into(),
        ])?;
    }
    writeln!(out, "{}", table.to_plain_text())?;
    Ok(true)
}

fn state(state: &RunState) -> &'static str {
    match state {
        RunState::Running => "running, or broken off",
        RunState::NeedsApproval { .. } => "needs approval",
        RunState::Ended(Outcome::Done { .. }) => "done",
        RunState::Ended(Outcome::Stuck { .. }) => "stuck",
        RunState::Ended(Outcome::OutOfBudget { .. }) => "out of budget",
        RunState::Ended(Outcome::Cancelled { .. }) => "cancelled",
        RunState::Ended(_) => "failed",
        _ => "of another version",
    }
}
