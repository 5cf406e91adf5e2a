//! Whatever numbers and texts come in: an XML document comes out, with the texts in it as texts, and nothing that is not a number.

#![expect(clippy::unwrap_used, reason = "tests")]

use jarre_report::{BarChart, Bars, ColorScale, HeatMap, Histogram, IntervalChart, LineChart, Scale, ScatterChart, Series};
use proptest::prelude::*;
use roxmltree::{Document, Node};

const HOSTILE: &str = "]]></title><script>alert(1)</script>&lt;\"'\u{0}\u{8}\u{b}\u{1b}[2J\u{7f}\u{85}\u{fffe}\u{ffff}\u{202e}\u{10ffff}";

/// Parses, and checks what every chart promises.
fn check(svg: &str) -> Document<'_> {
    let document = Document::parse(svg).unwrap_or_else(|error| panic!("{error} in {svg}"));
    let root = document.root_element();
    assert_eq!((root.attribute("role"), root.tag_name().name()), (Some("img"), "svg"));
    let named: Vec<&str> = root.children().filter(Node::is_element).take(2).map(|child| child.tag_name().name()).collect();
    assert_eq!(named, ["title", "desc"]);
    for node in document.descendants().filter(Node::is_element) {
        let name = node.tag_name().name();
        assert!(["svg", "title", "desc", "style", "rect", "text", "g", "path", "circle"].contains(&name), "{name} in {svg}");
        for attribute in node.attributes() {
            let value = attribute.value();
            let geometry = ["x", "y", "d", "width", "height", "cx", "cy", "transform", "viewBox"].contains(&attribute.name());
            assert!(
                !geometry || !(value.contains("NaN") || value.contains("inf") || value.contains('e') && attribute.name() != "transform"),
                "{value}"
            );
            assert!(!attribute.name().starts_with("on") && !attribute.name().contains("href"));
        }
        for size in ["width", "height"].iter().filter_map(|name| node.attribute(*name)).filter(|size| *size != "100%") {
            assert!(size.parse::<f64>().unwrap() >= 0.0, "a size of {size}");
        }
    }
    document
}

fn texts(document: &Document<'_>) -> Vec<String> {
    let told = document.descendants().filter(|node| ["text", "title", "desc"].contains(&node.tag_name().name()));
    told.filter_map(|node| node.text()).map(str::to_owned).collect()
}

fn scale(log: bool) -> Scale {
    if log { Scale::Log } else { Scale::Linear }
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    let special = [0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, 1.0, 1e-300];
    prop::collection::vec(prop_oneof![any::<f64>(), prop::sample::select(special.to_vec()), -10.0..10.0_f64], 0..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn points(a in values(), b in values(), log_x in any::<bool>(), log_y in any::<bool>(), text in any::<String>(), width in any::<u32>()) {
        let pairs = || a.iter().copied().zip(b.iter().copied());
        let errors = || pairs().map(|(x, y)| (x, y, y - x, x));
        let series = Series::with_errors(text.clone(), errors()).x_errors(pairs()).band(pairs().map(|(x, y)| (x, y, x)));
        let line = LineChart::new(text.clone())
            .series(series.clone())
            .series(Series::new("second", pairs()).dashed())
            .reference_x(a.first().copied().unwrap_or(1.0), text.clone())
            .reference_y(b.first().copied().unwrap_or(1.0), text.clone())
            .x_scale(scale(log_x))
            .y_scale(scale(log_y))
            .x_label(text.clone())
            .y_label(text.clone())
            .description(text.clone())
            .size(width, width);
        check(&line.to_svg());
        let scatter = ScatterChart::new(text).series(series.clone()).curve(series).x_scale(scale(log_x)).y_scale(scale(log_y));
        check(&scatter.y_range(a.first().copied().unwrap_or(1.0), b.first().copied().unwrap_or(1.0)).to_svg());
    }

    #[test]
    fn intervals(a in values(), b in values(), color in any::<usize>(), text in any::<String>()) {
        let rows = a.iter().zip(&b).fold(IntervalChart::new(text.clone()), |chart, (value, bound)| {
            chart.row(text.clone(), color, *value, *bound, value - bound)
        });
        let reference = b.first().copied().unwrap_or(1.0);
        check(&rows.reference_x(reference, text).x_range(reference, 1.0).to_svg());
    }

    #[test]
    fn bars(a in values(), b in values(), text in any::<String>(), names in prop::collection::vec(any::<String>(), 0..12)) {
        let bars = Bars::with_errors(text.clone(), a.iter().zip(&b).map(|(value, bound)| (*value, *bound, value - bound)));
        check(&BarChart::new(text.clone(), names).bars(Bars::new("", b.clone())).bars(bars).print_values().reference_y(1.0, text).to_svg());
    }

    #[test]
    fn matrices(cells in values(), columns in 0..9_usize, text in any::<String>(), labels in prop::collection::vec(any::<String>(), 0..12)) {
        let map = HeatMap::from_row_major(text, cells, columns).row_labels(labels.clone()).column_labels(labels).print_values();
        check(&map.to_svg());
        check(&map.clone().scale(ColorScale::Diverging).to_svg());
        check(&map.range(f64::NAN, 1.0).to_svg());
    }

    #[test]
    fn distributions(a in values(), b in values(), bins in 0..200_usize, text in any::<String>()) {
        check(&Histogram::new(text.clone()).values(text.clone(), a.clone()).values(text.clone(), b).as_shares().to_svg());
        check(&Histogram::new("").values(text, a).bins(bins).to_svg());
    }
}

#[test]
fn hostile_text_stays_text() {
    let shown =
        HOSTILE.replace(['\u{0}', '\u{8}', '\u{b}', '\u{1b}', '\u{7f}', '\u{85}', '\u{fffe}', '\u{ffff}', '\u{10ffff}'], "\u{fffd}");
    let charts = [
        LineChart::new(HOSTILE)
            .series(Series::new(HOSTILE, [(1.0, 1.0)]))
            .series(Series::new(HOSTILE, []))
            .reference_x(1.0, HOSTILE)
            .to_svg(),
        BarChart::new(HOSTILE, [HOSTILE]).bars(Bars::new(HOSTILE, [1.0])).x_label(HOSTILE).to_svg(),
        HeatMap::new(HOSTILE, [vec![1.0]]).row_labels([HOSTILE]).column_labels([HOSTILE]).to_svg(),
        Histogram::new(HOSTILE).values(HOSTILE, [1.0]).description(HOSTILE).to_svg(),
    ];
    for svg in charts {
        let document = check(&svg);
        assert!(texts(&document).contains(&shown), "{svg}");
    }
}

#[test]
fn a_million_points_make_a_small_file() {
    let wave = |place: u32| (f64::from(place), (f64::from(place) / 1e4).sin());
    let line = LineChart::new("").series(Series::new("", (0..1_000_000).map(wave)));
    let scatter = ScatterChart::new("").series(Series::new("", (0..1_000_000).map(wave)));
    let gaps = LineChart::new("")
        .series(Series::new("", (0..1_000_000).map(|place| (f64::from(place), if place % 2 == 0 { f64::NAN } else { 1.0 }))));
    let band = Series::new("", []).band((0..1_000_000).map(|place| (f64::from(place), -1.0, f64::from(place % 7))));
    let map = HeatMap::from_row_major("", (0..1_000_000).map(|place| f64::from(place).sin()), 1000);
    let bars = BarChart::new("", vec!["name"; 100_000]).bars(Bars::new("", (0..100_000).map(f64::from)));
    let charts = [
        (line.to_svg(), 100_000),
        (scatter.to_svg(), 400_000),
        (gaps.to_svg(), 160_000),
        (LineChart::new("").series(band).to_svg(), 60_000),
        (map.to_svg(), 1_500_000),
        (bars.to_svg(), 60_000),
    ];
    for (place, (svg, most)) in charts.iter().enumerate() {
        assert!(svg.len() < *most, "chart {place}: {} bytes", svg.len());
        check(svg);
    }
}

#[test]
fn what_is_left_out_is_counted() {
    let points = [(1.0, 1.0), (2.0, f64::NAN), (3.0, -1.0), (4.0, f64::INFINITY)];
    let svg = LineChart::new("").series(Series::new("loss", points)).y_scale(Scale::Log).to_svg();
    assert!(svg.contains("loss: 1 point, first 1, last 1, least 1, greatest 1; 3 without a place on the axes left out."), "{svg}");
    let svg = HeatMap::new("", [vec![1.0, f64::NAN], vec![3.0]]).to_svg();
    assert!(svg.contains("Least at 1, 1: 1; greatest at 2, 1: 3. 2 cells have no value."), "{svg}");
}

#[test]
fn a_gap_breaks_the_line() {
    let lines = |points: Vec<(f64, f64)>| {
        let svg = LineChart::new("").series(Series::new("", points)).to_svg();
        let document = Document::parse(&svg).unwrap();
        let line = document.descendants().find(|node| node.attribute("stroke-width") == Some("1.8")).unwrap();
        line.attribute("d").unwrap().matches('M').count()
    };
    assert_eq!(lines((0..10).map(|x| (f64::from(x), 1.0)).collect()), 1);
    assert_eq!(lines((0..10).map(|x| (f64::from(x), if x == 5 { f64::NAN } else { 1.0 })).collect()), 2);
}

#[test]
fn points_stand_where_the_axes_say() {
    let svg = ScatterChart::new("").series(Series::new("", [(0.0, 0.0), (10.0, 100.0)])).x_range(0.0, 10.0).y_range(0.0, 100.0).to_svg();
    let document = check(&svg);
    let plot = document.descendants().filter(|node| node.tag_name().name() == "svg").nth(1).unwrap();
    let size = |name| plot.attribute(name).unwrap().parse::<f64>().unwrap() - 10.0;
    let discs: Vec<(f64, f64)> = document
        .descendants()
        .filter(|node| node.tag_name().name() == "circle")
        .map(|node| (node.attribute("cx").unwrap().parse().unwrap(), node.attribute("cy").unwrap().parse().unwrap()))
        .collect();
    assert_eq!(discs.len(), 2);
    assert!(discs[0].0.abs() < 0.11 && (discs[0].1 - size("height")).abs() < 0.11, "bottom left: {discs:?}");
    assert!((discs[1].0 - size("width")).abs() < 0.11 && discs[1].1.abs() < 0.11, "top right: {discs:?}");
}

#[test]
fn bars_are_as_long_as_their_values() {
    let svg = BarChart::new("", ["a", "b", "c"]).bars(Bars::new("", [1.0, 2.0, -2.0])).to_svg();
    let document = check(&svg);
    let heights: Vec<f64> = document
        .descendants()
        .filter(|node| node.tag_name().name() == "rect" && node.first_element_child().is_some())
        .map(|node| node.attribute("height").unwrap().parse().unwrap())
        .collect();
    assert!((heights[1] - 2.0 * heights[0]).abs() < 0.2 && (heights[1] - heights[2]).abs() < 0.2, "{heights:?}");
}

#[test]
fn legends_lie_above_the_data() {
    let many = (0..40)
        .fold(LineChart::new("title"), |chart, index| chart.series(Series::new(format!("series {index}"), [(0.0, 1.0), (1.0, 2.0)])));
    let svg = many.to_svg();
    let document = check(&svg);
    let plot = document.descendants().filter(|node| node.tag_name().name() == "svg").nth(1).unwrap();
    let top: f64 = plot.attribute("y").unwrap().parse().unwrap();
    let names = document
        .descendants()
        .filter(|node| node.tag_name().name() == "text" && node.text().is_some_and(|text| text.starts_with("series ")));
    let lowest = names.map(|node| node.attribute("y").unwrap().parse::<f64>().unwrap()).fold(0.0, f64::max);
    assert!(lowest > 0.0 && lowest < top, "{lowest} under {top}");
    assert!(svg.contains("and 10 more") || svg.contains(" more</text>"));
}

#[test]
fn the_same_chart_gives_the_same_bytes() {
    let chart = || {
        let points = (0..50_000).map(|place| (f64::from(place * 7919 % 50_000), f64::from(place).sqrt()));
        ScatterChart::new("").series(Series::new("", points)).to_svg()
    };
    assert_eq!(chart(), chart());
}
