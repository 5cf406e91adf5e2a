//! `demo trade-offs`: what each way to replicate and each read level cost and risk, healthy and not.

mod condition;
mod measure;

use anyhow::{Context, Result};
use jarre_report::{Column, NumberFormat, Page, Section, Table};

use condition::Condition;
use measure::{Row, measure};

use crate::{
    args::TradeOffsArgs,
    deployment::{MILLI, Micros},
    judge::Verdict,
    request::Level,
};

const LEVELS: [Level; 2] = [Level::Linearizable, Level::Stale { max_age: 1_000 * MILLI }];

pub(crate) fn run(args: &TradeOffsArgs) -> Result<()> {
    let mut rows = Vec::new();
    for &mode in &args.mode {
        for level in LEVELS {
            for condition in Condition::ALL.into_iter().filter(|condition| condition.is_possible(mode)) {
                eprintln!("{}, {} reads, {}", mode.name(), level.name(), condition.name(mode));
                rows.push(measure(mode, level, condition, args.seed)?);
            }
        }
    }
    let table = table(&rows)?;
    if let Some(path) = &args.html {
        std::fs::write(path, page(&table, args.seed).to_html()).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if args.json {
        println!("{}", serde_json::to_string(&rows)?);
    } else {
        print!("{}\n{POWER}\n", table.to_plain_text());
    }
    Ok(())
}

/// What is measured where the power fails, in words.
const POWER: &str = "power lost: all nodes lose it at once, and with it what they had not synced; half a second later they start again. \
                     all killed: so do real members, but what they wrote stays with the system, in its page cache, so that this says less.";

fn table(rows: &[Row]) -> Result<Table> {
    let ms = |name: &str| Column::new(name).format(NumberFormat::Fixed(1));
    let count = |name: &str| Column::new(name).format(NumberFormat::Fixed(0));
    let mut table = Table::new([
        Column::new("mode"),
        Column::new("reads"),
        Column::new("condition"),
        count("writes/s"),
        ms("p50 ms"),
        ms("p99 ms"),
        ms("gap ms"),
        count("reads/s"),
        ms("p50 ms"),
        ms("p99 ms"),
        ms("gap ms"),
        Column::new("lost"),
        Column::new("stale"),
        ms("oldest ms"),
        Column::new("verdict"),
    ]);
    let ms = |at: Micros| at as f64 / MILLI as f64;
    for row in rows {
        table.row([
            row.mode.name().into(),
            row.level.into(),
            row.condition.name(row.mode).into(),
            row.writes_per_second.into(),
            row.write_p50.map(ms).into(),
            row.write_p99.map(ms).into(),
            ms(row.write_gap).into(),
            row.reads_per_second.into(),
            row.read_p50.map(ms).into(),
            row.read_p99.map(ms).into(),
            ms(row.read_gap).into(),
            row.lost.into(),
            row.staleness.stale.into(),
            ms(row.staleness.oldest).into(),
            verdict(row).into(),
        ])?;
    }
    Ok(table)
}

/// Stale reads promise no order, so that only writes would be judged: that says nothing.
fn verdict(row: &Row) -> &'static str {
    match row.verdict {
        _ if row.level == "stale" => "not claimed",
        Verdict::Linearizable => "linearizable",
        Verdict::Illegal { .. } => "ILLEGAL",
        Verdict::Undecided => "undecided",
    }
}

fn page(table: &Table, seed: u64) -> Page {
    let text = "Two writers and two readers with pauses of a millisecond on average at three nodes; the condition lasts a second, and rates and latencies are those \
                of that second. Gaps are the longest stretches without an answer. Stale reads may be a second old, as the node sees it; \
                `oldest` is how long a write that they missed had been acknowledged.";
    Page::new("Trade-offs")
        .lead("What each way to replicate and each read level cost and risk.")
        .section(Section::new("All cells").text(text).text(POWER).table(table))
        .provenance([("command", format!("demo trade-offs --seed {seed}"))])
}

#[cfg(test)]
mod tests;
