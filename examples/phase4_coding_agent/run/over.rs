//! What is told once a run is not driven any more.

use std::io::Write;

use anyhow::Result;
use jarre_agent::{Driven, Event, Outcome, Record, log::EventLog};

use super::{RunArgs, follow};

/// Whether the agent says that it is done.
pub(super) fn tell(args: &RunArgs, log: &EventLog, driven: &Driven) -> Result<bool> {
    let name = driven.run().name();
    let outcome = driven.run().outcome();
    let is_done = matches!(outcome, Some(Outcome::Done { .. }));
    if args.json {
        return Ok(is_done);
    }
    let mut out = std::io::stdout().lock();
    let Some(outcome) = outcome else {
        writeln!(
            out,
            "\npaused: a person has to decide. `approve {name}` shows what and answers, then `run --resume {name}` goes on, today or another day"
        )?;
        return Ok(false);
    };
    writeln!(out, "\n{}\n\nthe files are in {}", follow::ended(outcome), args.store.folder(name).display())?;
    if matches!(outcome, Outcome::Failed { .. } | Outcome::Cancelled { .. }) {
        let until = before_the_end(&pollster::block_on(log.read(name, 0))?);
        writeln!(
            out,
            "what was done before can be gone on with: `replay {name} --until {until} --to {name}-again`, then `run --resume {name}-again`"
        )?;
    }
    Ok(is_done)
}

/// How many records there are before those that only tell of the end: a model that failed, or somebody who ended the run.
fn before_the_end(records: &[Record]) -> usize {
    let tells_of_the_end = |record: &Record| {
        matches!(record.event, Event::ModelCalled { .. } | Event::ModelFailed { .. } | Event::Cancelled { .. } | Event::Finished { .. })
    };
    records.iter().rposition(|record| !tells_of_the_end(record)).map_or(0, |last| last + 1)
}
