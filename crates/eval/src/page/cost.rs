//! Time, tokens and money: what each variant took, and what its quality costs.

use std::time::Duration;

use jarre_report::{Align, Cell, Chart, Column, Histogram, ScatterChart, Section, Series, Table, visible};

use super::{Estimate, Figure, Metric, Report, System, Variant, front};

pub(super) fn section(report: &Report) -> Option<Section> {
    if report.variants.iter().all(|variant| variant.system == System::default()) {
        return None;
    }
    let rows = report.variants.iter().map(|variant| (visible(&variant.name), fixed(&variant.system), &variant.system.figures[..]));
    let section = Section::new("Time and cost").table(&figures("variant", rows));
    let [latency, cost] = scatters(report);
    let charts = [
        histogram(report, "Latency", |system| &system.latencies),
        histogram(report, "Time to first token", |system| &system.times_to_first_token),
    ];
    let histograms = charts.iter().flatten().map(|chart| chart as &dyn Chart);
    let points = [&latency, &cost].into_iter().flatten().map(|front| &front.chart as &dyn Chart);
    let section = section.charts(histograms.chain(points));
    let words: Vec<String> = [latency, cost].into_iter().flatten().flat_map(|front| front.words).collect();
    Some(if words.is_empty() { section } else { section.list(words) })
}

/// Figures under the same name in one column, whoever has them; `rows` are names, figures that all have, and further ones.
pub(super) fn figures<'a>(heading: &str, rows: impl IntoIterator<Item = (String, Vec<(&'static str, Cell)>, &'a [Figure])>) -> Table {
    let rows: Vec<_> = rows.into_iter().collect();
    let mut names: Vec<(&str, &str)> = Vec::new();
    for figure in rows.iter().flat_map(|row| row.2) {
        if !names.contains(&(&figure.name, &figure.unit)) {
            names.push((&figure.name, &figure.unit));
        }
    }
    let label = |(name, unit): &(&str, &str)| if unit.is_empty() { visible(name) } else { format!("{}, {}", visible(name), visible(unit)) };
    let fixed: Vec<&str> = rows.first().map(|row| row.1.iter().map(|cell| cell.0).collect()).unwrap_or_default();
    let columns = [heading.to_owned()].into_iter().chain(fixed.into_iter().map(str::to_owned)).chain(names.iter().map(label));
    let mut table =
        Table::new(columns.enumerate().map(|(place, name)| Column::new(name).align(if place == 0 { Align::Left } else { Align::Right })));
    for (name, fixed, figures) in &rows {
        let of = |named: &(&str, &str)| figures.iter().find(|figure| (figure.name.as_str(), figure.unit.as_str()) == *named);
        let further = names.iter().map(|named| of(named).map_or(Cell::Missing, |figure| figure.estimate.shown().into()));
        let cells = [name.as_str().into()].into_iter().chain(fixed.iter().map(|cell| cell.1.clone())).chain(further);
        table.row(cells).expect("a cell for the name, each fixed column and each figure");
    }
    table
}

fn fixed(system: &System) -> Vec<(&'static str, Cell)> {
    let estimate = |estimate: Option<Estimate>| estimate.map(|estimate| estimate.shown()).into();
    vec![
        ("latency, s", estimate(system.latency)),
        ("tokens a second", system.throughput.into()),
        ("tokens read", system.usage.prompt_tokens.into()),
        ("tokens written", system.usage.completion_tokens.into()),
        ("$ an item", estimate(system.cost_per_item)),
        ("cost", system.cost.to_string().into()),
    ]
}

fn histogram(report: &Report, title: &str, times: impl Fn(&System) -> &[Duration]) -> Option<Histogram> {
    let mut chart = Histogram::new(title).x_label("seconds").y_label("share of answers").as_shares().size(460, 320);
    let mut any = false;
    for variant in &report.variants {
        let times = times(&variant.system);
        any |= !times.is_empty();
        chart = chart.values(visible(&variant.name), times.iter().map(Duration::as_secs_f64));
    }
    any.then_some(chart)
}

/// A scatter chart of quality against what it takes, and who is dominated, in words.
struct Front {
    chart: ScatterChart,
    words: Vec<String>,
}

fn scatters(report: &Report) -> [Option<Front>; 2] {
    let front = |label, price| report.metrics.first().and_then(|metric| front(report, metric, label, price));
    [front("latency, seconds", |system| system.latency), front("cost, $ an item", |system| system.cost_per_item)]
}

/// The metric of each variant against its price, where at least one has both.
fn front(report: &Report, metric: &Metric, label: &str, price: fn(&System) -> Option<Estimate>) -> Option<Front> {
    let point = |variant: &Variant| Some((variant.summary(&metric.name)?.estimate, price(&variant.system)?));
    let points: Vec<(Estimate, Estimate)> = report.variants.iter().map(|variant| point(variant).unwrap_or_default()).collect();
    if !points.iter().any(|(quality, price)| quality.value.is_finite() && price.value.is_finite()) {
        return None;
    }
    let turned: Vec<(Estimate, Estimate)> = points.iter().map(|(quality, price)| (metric.worth_of(*quality), *price)).collect();
    let dominated = front::dominated_by(&turned);
    let chart = ScatterChart::new(format!("{} against {label}", metric.label())).x_label(label).y_label(metric.label()).size(460, 340);
    let chart =
        report.variants.iter().zip(&points).fold(chart, |chart, (variant, point)| chart.series(series(&visible(&variant.name), *point)));
    // The curve gets the colour after those of the variants.
    let chart = chart.series(Series::new("", [])).curve(Series::new("not dominated", on_front(&points, &dominated)).dashed());
    let names = || report.variants.iter().map(|variant| visible(&variant.name)).collect::<Vec<_>>();
    let words = dominated.iter().enumerate().filter_map(|(place, by)| {
        Some(format!("{} is dominated by {} ({}, {label}): beyond both intervals.", names()[place], names()[(*by)?], metric.label()))
    });
    let words = words.collect();
    Some(Front { chart, words })
}

fn series(name: &str, (quality, price): (Estimate, Estimate)) -> Series {
    Series::with_errors(name, [(price.value, quality.value, quality.low, quality.high)]).x_errors([(price.low, price.high)])
}

/// The points that nothing dominates, from the cheapest on.
fn on_front(points: &[(Estimate, Estimate)], dominated: &[Option<usize>]) -> Vec<(f64, f64)> {
    let kept = points.iter().zip(dominated).filter(|(_, by)| by.is_none()).map(|(point, _)| (point.1.value, point.0.value));
    let mut kept: Vec<(f64, f64)> = kept.filter(|(price, quality)| price.is_finite() && quality.is_finite()).collect();
    kept.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::Summary;

    fn around(value: f64, half: f64) -> Estimate {
        Estimate { value, low: value - half, high: value + half }
    }

    fn variant(name: &str, quality: f64, latency: f64) -> Variant {
        let summaries = vec![Summary { metric: "m".to_owned(), estimate: around(quality, 0.02), ..Summary::default() }];
        let system = System { latency: Some(around(latency, 0.1)), ..System::default() };
        Variant { name: name.to_owned(), summaries, system, ..Variant::default() }
    }

    #[test]
    fn who_is_dominated_is_told_for_either_direction() {
        let variants = vec![variant("quick", 0.8, 1.0), variant("slow", 0.7, 2.0), variant("unsure", 0.79, 2.0)];
        let mut report = Report { variants, ..Report::default() };
        for (metric, expected) in [(Metric::new("m"), "slow is dominated by quick"), (Metric::new("m").lower_is_better(), "")] {
            report.metrics = vec![metric];
            let [latency, cost] = scatters(&report);
            assert!(cost.is_none(), "nobody knows what an item cost");
            let words = latency.unwrap().words;
            assert_eq!(words.len(), usize::from(!expected.is_empty()));
            assert!(words.iter().all(|words| words.starts_with(expected)), "{words:?}");
        }
    }

    #[test]
    fn the_front_goes_from_the_cheapest_to_the_dearest() {
        let points = [(0.9, 3.0), (0.5, 1.0), (0.4, 2.0), (f64::NAN, 0.0)].map(|(a, b)| (Estimate::exact(a), Estimate::exact(b)));
        assert_eq!(on_front(&points, &[None, None, Some(1), None]), [(1.0, 0.5), (3.0, 0.9)]);
    }

    #[test]
    fn a_figure_stands_under_its_name_and_unit() {
        let figure = |name: &str, unit: &str| Figure { name: name.to_owned(), estimate: Estimate::exact(2.5), unit: unit.to_owned() };
        let (first, second) = ([figure("p95", "s")], [figure("p95", "ms"), figure("p95", "s")]);
        let table = figures("variant", [("A".to_owned(), Vec::new(), &first[..]), ("B".to_owned(), Vec::new(), &second[..])]);
        assert_eq!(table.to_csv(), "variant,\"p95, s\",\"p95, ms\"\r\nA,2.50,\r\nB,2.50,2.50\r\n");
    }

    #[test]
    fn a_report_without_measurements_has_no_such_section() {
        assert_eq!(section(&Report { variants: vec![Variant::default()], ..Report::default() }), None);
    }
}
