//! What came of a storm, for people.

use std::fmt::Write;

use anyhow::Result;
use jarre_report::{Cell, Column, NumberFormat, Table};

use super::args::StormArgs;
use super::tally::Tally;
use super::watch::Sample;

pub(super) fn text(args: &StormArgs, tally: &Tally) -> Result<String> {
    let mut text = format!(
        "capacity {:.2} requests/s; {:.2} came a second for {} s; {:.2} answers a second came to their end\n\n{}\n",
        tally.capacity,
        tally.request_rate,
        args.seconds,
        tally.completions_per_second,
        endings(tally)?
    );
    let (refusal, first) = (&tally.refusal_ms, &tally.ttft_ms);
    writeln!(text, "refusals: p50 {:.2} ms, p99 {:.2} ms, {:.2} ms at most", refusal.median, refusal.p99, refusal.max())?;
    writeln!(text, "TTFT of accepted requests: p50 {:.0} ms, p99 {:.0} ms, {:.0} ms at most", first.median, first.p99, first.max())?;
    writeln!(
        text,
        "a full queue takes ({} waiting + {} running) / {:.2} a second = {:.0} ms\n\n{}\n{}",
        args.max_waiting,
        tally.running,
        tally.completions_per_second,
        tally.queue_service_ms,
        samples(&tally.samples)?,
        bounds(tally)?
    )?;
    for count in tally.counts.iter().filter(|count| !count.why.is_empty()) {
        writeln!(text, "{:?}, {}: {}", count.kind, count.ending, count.why)?;
    }
    Ok(text)
}

fn endings(tally: &Tally) -> Result<String> {
    let mut table = Table::new(["kind", "ending", "requests"].map(Column::new));
    for count in &tally.counts {
        table.row([
            Cell::from(format!("{:?}", count.kind).to_lowercase()),
            Cell::from(count.ending.to_string()),
            Cell::from(count.requests),
        ])?;
    }
    Ok(table.to_plain_text())
}

fn samples(samples: &[Sample]) -> Result<String> {
    let fixed = |name: &str, decimals| Column::new(name).format(NumberFormat::Fixed(decimals));
    let mut table =
        Table::new([fixed("second", 1), fixed("memory, MiB", 1), fixed("running", 0), fixed("waiting", 0), fixed("cache held, %", 1)]);
    for sample in samples {
        let memory = sample.memory.map(|bytes| bytes as f64 / f64::from(1 << 20));
        let load = sample.load.map(|load| [load.running, load.waiting, 100.0 * load.kv_usage]);
        let load = load.map_or([None; 3], |load| load.map(Some));
        let cells = [memory].into_iter().chain(load).map(|value| value.map_or(Cell::Missing, Cell::from));
        table.row([Cell::from(sample.at)].into_iter().chain(cells))?;
    }
    Ok(table.to_plain_text())
}

fn bounds(tally: &Tally) -> Result<String> {
    let fixed = |name: &str| Column::new(name).format(NumberFormat::Fixed(3));
    let mut table = Table::new([Column::new("bound"), fixed("measured"), fixed("at most"), Column::new("")]);
    for bound in &tally.bounds {
        let verdict = if bound.holds { "holds" } else { "BROKEN" };
        table.row([Cell::from(bound.what), Cell::from(bound.measured), Cell::from(bound.at_most), Cell::from(verdict)])?;
    }
    Ok(table.to_plain_text())
}
