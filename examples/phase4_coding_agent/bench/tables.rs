use anyhow::Result;
use jarre_report::{Cell, Column, IntervalChart, NumberFormat, Page, Section, Table};

use super::{
    row::Row,
    summary::{Share, Summary},
};

/// Failures of one set and model that the page shows.
const SHOWN: usize = 20;

/// One row a set and model.
pub(crate) fn results(summaries: &[Summary]) -> Result<Table> {
    let percent = |name: &str| Column::new(name).format(NumberFormat::Fixed(1));
    let columns = [
        Column::new("set"),
        Column::new("model"),
        Column::new("tasks"),
        Column::new("pass@1 %"),
        Column::new("after reflection %"),
        Column::new("gain, points"),
        percent("stuck %"),
        percent("timeouts %"),
        percent("steps"),
        percent("attempts"),
        Column::new("tokens").format(NumberFormat::Fixed(0)),
        Column::new("wall p50 ms"),
        Column::new("wall p95 ms"),
        Column::new("escapes"),
    ];
    let mut table = Table::new(columns).caption("Means a task; shares with Wilson's intervals, gains with Newcombe's, of 95 %");
    for summary in summaries {
        let gain = &summary.gain;
        let interval = gain.interval;
        table.row([
            summary.set.as_str().into(),
            summary.model.as_str().into(),
            summary.tasks.into(),
            share(&summary.first).into(),
            share(&summary.last).into(),
            format!("{:+.1} ({:+.1} to {:+.1})", 100.0 * gain.difference, 100.0 * interval.low, 100.0 * interval.high).into(),
            (100.0 * summary.stuck).into(),
            (100.0 * summary.timed_out).into(),
            summary.steps.into(),
            summary.attempts.into(),
            summary.tokens.into(),
            summary.wall_ms.p50.into(),
            summary.wall_ms.p95.into(),
            Cell::from(summary.escapes),
        ])?;
    }
    Ok(table)
}

fn share(share: &Share) -> String {
    format!("{:.1} ({:.1} to {:.1})", 100.0 * share.of_all, 100.0 * share.interval.low, 100.0 * share.interval.high)
}

/// Why tasks were no success, one row a set, model and reason.
pub(crate) fn failures(summaries: &[Summary]) -> Result<Table> {
    let mut table = Table::new(["set", "model", "failure", "tasks"].map(Column::new)).caption("Why tasks were no success");
    for summary in summaries {
        for (failure, count) in &summary.failures {
            table.row([summary.set.as_str().into(), summary.model.as_str().into(), Cell::from(*failure), (*count).into()])?;
        }
    }
    Ok(table)
}

/// The report as one page.
pub(crate) fn page(summaries: &[Summary], rows: &[Row], command: &str) -> Result<String> {
    let mut chart = IntervalChart::new("Passed, in the end and at first").x_range(0.0, 1.0);
    for summary in summaries {
        for (color, (name, share)) in [("pass@1", &summary.first), ("after reflection", &summary.last)].into_iter().enumerate() {
            let name = format!("{}, {}: {name}", summary.set, summary.model);
            chart = chart.row(name, color, share.of_all, share.interval.low, share.interval.high);
        }
    }
    let page = Page::new("The agent, measured")
        .lead("What passes, what reflection adds, and why the rest does not.")
        .section(Section::new("Results").table(&results(summaries)?).chart(&chart))
        .section(Section::new("Failures").table(&failures(summaries)?))
        .section(analyses(rows)?);
    Ok(page.provenance([("command", command)]).to_html())
}

/// What the agents wrote of their failures.
fn analyses(rows: &[Row]) -> Result<Section> {
    let mut table = Table::new(["task", "model", "what", "why", "instead"].map(Column::new));
    for row in rows.iter().filter(|row| row.failure.is_some()) {
        let Some(last) = row.reflections.last() else { continue };
        if table.len() < SHOWN {
            table.row([&row.task, &row.model, &last.what, &last.why, &last.instead].map(|text| Cell::from(text.as_str())))?;
        }
    }
    let section = Section::new("Analyses").text("The last analysis of tasks that failed, as the agent wrote it.");
    Ok(if table.is_empty() { section.text("There are none.") } else { section.table(&table) })
}
