use std::fmt::Write;

use anyhow::Result;
use jarre_report::{Column, Histogram, NumberFormat, Page, Section, Table};
use serde::Serialize;

use super::drill::{Drill, Kill, PERIOD};
use crate::{
    args::FailoverArgs,
    deployment::{MILLI, Micros},
    judge::{Tally, Verdict, both_lead, tally, two_of_one_term, verdict},
    mode::Mode,
    quantile::quantile,
    record::{Operation, Reign},
    timeline::{Drawing, Timeline, strip},
};

const BUDGET: u64 = 5_000_000;
/// How much of a run a page shows by the operation.
const DRAWN: Micros = 2 * PERIOD;
/// How much a terminal shows: more has no room in a line.
const PRINTED: Micros = 10 * PERIOD;

/// What one mode made of the deaths of its leaders.
#[derive(Serialize)]
pub(super) struct Report {
    mode: Mode,
    clock: &'static str,
    seed: u64,
    nodes: usize,
    kills: Vec<Kill>,
    gap_p50: Option<Micros>,
    gap_p99: Option<Micros>,
    gap_max: Option<Micros>,
    #[serde(flatten)]
    pub(super) tally: Tally,
    both_lead: Micros,
    pub(super) two_of_one_term: bool,
    #[serde(flatten)]
    pub(super) verdict: Verdict,
    pub(super) reigns: Vec<Reign>,
    #[serde(skip)]
    operations: Vec<Operation>,
    end: Micros,
}

impl Report {
    pub(super) fn new(mode: Mode, args: &FailoverArgs, Drill { kills, record, end }: Drill) -> Self {
        let mut gaps: Vec<Micros> = kills.iter().filter_map(|kill| kill.gap).collect();
        gaps.sort_unstable();
        Self {
            mode,
            clock: mode.clock(),
            seed: args.seed,
            nodes: usize::from(args.nodes),
            gap_p50: quantile(&gaps, 0.5),
            gap_p99: quantile(&gaps, 0.99),
            gap_max: gaps.last().copied(),
            kills,
            tally: tally(&record),
            both_lead: both_lead(&record.reigns, end),
            two_of_one_term: two_of_one_term(&record.reigns),
            verdict: verdict(&record, BUDGET),
            reigns: record.reigns,
            operations: record.operations,
            end,
        }
    }

    fn timeline(&self, end: Micros) -> Timeline<'_> {
        let shown = self.operations.partition_point(|operation| operation.call < end);
        let faults = self.kills.iter().filter(|kill| kill.at < end);
        Timeline {
            title: format!("{}: the leader is killed", self.mode.name()),
            end,
            nodes: self.nodes,
            reigns: &self.reigns[..self.reigns.partition_point(|reign| reign.from < end)],
            operations: &self.operations[..shown],
            lost: &self.tally.lost,
            faults: faults.map(|kill| (kill.at, kill.at + kill.gap.unwrap_or(PERIOD), "no writes".to_owned())).collect(),
        }
    }
}

/// The reports for a terminal.
pub(super) fn words(reports: &[Report]) -> Result<String> {
    let mut text = String::new();
    for report in reports {
        writeln!(text, "{} - {}; {} nodes, {} time", report.mode.name(), report.mode.says(), report.nodes, report.clock)?;
        text += &strip(&report.timeline(PRINTED.min(report.end)));
        text.push('\n');
    }
    Ok(text + &table(reports)?.to_plain_text())
}

fn table(reports: &[Report]) -> Result<Table> {
    let ms = |name: &str| Column::new(name).format(NumberFormat::Fixed(1));
    let mut table = Table::new([
        Column::new("mode"),
        Column::new("time"),
        Column::new("kills"),
        ms("gap p50 ms"),
        ms("p99 ms"),
        ms("max ms"),
        Column::new("last term"),
        Column::new("acknowledged"),
        Column::new("unknown"),
        Column::new("lost"),
        ms("two leaders ms"),
        Column::new("verdict"),
    ]);
    for report in reports {
        let gap = |gap: Option<Micros>| gap.map(|gap| gap as f64 / MILLI as f64);
        let verdict = match report.verdict {
            Verdict::Linearizable => "linearizable",
            Verdict::Illegal { .. } => "ILLEGAL",
            Verdict::Undecided => "undecided",
        };
        table.row([
            report.mode.name().into(),
            report.clock.into(),
            report.kills.len().into(),
            gap(report.gap_p50).into(),
            gap(report.gap_p99).into(),
            gap(report.gap_max).into(),
            report.reigns.iter().filter_map(|reign| reign.term).max().into(),
            report.tally.writes_acknowledged.into(),
            report.tally.writes_unknown.into(),
            report.tally.lost.len().into(),
            gap(Some(report.both_lead)).into(),
            verdict.into(),
        ])?;
    }
    Ok(table)
}

/// The reports as a page.
pub(super) fn page(reports: &[Report]) -> Result<Page> {
    let mut page = Page::new("Failover")
        .lead("The leader is killed again and again, while clients write; how long nobody writes, and what is lost.")
        .style(Drawing::STYLE)
        .section(Section::new("Summary").table(&table(reports)?));
    for report in reports {
        let gaps = report.kills.iter().filter_map(|kill| kill.gap).map(|gap| gap as f64 / MILLI as f64);
        let histogram = Histogram::new("From a kill to the next acknowledged write").values("gap", gaps).x_label("ms").y_label("kills");
        let section = Section::new(report.mode.name()).text(report.mode.says()).text("The first kills, by the operation:");
        page = page.section(section.chart(&Drawing(report.timeline(DRAWN.min(report.end)))).chart(&histogram));
    }
    let first = reports
        .first()
        .map(|report| format!("demo failover --kills {} --nodes {} --seed {}", report.kills.len(), report.nodes, report.seed));
    Ok(page.provenance([("command", first.unwrap_or_default())]))
}
