//! Each metric's intervals from the best variant down, under the sentence that says what they tell.

use jarre_report::{Chart, IntervalChart, Section, visible};

use super::{Comparison, Direction, Metric, Report, Summary};

/// Metrics that get a chart.
const CHARTS: usize = 12;

pub(super) fn section(report: &Report) -> Option<Section> {
    let shown: Vec<&Metric> = report.metrics.iter().take(CHARTS).filter(|metric| !summaries(report, metric).is_empty()).collect();
    if shown.is_empty() {
        return None;
    }
    let level = jarre_report::NumberFormat::Short.write(report.confidence * 100.0);
    let section = Section::new("Intervals").text(&format!(
        "Means with their {level} % intervals, the best first. Whether two variants differ is told by the interval of their paired difference, not by these overlapping or not."
    ));
    let sentences = shown.iter().map(|metric| sentence(&visible(&metric.name), &compared(report, &metric.name)));
    let charts: Vec<IntervalChart> = shown.iter().map(|metric| chart(report, metric)).collect();
    Some(section.list(sentences).charts(charts.iter().map(|chart| chart as &dyn Chart)))
}

/// Variants that the metric has a summary of, with their places among all, the best first and those without a mean last.
fn summaries<'a>(report: &'a Report, metric: &Metric) -> Vec<(usize, &'a str, &'a Summary)> {
    let all = report.variants.iter().enumerate();
    let mut found: Vec<(usize, &str, &Summary)> =
        all.filter_map(|(place, variant)| Some((place, variant.name.as_str(), variant.summary(&metric.name)?))).collect();
    let worth = |summary: &Summary| {
        let worth = metric.worth(summary.estimate.value);
        if worth.is_nan() { f64::NEG_INFINITY } else { worth }
    };
    found.sort_by(|a, b| worth(b.2).total_cmp(&worth(a.2)));
    found
}

fn chart(report: &Report, metric: &Metric) -> IntervalChart {
    let rows = summaries(report, metric);
    let height = 70 + 26 * u32::try_from(rows.len().min(60)).unwrap_or(60);
    let chart = IntervalChart::new(metric.label()).size(460, height);
    let chart = if metric.direction == Direction::LowerIsBetter { chart.x_label("lower is better") } else { chart };
    rows.into_iter().fold(chart, |chart, (place, name, summary)| {
        let estimate = summary.estimate;
        chart.row(visible(name), place, estimate.value, estimate.low, estimate.high)
    })
}

fn compared<'a>(report: &'a Report, metric: &str) -> Vec<&'a Comparison> {
    report.comparisons.iter().filter(|compared| compared.metric == metric).collect()
}

/// What the paired differences on a metric say together.
fn sentence(metric: &str, compared: &[&Comparison]) -> String {
    let apart: Vec<&&Comparison> = compared.iter().filter(|compared| !compared.difference.includes_zero()).collect();
    match (compared.len(), apart.len()) {
        (0, _) => format!("{metric}: no variants were compared in pairs, so nothing is said of their differences."),
        (1, 0) => format!("{metric}: the interval of the paired difference includes zero; the two variants are not told apart."),
        (_, 0) => format!("{metric}: all pairwise intervals include zero; no two of the variants compared are told apart."),
        (all, count) if all == count && all > 1 => {
            format!("{metric}: no pairwise interval includes zero; all variants compared are told apart.")
        }
        (all, count) => {
            let names =
                apart.iter().take(6).map(|compared| format!("{} from {}", visible(&compared.candidate), visible(&compared.baseline)));
            let names = names.collect::<Vec<_>>().join(", ");
            let more = if count > 6 { format!(" and {} more", count - 6) } else { String::new() };
            format!("{metric}: {} of {all} pairwise intervals include zero; told apart: {names}{more}.", all - count)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Estimate, Variant};

    fn comparison(candidate: &str, low: f64, high: f64) -> Comparison {
        let difference = Estimate { value: f64::midpoint(low, high), low, high };
        Comparison { baseline: "A".to_owned(), candidate: candidate.to_owned(), difference, ..Comparison::default() }
    }

    #[test]
    fn the_sentence_says_what_is_told_apart() {
        let (same, better, worse) = (comparison("B", -0.1, 0.1), comparison("C", 0.1, 0.2), comparison("D", -0.3, -0.1));
        assert!(sentence("m", &[&same, &same]).starts_with("m: all pairwise intervals include zero"));
        assert_eq!(sentence("m", &[&same, &better]), "m: 1 of 2 pairwise intervals include zero; told apart: C from A.");
        assert!(sentence("m", &[&better, &worse]).starts_with("m: no pairwise interval includes zero"));
        assert_eq!(sentence("m", &[&better]), "m: 0 of 1 pairwise intervals include zero; told apart: C from A.");
        assert!(sentence("m", &[]).contains("no variants were compared"));
        assert!(sentence("m", &[&comparison("E", f64::NAN, f64::NAN)]).contains("includes zero"));
    }

    #[test]
    fn the_best_comes_first_and_what_has_no_mean_last() {
        let variant = |name: &str, value| {
            let summaries = vec![Summary { metric: "m".to_owned(), estimate: Estimate::exact(value), ..Summary::default() }];
            Variant { name: name.to_owned(), summaries, ..Variant::default() }
        };
        let mut report = Report::new("");
        report.variants = vec![variant("a", 0.2), variant("b", f64::NAN), variant("c", 0.9), Variant::default()];
        let order = |metric: &Metric| summaries(&report, metric).iter().map(|row| row.1.to_owned()).collect::<Vec<_>>();
        assert_eq!(order(&Metric::new("m")), ["c", "a", "b"]);
        assert_eq!(order(&Metric::new("m").lower_is_better()), ["a", "c", "b"]);
    }
}
