//! The items that most variants fail.

use jarre_report::{Html, Section, excerpt, visible};

use super::{
    Item, Metric, Report,
    data::keys,
    html::{element, item_link, leaf},
    item::distinct,
    standing::Standing,
};

/// Items shown.
const SHOWN: usize = 20;
/// Characters of a text in the table.
const EXCERPT: usize = 160;

pub(super) fn section(report: &Report) -> Option<Section> {
    let metric = report.metrics.iter().find(|metric| metric.pass_mark.is_some())?;
    let (ranked, keys) = (ranked(report, metric), keys(&report.items));
    if ranked.is_empty() {
        return None;
    }
    let all = ranked.len();
    let text = format!("Items that at least one variant fails by {}: {all}. Those that most variants fail come first.", metric.label());
    let headings = ["item", "failed by", "input", "target"].into_iter().chain(report.variants.iter().map(|variant| variant.name.as_str()));
    let head = element("tr", "", headings.map(|heading| leaf("th", "left", heading)));
    let rows = ranked.iter().take(SHOWN).map(|(place, failed)| row(report, metric, &keys[*place], &report.items[*place], *failed));
    let table = element("table", "failures", [element("thead", "", [head]), element("tbody", "", rows)]);
    Some(Section::new("Top failures").text(&text).html(&element("div", "scroll", [table])))
}

/// The places of items that at least one variant fails, with how many do: most first, then the lowest figures, then as they came.
fn ranked(report: &Report, metric: &Metric) -> Vec<(usize, usize)> {
    let failing = |(place, item): (usize, &Item)| {
        let standings = (0..report.variants.len()).map(|variant| Standing::of(item.answers_of(variant), metric));
        let (mut failed, mut worth) = (0, 0.0);
        for standing in standings {
            if let Standing::Scored { value, passes } = standing {
                failed += usize::from(passes == Some(false));
                worth += metric.worth(value);
            }
        }
        (place, failed, worth)
    };
    let mut found: Vec<(usize, usize, f64)> = report.items.iter().enumerate().map(failing).filter(|found| found.1 > 0).collect();
    found.sort_by(|a, b| b.1.cmp(&a.1).then(a.2.total_cmp(&b.2)));
    found.into_iter().map(|(place, failed, _)| (place, failed)).collect()
}

fn row(report: &Report, metric: &Metric, key: &str, item: &Item, failed: usize) -> Html {
    let cell = |text: &str| element("td", "left", [leaf("bdi", "", &excerpt(text, EXCERPT))]);
    let link = element("td", "left", [item_link(&visible(&metric.name), key)]);
    let asked = [
        link,
        leaf("td", "left", &format!("{failed} of {}", report.variants.len())),
        cell(&item.input),
        cell(item.target.as_deref().unwrap_or("–")),
    ];
    let answered = (0..report.variants.len()).map(|variant| cell(&answered(item, metric, variant)));
    element("tr", "", asked.into_iter().chain(answered))
}

/// The answer of a variant in short, with a sign of how it was judged.
fn answered(item: &Item, metric: &Metric, variant: usize) -> String {
    let answers = item.answers_of(variant);
    let sign = match Standing::of(answers, metric) {
        Standing::Absent => return "–".to_owned(),
        Standing::Failed => "! ",
        Standing::Unscored => "? ",
        Standing::Scored { passes: Some(false), .. } => "✗ ",
        Standing::Scored { passes: Some(true), .. } => "✓ ",
        Standing::Scored { passes: None, .. } => "",
    };
    let first = answers.iter().find(|answer| answer.error.is_none());
    let given =
        first.map_or_else(|| answers[0].error.clone().unwrap_or_default(), |answer| answer.given().chars().take(8 * EXCERPT).collect());
    let others = match distinct(answers) {
        0 | 1 => String::new(),
        count => format!(" ({count} different answers in {})", answers.len()),
    };
    format!("{sign}{given}{others}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Outcome, Score,
        page::{Answer, Variant},
    };

    fn item(id: &str, values: &[f64]) -> Item {
        let answer = |value: &f64| Answer {
            output: format!("answer {value}"),
            scores: vec![Score { scorer: "m".to_owned(), version: String::new(), outcome: Outcome::of(*value), explanation: None }],
            ..Answer::default()
        };
        Item { id: id.to_owned(), answers: values.iter().map(|value| vec![answer(value)]).collect(), ..Item::default() }
    }

    #[test]
    fn what_most_variants_fail_comes_first() {
        let mut report = Report::new("");
        report.metrics = vec![Metric::new("m").with_pass_mark(0.5)];
        report.variants = vec![Variant::default(), Variant::default()];
        report.items = vec![item("passed", &[1.0, 1.0]), item("half", &[0.0, 1.0]), item("both", &[0.4, 0.4]), item("worst", &[0.1, 0.1])];
        report.items.push(item("unscored", &[f64::NAN, f64::NAN]));
        let found: Vec<(&str, usize)> =
            ranked(&report, &report.metrics[0]).iter().map(|(place, failed)| (report.items[*place].id.as_str(), *failed)).collect();
        assert_eq!(found, [("worst", 2), ("both", 2), ("half", 1)]);
        assert_eq!(answered(&report.items[1], &report.metrics[0], 0), "✗ answer 0");
        assert_eq!(answered(&report.items[1], &report.metrics[0], 7), "–");
    }
}
