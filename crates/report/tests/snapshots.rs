//! Small charts and a page, byte for byte. `cargo insta review` shows what changed.

use insta::assert_snapshot;
use jarre_report::{
    BarChart, Bars, Chart, Column, HeatMap, Histogram, IntervalChart, LineChart, Notice, Page, Scale, ScatterChart, Section, Series, Table,
};

/// One element a line, so that a difference is a line.
fn lines(markup: &str) -> String {
    markup.replace("><", ">\n<")
}

#[test]
fn line_chart() {
    let train = Series::new("train", [(0.0, 4.0), (100.0, 2.5), (200.0, f64::NAN), (300.0, 2.0), (400.0, 1.9)]);
    let validation = Series::new("validation", [(0.0, 4.1), (400.0, 2.1)]).band([(0.0, 4.0, 4.2), (400.0, 2.0, 2.2)]).dashed();
    let chart = LineChart::new("Loss <nats>").series(train).series(validation).reference_y(1.88, "target").x_label("step").size(360, 220);
    assert_snapshot!(lines(&chart.to_svg()));
}

#[test]
fn scatter_chart() {
    let points = Series::with_errors("runs", [(1e5, 4.0, 3.8, 4.3), (1e6, 3.0, 2.9, 3.1), (1e7, 2.2, 2.1, 2.3)]);
    let fit = Series::new("fit", [(1e5, 4.05), (1e7, 2.2)]);
    let chart = ScatterChart::new("Scaling").series(points).curve(fit).x_scale(Scale::Log).y_scale(Scale::Log).size(360, 220);
    assert_snapshot!(lines(chart.to_inline_svg().as_str()));
}

#[test]
fn bar_chart() {
    let chart = BarChart::new("Recall", ["BM25", "dense & hybrid", "none"])
        .bars(Bars::with_errors("dev", [(0.5, 0.4, 0.6), (0.75, 0.7, 0.8)]))
        .bars(Bars::new("test", [0.45, 0.7, -0.1]))
        .print_values()
        .size(360, 220);
    assert_snapshot!(lines(chart.to_inline_svg().as_str()));
}

#[test]
fn heat_map() {
    let chart = HeatMap::new("Confusion", [vec![9.0, 1.0], vec![2.0]])
        .row_labels(["a", "b"])
        .column_labels(["a", "b"])
        .print_values()
        .size(240, 200);
    assert_snapshot!(lines(chart.to_inline_svg().as_str()));
}

#[test]
fn histogram() {
    let chart =
        Histogram::new("Lengths").values("documents", (0..200).map(|place| f64::from(place % 20) * f64::from(place % 10))).size(360, 220);
    assert_snapshot!(lines(chart.to_inline_svg().as_str()));
}

#[test]
fn interval_chart() {
    let chart = IntervalChart::new("Accuracy")
        .row("few shots & more", 2, 0.71, 0.68, 0.74)
        .row("naive", 0, 0.64, 0.61, 0.67)
        .row("none", 1, f64::NAN, f64::NAN, f64::NAN)
        .reference_x(0.7, "target")
        .size(360, 160);
    assert_snapshot!(lines(chart.to_inline_svg().as_str()));
}

#[test]
fn page() {
    let mut table = Table::new([Column::new("run"), Column::new("loss")]);
    table.row(["<17>".into(), 1.88.into()]).unwrap();
    let page = Page::new("Run 17")
        .lead("What it reached.")
        .section(Section::new("Figures").figures([("loss", "1.88")]).table(&table).notice(Notice::Problem, "Seeds differ."))
        .section(Section::new("Output").text("One.\n\nTwo.").list(["a & b"]).code("$ train\n"))
        .provenance([("command", "train --steps 3"), ("date", "2026-11-25")]);
    let html = page.to_html();
    let (before, rest) = html.split_once("<style>").unwrap();
    let (_, after) = rest.split_once("</style>").unwrap();
    // The style sheet is a file of its own; its hash changes with it.
    let before = before.split("style-src &#39;sha256-").enumerate().map(|(place, part)| if place == 0 { part } else { &part[44..] });
    assert_snapshot!(lines(&(before.collect::<Vec<_>>().join("style-src &#39;sha256-…") + after)));
}
