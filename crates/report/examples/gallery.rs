//! Writes a page with every kind of chart, table and component: `cargo run -p jarre-report --example gallery [FILE]`.

use std::{error::Error, fs, path::PathBuf};

use jarre_report::{
    BarChart, Bars, Cell, Chart, ColorScale, Column, HeatMap, Histogram, IntervalChart, LineChart, Notice, NumberFormat, Page, Scale,
    ScatterChart, Section, Series, Table, TokenHeatmaps,
};

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("gallery.html"), PathBuf::from);
    fs::write(file, page()?.to_html())?;
    Ok(())
}

fn page() -> Result<Page, Box<dyn Error>> {
    Ok(Page::new("Gallery")
        .lead("Every kind of chart, table and component on one page, drawn from made-up numbers.")
        .section(
            Section::new("Key figures")
                .figures([("validation loss", "1.88"), ("perplexity", "6.55"), ("tokens a second", "18.4k"), ("parameters", "10.7M")])
                .notice(Notice::Info, "The numbers are made up; what is shown is how they look.")
                .notice(Notice::Warning, "The two runs used different batch sizes.")
                .notice(Notice::Problem, "Not comparable: tokenizer, seed."),
        )
        .section(Section::new("Lines").chart(&training()).charts([&gaps() as &dyn Chart, &many_series()]))
        .section(Section::new("Points").chart(&scaling()).charts([&cloud() as &dyn Chart, &million()]))
        .section(Section::new("Bars").chart(&recall()).charts([&long_names() as &dyn Chart, &losses()]))
        .section(Section::new("Intervals").charts([&intervals() as &dyn Chart, &quality_against_cost()]))
        .section(Section::new("Distributions").charts([&scores() as &dyn Chart, &lengths()]))
        .section(Section::new("Matrices").charts([&confusion() as &dyn Chart, &correlation(), &surface()]))
        .section(Section::new("Tables").table(&table()?).subheading("The same for a terminal").code(&table()?.to_plain_text()))
        .section(Section::new("Attention").text("Choose a head; point at a token or a cell.").token_heatmaps(&attention()?))
        .section(Section::new("Nothing to see").charts([
            &LineChart::new("No points").x_label("step").size(460, 240) as &dyn Chart,
            &LineChart::new("One point").series(Series::new("one", [(3.0, 4.0)])).size(460, 240),
            &BarChart::new("No categories", [""; 0]).size(460, 240),
            &HeatMap::new("No cells", []).size(460, 240),
        ]))
        .provenance([
            ("command", "cargo run -p jarre-report --example gallery"),
            ("crate", env!("CARGO_PKG_VERSION")),
            ("seed", "none: 0"),
        ]))
}

/// Numbers between -1 and 1 that look random and are the same everywhere.
fn noise(place: u32) -> f64 {
    let mixed = place.wrapping_mul(0x9e37_79b9) ^ place.wrapping_mul(0x85eb_ca6b).rotate_left(13);
    f64::from(mixed.wrapping_mul(0xc2b2_ae35) >> 8) / f64::from(1_u32 << 23) - 1.0
}

fn training() -> LineChart {
    let loss = |step: u32| 1.6 + 2.6 / (1.0 + f64::from(step) / 180.0).powf(0.9);
    let train = Series::new("training", (0..5000).map(|step| (f64::from(step), loss(step) - 0.05 + 0.08 * noise(step))));
    let checks = || (0..=10).map(|check| check * 500).map(|step| (f64::from(step), loss(step) + f64::from(step) * 1.6e-5));
    let validation = Series::new("validation", checks()).band(checks().map(|(step, loss)| (step, loss - 0.06, loss + 0.06)));
    LineChart::new("Loss")
        .series(train)
        .series(validation)
        .reference_y(1.88, "target 1.88")
        .reference_x(200.0, "warm-up ends")
        .x_label("step")
        .y_label("nats a token")
}

fn gaps() -> LineChart {
    let broken =
        (0..60).map(|step| (f64::from(step), if (20..28).contains(&step) { f64::NAN } else { 10_f64.powf(f64::from(step) / 15.0) }));
    let target = (0..60).map(|step| (f64::from(step), 3.0 * 10_f64.powf(f64::from(step) / 20.0)));
    LineChart::new("A gap, on a logarithmic axis")
        .series(Series::new("measured", broken))
        .series(Series::new("expected", target).dashed())
        .y_scale(Scale::Log)
        .x_label("minutes")
        .y_label("requests")
        .size(460, 320)
}

fn many_series() -> LineChart {
    let line = |index: u32| {
        Series::new(format!("head {index}"), (0..25).map(move |x| (f64::from(x), f64::from(index) + (f64::from(x) / 4.0).sin())))
    };
    (0..10).fold(LineChart::new("Ten series"), |chart, index| chart.series(line(index))).size(460, 320)
}

fn scaling() -> ScatterChart {
    let runs = (0..7).map(|size| {
        let parameters = 10_f64.powf(5.0 + 0.5 * f64::from(size));
        let loss = 17.0 * parameters.powf(-0.12) * (1.0 + 0.03 * noise(size));
        (parameters, loss, loss * 0.96, loss * 1.04)
    });
    let curve = (0..=60).map(|step| 10_f64.powf(4.9 + 0.055 * f64::from(step))).map(|size| (size, 17.0 * size.powf(-0.12)));
    let other = (0..7).map(|size| 10_f64.powf(5.1 + 0.5 * f64::from(size))).map(|size| (size, 21.0 * size.powf(-0.125)));
    ScatterChart::new("Loss against size")
        .series(Series::with_errors("with RoPE", runs))
        .curve(Series::new("fit: 17 N^-0.12", curve))
        .series(Series::new("learned positions", other))
        .x_scale(Scale::Log)
        .y_scale(Scale::Log)
        .x_label("parameters")
        .y_label("validation loss, nats a token")
}

fn cloud() -> ScatterChart {
    let points = |offset: u32| {
        (0..400).map(move |place| {
            (noise(place + offset) + noise(place + offset + 7000), noise(place + offset + 3000) + f64::from(offset) / 2500.0)
        })
    };
    ScatterChart::new("Two clouds").series(Series::new("kept", points(0))).series(Series::new("dropped", points(2000))).size(460, 320)
}

fn million() -> LineChart {
    let points = (0..1_000_000_u32).map(|place| (f64::from(place), (f64::from(place) / 90_000.0).sin() + 0.2 * noise(place)));
    LineChart::new("A million points").series(Series::new("signal", points)).x_label("sample").size(460, 320)
}

fn recall() -> BarChart {
    BarChart::new("Recall@5 by chunker", ["fixed", "recursive", "sentence", "semantic", "whole document"])
        .bars(Bars::with_errors(
            "dense",
            [(0.61, 0.58, 0.64), (0.68, 0.65, 0.71), (0.66, 0.63, 0.69), (0.7, 0.67, 0.73), (0.41, 0.38, 0.44)],
        ))
        .bars(Bars::with_errors(
            "hybrid",
            [(0.7, 0.67, 0.73), (0.77, 0.74, 0.8), (0.74, 0.71, 0.77), (0.76, 0.73, 0.79), (0.52, 0.49, 0.55)],
        ))
        .reference_y(0.65, "last release")
        .y_label("recall")
        .print_values()
}

fn long_names() -> BarChart {
    let names = [
        "questions about tables",
        "multi-hop",
        "negation",
        "names & <tags>",
        "a category with a name that is far too long to be shown",
        "dates",
    ];
    BarChart::new("Long names", names).bars(Bars::new("accuracy", [0.4, 0.55, 0.32, 0.71, 0.2, 0.64])).size(460, 320)
}

fn intervals() -> IntervalChart {
    IntervalChart::new("Accuracy")
        .row("eight examples", 2, 0.814, 0.775, 0.852)
        .row("step by step", 1, 0.75, 0.707, 0.793)
        .row("naive", 0, 0.645, 0.598, 0.692)
        .reference_x(0.7, "target")
        .size(460, 180)
}

fn quality_against_cost() -> ScatterChart {
    let point = |name, cost: f64, quality: f64| {
        Series::with_errors(name, [(cost, quality, quality - 0.03, quality + 0.03)]).x_errors([(cost * 0.9, cost * 1.1)])
    };
    ScatterChart::new("Accuracy against cost")
        .series(point("naive", 0.1, 0.645))
        .series(point("step by step", 0.19, 0.75))
        .series(point("eight examples", 0.24, 0.814))
        .x_label("$ a thousand items")
        .size(460, 320)
}

fn losses() -> BarChart {
    BarChart::new("Above and below zero", ["a", "b", "c", "d", "e"])
        .bars(Bars::new("change", [0.021, -0.013, 0.008, f64::NAN, -0.004]))
        .y_label("difference to baseline")
        .size(460, 320)
}

fn scores() -> Histogram {
    let bell = |offset: u32, middle: f64| {
        (0..2000).map(move |place| middle + noise(place + offset) + noise(place * 3 + offset) + noise(place * 7 + offset))
    };
    Histogram::new("Scores").values("answerable", bell(0, 1.0)).values("not answerable", bell(9000, -1.0)).x_label("score").size(460, 320)
}

fn lengths() -> Histogram {
    Histogram::new("Lengths")
        .values("documents", (0..5000).map(|place| (2.0 + noise(place)).powf(6.0) * 4.0))
        .x_label("tokens")
        .size(460, 320)
}

fn confusion() -> HeatMap {
    HeatMap::new("Confusion", [vec![212.0, 9.0, 3.0], vec![14.0, 188.0, 21.0], vec![2.0, 30.0, 171.0]])
        .row_labels(["negative", "neutral", "positive"])
        .column_labels(["negative", "neutral", "positive"])
        .x_label("predicted")
        .y_label("given")
        .print_values()
        .size(460, 340)
}

fn correlation() -> HeatMap {
    let names = ["BLEU", "ROUGE", "judge", "length", "human"];
    let cell = |row: u32, column: u32| if row == column { 1.0 } else { noise(row.min(column) * 5 + row.max(column) + 2) };
    HeatMap::new("Correlation", (0..5).map(|row| (0..5).map(|column| cell(row, column)).collect()))
        .row_labels(names)
        .column_labels(names)
        .scale(ColorScale::Diverging)
        .range(-1.0, 1.0)
        .print_values()
        .size(460, 340)
}

fn surface() -> HeatMap {
    let cell = |row: u32, column: u32| {
        let (x, y) = (f64::from(column) / 20.0 - 3.0, f64::from(row) / 20.0 - 3.0);
        if x.hypot(y) > 2.9 { f64::NAN } else { (x * x + y).cos() * (-(x * x + y * y) / 6.0).exp() }
    };
    HeatMap::from_row_major("A surface with nothing outside", (0..120 * 120).map(|place| cell(place / 120, place % 120)), 120)
        .size(460, 340)
}

fn table() -> Result<Table, jarre_report::Error> {
    let columns = [
        Column::new("system"),
        Column::new("nDCG@10").format(NumberFormat::Fixed(3)),
        Column::new("recall").format(NumberFormat::Percent(1)),
        Column::new("documents"),
        Column::new("ms a query"),
    ];
    let mut table = Table::new(columns).caption("Retrieval on 200 questions, with 95 % intervals");
    let estimate = |value, half| Cell::Estimate { value, low: value - half, high: value + half };
    table.row(["BM25".into(), estimate(0.427, 0.031), 0.61.into(), 12_034.into(), 1.8.into()])?;
    table.row(["dense <b>&amp;".into(), estimate(0.461, 0.03), 0.66.into(), 12_034.into(), 14.2.into()])?;
    table.row(["hybrid 名前 עברית".into(), estimate(0.51, 0.029), 0.742.into(), 12_034.into(), Cell::Missing])?;
    Ok(table)
}

/// Heads that look at the token before, at the first, at an earlier occurrence, evenly, and mixtures.
fn attention() -> Result<TokenHeatmaps, jarre_report::Error> {
    let text = "The cat sat on the mat because the cat was tired , said </script><b>\"the\"</b> עברית \n next . The cat";
    let tokens: Vec<String> = text.split(' ').map(|token| format!("{token} ")).collect();
    let count = tokens.len();
    let score = |kind: usize, row: usize, column: usize| match kind {
        0 => 6.0 * f64::from(u8::from(column + 1 == row)),
        1 => 5.0 * f64::from(u8::from(column == 0)),
        2 => 6.0 * f64::from(u8::from(column > 0 && tokens[column - 1] == tokens[row])),
        3 => 0.0,
        _ => 2.5 * noise((kind * 4096 + row * 64 + column) as u32) - 0.2 * (row - column) as f64,
    };
    let row = |kind: usize, row: usize| {
        let raw: Vec<f64> = (0..=row).map(|column| score(kind, row, column).exp()).collect();
        let sum: f64 = raw.iter().sum();
        raw.into_iter().map(move |weight| (weight / sum) as f32).chain(std::iter::repeat_n(0.0, count - row - 1)).collect::<Vec<f32>>()
    };
    let head = |kind: usize| (0..count).flat_map(|place| row(kind, place)).collect::<Vec<f32>>();
    let layers: Vec<Vec<Vec<f32>>> = (0..4).map(|layer| (0..8).map(|number| head((layer * 5 + number * 3) % 9)).collect()).collect();
    let before: Vec<f64> = layers
        .iter()
        .flatten()
        .map(|head| (1..count).map(|row| f64::from(head[row * count + row - 1])).sum::<f64>() / (count - 1) as f64)
        .collect();
    let first: Vec<f64> =
        layers.iter().flatten().map(|head| (0..count).map(|row| f64::from(head[row * count])).sum::<f64>() / count as f64).collect();
    TokenHeatmaps::new(tokens.clone(), &layers)?.figure("previous token", before)?.figure("first token", first)
}
