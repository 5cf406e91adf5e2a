use anyhow::Result;
use jarre_report::{Column, Notice, Page, Section, Table};

use super::{
    report::Report,
    words::{answered, asked, figures, minimal, timeline},
};
use crate::{judge::Verdict, timeline::Drawing};

/// The reports as one page.
pub(crate) fn page(reports: &[Report]) -> Result<Page> {
    let mut page = Page::new("Split-brain")
        .lead("One seed, one schedule: A leads, the network is cut, clients of both sides write the same keys, the network heals.")
        .style(Drawing::STYLE);
    if reports.len() > 1 {
        page = page.section(Section::new("Side by side").table(&side_by_side(reports)?));
    }
    for report in reports {
        page = page.section(section(report)?);
    }
    let first = reports.first();
    let command = first.map(|report| format!("demo split-brain --partition {} --seed {}", report.cut.name(), report.seed));
    Ok(page.provenance([("command", command.unwrap_or_default())]))
}

fn side_by_side(reports: &[Report]) -> Result<Table> {
    let names = reports.iter().map(|report| Column::new(report.mode.name()));
    let mut table = Table::new(std::iter::once(Column::new("")).chain(names));
    let figures: Vec<_> = reports.iter().map(figures).collect();
    for (row, (name, _)) in figures.first().into_iter().flatten().enumerate() {
        table.row(std::iter::once((*name).into()).chain(figures.iter().map(|of_mode| of_mode[row].1.as_str().into())))?;
    }
    Ok(table)
}

fn section(report: &Report) -> Result<Section> {
    let mut section = Section::new(report.mode.name()).text(report.mode.says());
    let lost = report.tally.lost.len();
    let mut problems = Vec::new();
    if lost > 0 {
        problems.push(format!("{lost} acknowledged writes were lost."));
    }
    if let Verdict::Illegal { .. } = report.verdict {
        problems.push("No single copy of the data can have answered so.".to_owned());
    }
    if !problems.is_empty() {
        section = section.notice(Notice::Problem, &problems.join(" "));
    }
    section = section.chart(&Drawing(timeline(report))).figures(figures(report));
    if let Some(history) = minimal(report) {
        section = section.subheading("As little as still contradicts itself").code(&history.join("\n"));
    }
    let mut reads = Table::new([Column::new("asked of A while it was cut off"), Column::new("answer")]);
    for read in &report.old_leader {
        reads.row([asked(read).trim_end_matches(':').into(), answered(read).into()])?;
    }
    let mut replicas = Table::new([Column::new("node"), Column::new("holds in the end")]);
    for (node, values) in report.replicas.iter().enumerate() {
        let values: Vec<String> = values.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        replicas.row([crate::timeline::letter(node).into(), values.join(", ").into()])?;
    }
    Ok(section.subheading("Reads").table(&reads).subheading("Replicas").table(&replicas))
}
