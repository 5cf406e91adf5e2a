use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use anyhow::{Context, Result};
use jarre_core::{Clock, SystemClock};
use jarre_eval::{
    compare::{ReportOptions, Side, metrics, report},
    track::{Run, RunId, SampleTexts, Tracker},
};
use jarre_report::{Cell, Column, Table};
use serde_json::json;

use crate::{
    args::{ExportArgs, ExportCommand},
    compare, judge, locate,
};

pub fn run(tracker: &Tracker, command: &ExportCommand) -> Result<()> {
    match command {
        ExportCommand::Json(args) => as_json(tracker, args),
        ExportCommand::Csv(args) => as_csv(tracker, args),
        ExportCommand::Bundle(args) => {
            let runs: Vec<RunId> = located(tracker, args)?.into_iter().map(|run| run.id).collect();
            write(&args.out, |out| Ok(tracker.export_runs(&runs, out)?))
        }
        ExportCommand::Html(args) => html(tracker, &located(tracker, args)?.into_iter().map(|run| run.id).collect::<Vec<_>>(), &args.out),
    }
}

/// The report of runs, the first the baseline.
pub fn html(tracker: &Tracker, runs: &[RunId], path: &Path) -> Result<()> {
    let runs = runs.iter().map(|run| tracker.run(run)).collect::<jarre_eval::Result<Vec<_>>>()?;
    page(tracker, &sides(tracker, &runs)?, None, path)
}

/// The same of sides that are there already.
pub fn page(tracker: &Tracker, sides: &[Side], primary: Option<String>, path: &Path) -> Result<()> {
    let names: Vec<&str> = sides.iter().map(|side| side.name.as_str()).collect();
    let created = SystemClock::new().timestamp().to_string();
    let judges = judge::on_page(tracker, sides)?;
    let options = ReportOptions { primary, created, judges, ..ReportOptions::new(names.join(" and ")) };
    write(path, |out| Ok(report(sides, &options)?.write(out)?))
}

/// Runs of one name are told apart by their ids.
fn sides(tracker: &Tracker, runs: &[Run]) -> Result<Vec<Side>> {
    let is_shared = |run: &Run| run.name.is_empty() || runs.iter().filter(|other| other.name == run.name).count() > 1;
    let name = |run: &Run| if is_shared(run) { run.id.to_string() } else { run.name.clone() };
    runs.iter().map(|run| compare::side(tracker, run, name(run), SampleTexts::Whole)).collect()
}

fn located(tracker: &Tracker, args: &ExportArgs) -> Result<Vec<Run>> {
    args.runs.iter().map(|name| locate::run(tracker, name)).collect()
}

fn as_json(tracker: &Tracker, args: &ExportArgs) -> Result<()> {
    let mut runs = Vec::new();
    for run in located(tracker, args)? {
        let samples = tracker.samples(&run.id, SampleTexts::Whole)?;
        let (params, tags) = (tracker.params(&run.id)?, tracker.tags(&run.id)?);
        runs.push(
            json!({"run": run, "params": params, "tags": tags, "metrics": crate::show::means(tracker, &run.id)?, "samples": samples}),
        );
    }
    write(&args.out, |mut out| {
        serde_json::to_writer_pretty(&mut out, &json!({"runs": runs}))?;
        Ok(writeln!(out)?)
    })
}

fn as_csv(tracker: &Tracker, args: &ExportArgs) -> Result<()> {
    let sides = sides(tracker, &located(tracker, args)?)?;
    let mut names: Vec<&str> = sides.iter().flat_map(|side| metrics(&side.samples)).collect();
    names.sort_unstable();
    names.dedup();
    let fixed = [
        "run",
        "variant",
        "item",
        "repeat",
        "input",
        "target",
        "output",
        "extracted",
        "error",
        "latency_seconds",
        "prompt_tokens",
        "completion_tokens",
        "cost_dollars",
    ];
    let mut table = Table::new(fixed.into_iter().chain(names.iter().copied()).map(Column::new));
    for side in &sides {
        for sample in &side.samples {
            let mut cells: Vec<Cell> =
                vec![side.run.as_str().into(), side.name.as_str().into(), sample.item.as_str().into(), u64::from(sample.repeat).into()];
            cells.extend([
                sample.input.as_str().into(),
                sample.target.clone().into(),
                sample.output.as_str().into(),
                sample.extracted.clone().into(),
            ]);
            cells.extend([
                sample.error.clone().into(),
                sample.latency.as_secs_f64().into(),
                sample.usage.prompt_tokens.into(),
                sample.usage.completion_tokens.into(),
            ]);
            cells.push((sample.cost.micros() as f64 / 1e6).into());
            cells.extend(names.iter().map(|name| Cell::from(sample.value(name))));
            table.row(cells)?;
        }
    }
    write(&args.out, |out| Ok(out.write_all(table.to_csv().as_bytes())?))
}

/// Writes to a file, or to the standard output for `-`. A file is whole or not there: it is written beside its place and moved.
pub fn write(path: &Path, contents: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    if path == Path::new("-") {
        return contents(&mut io::stdout().lock());
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let failed = || format!("cannot write {}", path.display());
    let mut file = BufWriter::new(File::create(&beside).with_context(failed)?);
    contents(&mut file)?;
    file.into_inner().map_err(io::IntoInnerError::into_error).and_then(|file| file.sync_all()).with_context(failed)?;
    std::fs::rename(&beside, path).with_context(failed)
}
