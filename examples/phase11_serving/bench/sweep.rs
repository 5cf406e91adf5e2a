//! Figures of several rates side by side.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use jarre_report::{Cell, Column, LineChart, NumberFormat, Scale, Series, Table};
use serde::Serialize;

use super::summary::Summary;

/// One rate and what came of it.
#[derive(Debug, Serialize)]
pub(super) struct Point {
    /// Requests a second that were to come; JSON has `null` for all at once.
    pub(super) request_rate: f64,
    pub(super) burstiness: f64,
    #[serde(flatten)]
    pub(super) summary: Summary,
}

pub(super) fn text(points: &[Point]) -> Result<String> {
    let number = |name: &str| Column::new(name).format(NumberFormat::Fixed(2));
    let mut columns = vec![number("rate/s"), number("done/s"), Column::new("refused"), number("output tokens/s")];
    let has_goodput = points.iter().any(|point| point.summary.request_goodput.is_some());
    if has_goodput {
        columns.insert(2, number("good/s"));
    }
    columns.extend(["TTFT median", "TTFT p99", "TPOT median", "TPOT p99"].map(number));
    let mut table = Table::new(columns).caption("Times in milliseconds");
    for Point { request_rate, summary, .. } in points {
        let rate = if request_rate.is_finite() { Cell::from(*request_rate) } else { Cell::from("inf") };
        let good = has_goodput.then(|| Cell::from(summary.request_goodput.unwrap_or_default()));
        let [first, next] = [&summary.ttft_ms, &summary.tpot_ms];
        let times = [first.median, first.p99, next.median, next.p99].map(Cell::from);
        let head = [rate, Cell::from(summary.request_throughput)].into_iter().chain(good);
        table.row(head.chain([Cell::from(summary.refused), Cell::from(summary.output_throughput)]).chain(times))?;
    }
    Ok(table.to_plain_text())
}

/// Writes the times over the rate to `path`, and the throughput beside it.
pub(super) fn write(path: &Path, points: &[Point]) -> Result<()> {
    for (path, chart) in [(path.to_owned(), times(points)), (beside(path), throughput(points))] {
        std::fs::write(&path, chart.x_label("requests a second that come").to_svg())
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// `load.svg` becomes `load-throughput.svg`.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push("-throughput.");
    name.push(path.extension().unwrap_or("svg".as_ref()));
    path.with_file_name(name)
}

fn times(points: &[Point]) -> LineChart {
    let chart = LineChart::new("Times over the rate").y_label("milliseconds").y_scale(Scale::Log);
    chart
        .series(series("TTFT median", points, |summary| Some(summary.ttft_ms.median)))
        .series(series("TTFT p99", points, |summary| Some(summary.ttft_ms.p99)).dashed())
        .series(series("TPOT median", points, |summary| Some(summary.tpot_ms.median)))
        .series(series("TPOT p99", points, |summary| Some(summary.tpot_ms.p99)).dashed())
}

fn throughput(points: &[Point]) -> LineChart {
    let chart = LineChart::new("Throughput over the rate").y_label("requests a second");
    let chart = chart.series(series("answered", points, |summary| Some(summary.request_throughput)));
    if points.iter().all(|point| point.summary.request_goodput.is_none()) {
        return chart;
    }
    chart.series(series("good", points, |summary| summary.request_goodput))
}

/// The rates that have a place on an axis, in order.
fn series(name: &str, points: &[Point], value: impl Fn(&Summary) -> Option<f64>) -> Series {
    let finite = points.iter().filter(|point| point.request_rate.is_finite());
    let mut values: Vec<(f64, f64)> = finite.filter_map(|point| Some((point.request_rate, value(&point.summary)?))).collect();
    values.sort_by(|one, other| one.0.total_cmp(&other.0));
    Series::new(name, values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::summary::Times;

    fn point(request_rate: f64, median: f64, good: Option<f64>) -> Point {
        let ttft_ms = Times { median, p99: 10.0 * median, ..Times::default() };
        let summary = Summary { request_throughput: request_rate.min(3.0), request_goodput: good, ttft_ms, ..Summary::default() };
        Point { request_rate, burstiness: 1.0, summary }
    }

    #[test]
    fn a_row_a_rate_and_goodput_where_it_was_asked_for() {
        let points = [point(4.0, 7.5, None), point(f64::INFINITY, 9.5, None)];
        let table = text(&points).unwrap();
        assert!(table.contains("inf") && table.contains("75.00") && !table.contains("good"), "{table}");
        let table = text(&[point(4.0, 7.5, Some(1.25)), point(2.0, 9.5, Some(2.0))]).unwrap();
        assert!(table.contains("good/s") && table.contains("1.25"), "{table}");
    }

    #[test]
    fn curves_are_in_order_of_rate_and_leave_out_what_has_no_place() {
        let folder = tempfile::tempdir().unwrap();
        let points = [point(4.0, 7.5, Some(1.25)), point(f64::INFINITY, 99.0, Some(1.0)), point(2.0, 3.5, Some(2.0))];
        write(&folder.path().join("load.svg"), &points).unwrap();
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(read("load.svg").contains("TTFT median: 2 points, first 3.5, last 7.5"));
        assert!(read("load-throughput.svg").contains("good: 2 points, first 2, last 1.25"));
    }
}
