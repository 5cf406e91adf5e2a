use std::fmt::Write;

use anyhow::Result;

use super::report::{OldRead, Report};
use crate::{
    deployment::MILLI,
    judge::Verdict,
    request::{Answer, Input, key_name},
    timeline::{Timeline, letter, strip},
};

/// Operations of a contradiction that are still read.
const SHOWN: usize = 12;

/// The reports for a terminal.
pub(crate) fn words(reports: &[Report]) -> Result<String> {
    Ok(reports.iter().map(report).collect::<Result<Vec<_>>>()?.join("\n"))
}

fn report(report: &Report) -> Result<String> {
    let mut text = format!("{} - {}\n", report.mode.name(), report.mode.says());
    let Report { schedule, .. } = report;
    let ms = |at: u64| at / MILLI;
    writeln!(
        text,
        "cut at {} ms ({}), healed at {} ms, compared at {} ms; seed {}, {} time\n",
        ms(schedule.cut),
        report.cut.says(),
        ms(schedule.heal),
        ms(schedule.end),
        report.seed,
        report.clock
    )?;
    text += &strip(&timeline(report));
    text.push('\n');
    for (name, value) in figures(report) {
        writeln!(text, "  {name:<34} {value}")?;
    }
    for read in &report.old_leader {
        writeln!(text, "  A, cut off, {:<21} {}", asked(read), answered(read))?;
    }
    if let Some(history) = minimal(report) {
        writeln!(text, "  no single copy can have answered so:")?;
        for line in history.iter().take(SHOWN) {
            writeln!(text, "    {line}")?;
        }
    }
    Ok(text)
}

/// The figures that matter, in words.
pub(crate) fn figures(report: &Report) -> Vec<(&'static str, String)> {
    let tally = &report.tally;
    let verdict = match report.verdict {
        Verdict::Linearizable => "linearizable",
        Verdict::Illegal { .. } => "ILLEGAL",
        Verdict::Undecided => "undecided",
    };
    vec![
        ("writes acknowledged", tally.writes_acknowledged.to_string()),
        ("of them lost", tally.lost.len().to_string()),
        ("writes refused", tally.writes_refused.to_string()),
        ("writes unknown (of them done)", format!("{} ({})", tally.writes_unknown, tally.unknown_but_done)),
        ("two leaders at once", format!("{:.1} ms", report.both_lead as f64 / MILLI as f64)),
        ("two leaders of one term", if report.two_of_one_term { "yes" } else { "no" }.to_owned()),
        ("replicas agree in the end", if report.replicas_agree { "yes" } else { "no" }.to_owned()),
        ("reads that missed a write", format!("{}, up to {:.0} ms old", report.staleness.stale, report.staleness.oldest as f64 / 1e3)),
        ("verdict", verdict.to_owned()),
    ]
}

pub(crate) fn asked(read: &OldRead) -> String {
    match read.max_age {
        Some(age) => format!("{} <= {} ms:", read.level, age / MILLI),
        None => format!("{}:", read.level),
    }
}

pub(crate) fn answered(read: &OldRead) -> String {
    let stale = if read.is_stale { ", which is not the latest" } else { "" };
    match &read.answer {
        Answer::Value { value, age } => {
            let value = value.map_or("nothing".to_owned(), |value| value.to_string());
            let age = age.map_or(String::new(), |age| format!(", says it is {:.0} ms old at most", age as f64 / MILLI as f64));
            format!("{value}{age}{stale}")
        }
        Answer::Refused { reason, .. } => format!("refused: {}", reason.name()),
        Answer::Written | Answer::Unknown => "no answer".to_owned(),
    }
}

/// The contradiction, an operation a line.
pub(crate) fn minimal(report: &Report) -> Option<Vec<String>> {
    let Verdict::Illegal { minimal } = &report.verdict else { return None };
    let line = |&place: &usize| {
        let operation = &report.operations[place];
        let key = key_name(operation.key);
        let ms = |at: u64| at as f64 / MILLI as f64;
        let end = operation.end.filter(|_| operation.is_answered()).map_or("...".to_owned(), |end| format!("{:.1}", ms(end)));
        let lost = if report.tally.lost.binary_search(&place).is_ok() { " - lost" } else { "" };
        let what = match (operation.input, &operation.answer) {
            (Input::Write(value), Answer::Written) => format!("wrote {key} = {value}{lost}"),
            (Input::Write(value), _) => format!("may have written {key} = {value}"),
            (Input::Read(_), Answer::Value { value: Some(value), .. }) => format!("read {key}: {value}"),
            (Input::Read(_), _) => format!("read {key}: nothing"),
        };
        format!("{:>7.1} .. {end:>7} ms  client {:<2} at {}  {what}", ms(operation.call), operation.client, letter(operation.node))
    };
    Some(minimal.iter().map(line).collect())
}

/// What happened over time.
pub(crate) fn timeline(report: &Report) -> Timeline<'_> {
    Timeline {
        title: format!("{}: {}", report.mode.name(), report.cut.says()),
        end: report.schedule.end,
        nodes: report.replicas.len(),
        reigns: &report.reigns,
        operations: &report.operations,
        lost: &report.tally.lost,
        faults: vec![(report.schedule.cut, report.schedule.heal, format!("cut: {}", report.cut.says()))],
    }
}
