//! The figures for people.

use anyhow::Result;
use jarre_report::{Cell, Column, NumberFormat, Table};

use super::Run;

pub(super) fn text(runs: &[Run]) -> Result<String> {
    let number = |name: &str, digits| Column::new(name).format(NumberFormat::Fixed(digits));
    let mut table = Table::new([
        Column::new("case"),
        number("processes", 0),
        number("threads each", 0),
        number("tokens/s", 1),
        number("of the first", 2),
        number("communicating, %", 1),
        number("waiting, %", 1),
        number("sent, KiB a token", 1),
        Column::new("largest difference"),
    ]);
    let cases = runs.first().map_or(0, |run| run.report.cases.len());
    for index in 0..cases {
        for run in runs {
            let (case, first) = (&run.report.cases[index], &runs[0].report.cases[index]);
            table.row([
                Cell::from(case.name.as_str()),
                Cell::from(run.processes as f64),
                Cell::from(run.threads as f64),
                Cell::from(case.tokens as f64 / case.seconds),
                Cell::from(first.seconds / case.seconds),
                Cell::from(100.0 * case.communicating / case.seconds),
                Cell::from(100.0 * case.waiting / case.seconds),
                Cell::from(case.bytes_sent as f64 / 1024.0 / case.tokens.max(1) as f64),
                Cell::from(format!("{:.1e}", run.largest_difference)),
            ])?;
        }
    }
    Ok(table.to_plain_text())
}
