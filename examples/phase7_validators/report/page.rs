use anyhow::Result;
use jarre_report::{IntervalChart, Notice, Page, Section};

use super::{
    figures::{Figures, Mistake, Side},
    ratchet::Departure,
    tables,
};

/// Mistakes of one set that the page shows.
const SHOWN: usize = 10;

/// The report as one page.
pub(crate) fn page(figures: &Figures, mistakes: &[Mistake], departures: &[Departure], command: &str) -> Result<String> {
    let mut page = Page::new("Guards, measured")
        .lead("How often each layer of the policy is wrong, about what, and how long it takes.")
        .section(compared(departures))
        .section(errors(figures)?)
        .section(Section::new("Rankings").table(&tables::rankings(figures)?))
        .section(Section::new("Time").table(&tables::latencies(figures)?))
        .section(Section::new("Failures").table(&tables::mistakes(mistakes, SHOWN)?));
    if !figures.topics.is_empty() {
        page = page.section(Section::new("Topics").table(&tables::topics(figures)?));
    }
    if !figures.graded.is_empty() {
        page = page.section(Section::new("A judge's word").table(&tables::graded(figures)?));
    }
    if !figures.left_out.is_empty() {
        page = page.section(Section::new("Left out").list(&figures.left_out));
    }
    Ok(page.provenance([("command", command)]).to_html())
}

fn compared(departures: &[Departure]) -> Section {
    let section = Section::new("Beside what was held");
    if departures.is_empty() {
        return section.text("Nothing departs from the ratchet's file, or none was named.");
    }
    departures.iter().fold(section, |section, departure| {
        let kind = if departure.fails() { Notice::Warning } else { Notice::Info };
        section.notice(kind, &departure.told())
    })
}

fn errors(figures: &Figures) -> Result<Section> {
    let mut section = Section::new("Errors").table(&tables::rates(figures)?);
    for (side, title) in [(Side::Harmless, "False alarms (FPR)"), (Side::Harmful, "Missed (FNR)")] {
        let mut chart = IntervalChart::new(title).x_range(0.0, 1.0);
        for rate in figures.rates.iter().filter(|rate| rate.side == side) {
            let interval = rate.interval()?;
            chart = chart.row(rate.key(), usize::from(rate.seen), rate.share(), interval.low, interval.high);
        }
        section = section.chart(&chart);
    }
    Ok(section)
}
