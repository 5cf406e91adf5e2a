//! The matrix of items by variants: an element for the script, with the data inside of it.

mod answers;
mod texts;

use std::collections::HashMap;

use jarre_report::{Html, Section, excerpt, visible};
use serde::Serialize;

use self::{answers::Answers, texts::Texts};
use super::{Direction, Item, Report};

/// Characters of an id.
const LONGEST_KEY: usize = 200;

/// What the script reads. Texts stand in one list, each once, and are referred to by their places in it; -1 is no text, and a column without
/// any entry is `null`.
#[derive(Serialize)]
struct Data<'a> {
    metrics: Vec<MetricData>,
    variants: Vec<Answers>,
    keys: Vec<String>,
    inputs: Vec<i64>,
    targets: Option<Vec<i64>>,
    clusters: Option<Vec<i64>>,
    strata: Option<Vec<i64>>,
    tags: Option<Vec<i64>>,
    texts: &'a [String],
}

#[derive(Serialize)]
struct MetricData {
    name: String,
    unit: String,
    lower: bool,
    mark: Option<f64>,
}

pub(super) fn section(report: &Report) -> Option<Section> {
    if report.items.is_empty() || report.variants.is_empty() {
        return None;
    }
    let html = format!(
        "<div class=\"matrix\"><noscript>The items are shown by a script, and scripts are switched off.</noscript>\
         <script type=\"application/json\">{}</script></div>",
        json(report)
    );
    Some(Section::new("Items").html(&Html::trusted(html)))
}

/// A name for each item, in addresses too: its id, and where an id stands twice, which one it is.
pub(super) fn keys(items: &[Item]) -> Vec<String> {
    let mut taken = HashMap::new();
    let mut key = |item: &Item| {
        let id = excerpt(&item.id, LONGEST_KEY);
        let count = taken.entry(id.clone()).and_modify(|count| *count += 1).or_insert(1_u32);
        if *count == 1 { id } else { format!("{id} ({count})") }
    };
    items.iter().map(&mut key).collect()
}

/// JSON that stands inside of a `script` element: neither `<`, `>` nor `&` is left in it, nor a character that cannot be seen.
fn json(report: &Report) -> String {
    let mut texts = Texts::for_all_of(report);
    let variants = report.variants.iter().enumerate();
    let variants = variants.map(|(place, variant)| Answers::of(report, place, visible(&variant.name), &mut texts)).collect();
    let items = &report.items;
    let mut optional = |text: fn(&Item) -> Option<String>| column(items.iter().map(|item| texts.optional(text(item).as_deref())).collect());
    let (targets, clusters) = (optional(|item| item.target.clone()), optional(|item| item.cluster.clone()));
    let (strata, tags) =
        (optional(|item| item.stratum.clone()), optional(|item| Some(item.tags.join(", ")).filter(|tags| !tags.is_empty())));
    let inputs = items.iter().map(|item| texts.place(&item.input)).collect();
    let metrics = report.metrics.iter().map(|metric| MetricData {
        name: visible(&metric.name),
        unit: visible(&metric.unit),
        lower: metric.direction == Direction::LowerIsBetter,
        mark: metric.pass_mark,
    });
    let metrics = metrics.collect();
    let data = Data { metrics, variants, keys: keys(items), inputs, targets, clusters, strata, tags, texts: texts.all() };
    let json = serde_json::to_string(&data).expect("the data has string keys and no type of a user's own");
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// A column, unless there is nothing in it.
fn column(places: Vec<i64>) -> Option<Vec<i64>> {
    places.iter().any(|place| *place >= 0).then_some(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_stand_twice_have_keys_of_their_own() {
        let item = |id: &str| Item { id: id.to_owned(), ..Item::default() };
        assert_eq!(keys(&[item("a"), item("b"), item("a"), item("a")]), ["a", "b", "a (2)", "a (3)"]);
    }
}
