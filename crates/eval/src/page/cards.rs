//! What is known at a glance: notices, the verdicts, and a card for each variant.

use jarre_report::{Html, Section, visible};

use super::{
    Direction, Metric, Notice, Report, Summary, Variant,
    differences::verdict,
    html::{element, leaf, swatch},
};

pub(super) fn section(report: &Report) -> Section {
    let section = report.notices.iter().fold(Section::new("Summary"), |section, notice| with_notice(section, report, notice));
    if report.variants.is_empty() {
        return section.text("There is no variant to report on.");
    }
    let first = report.metrics.first().map_or("", |metric| metric.name.as_str());
    let decisive = report.comparisons.iter().filter(|compared| compared.metric == first);
    let verdicts: Vec<String> = decisive.filter_map(verdict).collect();
    let section = if verdicts.is_empty() { section } else { section.list(verdicts) };
    let cards = report.variants.iter().enumerate().map(|(place, variant)| card(report, place, variant));
    section.html(&element("div", "cards", cards))
}

fn with_notice(section: Section, report: &Report, notice: &Notice) -> Section {
    let section = section.notice(notice.level.into(), &visible(&notice.text));
    if notice.differences.is_empty() {
        return section;
    }
    let names = report.variants.iter().map(|variant| leaf("th", "left", &variant.name));
    let head = element("tr", "", [leaf("th", "left", "differs")].into_iter().chain(names));
    let rows = notice.differences.iter().map(|difference| {
        let value = |place: usize| leaf("td", "left", difference.values.get(place).map_or("–", String::as_str));
        element("tr", "", [leaf("td", "left", &difference.field)].into_iter().chain((0..report.variants.len()).map(value)))
    });
    let table = element("table", "", [element("thead", "", [head]), element("tbody", "", rows)]);
    section.html(&element("div", "scroll", [table]))
}

fn card(report: &Report, place: usize, variant: &Variant) -> Html {
    let name = element("h3", "", [swatch(place), leaf("bdi", "", &variant.name)]);
    let about = [&variant.model, &variant.method, &variant.prompt, &variant.run];
    let about: Vec<Html> = about.into_iter().filter(|text| !text.is_empty()).map(|text| leaf("span", "", text)).collect();
    let figures = report.metrics.iter().filter_map(|metric| Some(figure(report, place, metric, variant.summary(&metric.name)?)));
    element("div", "card", [name, element("p", "about", about), element("dl", "", figures)])
}

fn figure(report: &Report, place: usize, metric: &Metric, summary: &Summary) -> Html {
    let estimate = summary.estimate;
    let write = |value| estimate.format().write(value);
    let interval = format!("{} to {}", write(estimate.low), write(estimate.high));
    let better = if metric.direction == Direction::LowerIsBetter { " (lower is better)" } else { "" };
    element(
        "div",
        "",
        [
            leaf("dt", "", &format!("{}{better}", metric.label())),
            element("dd", "", [leaf("strong", "", &write(estimate.value)), leaf("span", "", &interval)]),
            whisker(report, place, metric, summary),
            leaf("dd", "counts", &counts(summary)),
        ],
    )
}

fn counts(summary: &Summary) -> String {
    let further = [(summary.unscored, "unscored"), (summary.errors, "failed")].into_iter().filter(|(count, _)| *count > 0);
    let words = [(summary.n, "items")].into_iter().chain(further).map(|(count, name)| format!("{count} {name}"));
    words.collect::<Vec<_>>().join(", ")
}

/// The interval drawn on a scale that the cards of all variants share.
fn whisker(report: &Report, place: usize, metric: &Metric, summary: &Summary) -> Html {
    let all = report.variants.iter().filter_map(|variant| variant.summary(&metric.name)).flat_map(|other| {
        let estimate = other.estimate;
        [estimate.value, estimate.low, estimate.high]
    });
    let (least, most) =
        all.filter(|value| value.is_finite()).fold((f64::MAX, f64::MIN), |(least, most), value| (least.min(value), most.max(value)));
    let at = |value: f64| {
        let share = if most > least { (value / 2.0 - least / 2.0) / (most / 2.0 - least / 2.0) } else { 0.5 };
        (4.0 + 192.0 * share.clamp(0.0, 1.0)).round()
    };
    let estimate = summary.estimate;
    if ![estimate.value, estimate.low, estimate.high].into_iter().all(f64::is_finite) {
        return Html::default();
    }
    let (low, high, value, color) = (at(estimate.low), at(estimate.high), at(estimate.value), place % 8);
    Html::trusted(format!(
        "<dd><svg class=\"chart whisker\" viewBox=\"0 0 200 12\" aria-hidden=\"true\"><path class=\"grid\" d=\"M0 6h200\" stroke=\"currentColor\"/>\
         <g class=\"s{color}\"><path d=\"M{low} 6H{high}M{low} 2v8M{high} 2v8\" stroke=\"currentColor\" stroke-width=\"2\"/>\
         <circle cx=\"{value}\" cy=\"6\" r=\"4\" fill=\"currentColor\"/></g></svg></dd>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::Estimate;

    fn report(values: &[(f64, f64, f64)]) -> Report {
        let mut report = Report::new("");
        report.metrics = vec![Metric::new("m")];
        report.variants = values
            .iter()
            .map(|(value, low, high)| {
                let estimate = Estimate { value: *value, low: *low, high: *high };
                let summaries = vec![Summary { metric: "m".to_owned(), estimate, ..Summary::default() }];
                Variant { summaries, ..Variant::default() }
            })
            .collect();
        report
    }

    fn drawn(report: &Report, place: usize) -> String {
        whisker(report, place, &report.metrics[0], &report.variants[place].summaries[0]).into()
    }

    #[test]
    fn cards_share_a_scale() {
        let report = report(&[(0.5, 0.0, 0.75), (0.75, 0.5, 1.0), (f64::NAN, 0.0, 1.0)]);
        assert!(drawn(&report, 0).contains("M4 6H148M4 2v8M148 2v8"), "{}", drawn(&report, 0));
        assert!(drawn(&report, 1).contains("M100 6H196") && drawn(&report, 1).contains("cx=\"148\""));
        assert_eq!(drawn(&report, 2), "");
    }

    #[test]
    fn figures_at_the_ends_of_what_numbers_can_be_have_a_place() {
        let report = report(&[(0.0, f64::MIN, f64::MAX), (3.0, 3.0, 3.0)]);
        assert!(drawn(&report, 0).contains("M4 6H196"));
    }
}
