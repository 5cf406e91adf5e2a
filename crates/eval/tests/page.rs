//! The report as a browser's parser sees it.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use jarre_core::{Cost, Usage};
use jarre_eval::{
    Outcome, Score,
    page::{
        Answer, Comparison, Difference, Estimate, Figure, Item, Judge, Level, Metric, Multiplicity, Notice, Report, Slice, Summary, System,
        Variant,
    },
};
use proptest::prelude::*;
use scraper::{Html, Selector};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const HOSTILE: &str = "</p></script></style></title><script>alert(1)</script><!--<img src=x onerror=alert(1)>]]>\"' &lt; &#60; \
                       javascript:alert(1) \u{0}\u{1b}[2J\u{85}\u{2028}\u{2029}\u{202e}\u{2066}\u{200b}\u{feff}\u{e0041}\u{ffff}";

fn estimate(value: f64) -> Estimate {
    Estimate { value, low: value - 0.1, high: value + 0.1 }
}

fn answer(text: &str, outcome: Outcome) -> Answer {
    Answer {
        output: text.to_owned(),
        extracted: Some(text.to_owned()),
        finish_reason: Some(text.to_owned()),
        usage: Usage::new(10, 5),
        cost: Cost::from_micros(7),
        latency: Some(Duration::from_millis(250)),
        error: None,
        scores: vec![Score { scorer: text.to_owned(), version: text.to_owned(), outcome, explanation: Some(text.to_owned()) }],
    }
}

/// A report with `text` wherever a report can hold one.
fn report(text: &str) -> Report {
    let own = || text.to_owned();
    let failed = Answer { error: Some(own()), ..Answer::default() };
    let item = Item {
        id: own(),
        input: own(),
        target: Some(own()),
        cluster: Some(own()),
        stratum: Some(own()),
        tags: vec![own()],
        answers: vec![
            vec![answer(text, Outcome::Scored(0.0)), answer(text, Outcome::Scored(1.0))],
            vec![answer(text, Outcome::Unscored(own())), answer(text, Outcome::Failed(own())), failed],
        ],
    };
    let figure = Figure { name: own(), estimate: estimate(0.5), unit: own() };
    let variant = |mean| Variant {
        name: own(),
        model: own(),
        prompt: own(),
        method: own(),
        run: own(),
        provenance: vec![(own(), own())],
        summaries: vec![Summary { metric: own(), n: 2, estimate: estimate(mean), unscored: 1, errors: 1 }],
        system: System {
            latencies: vec![Duration::from_millis(250)],
            times_to_first_token: vec![Duration::from_millis(50)],
            latency: Some(estimate(1.0)),
            cost_per_item: Some(estimate(0.2)),
            usage: Usage::new(20, 10),
            cost: Cost::from_micros(14),
            throughput: Some(40.0),
            figures: vec![figure.clone()],
        },
    };
    Report {
        title: own(),
        lead: own(),
        created: own(),
        confidence: 0.95,
        metrics: vec![Metric { name: own(), unit: own(), pass_mark: Some(1.0), ..Metric::default() }],
        variants: vec![variant(0.5), variant(0.9)],
        comparisons: vec![Comparison {
            baseline: own(),
            candidate: own(),
            metric: own(),
            difference: estimate(0.4),
            p: Some(0.01),
            verdict: own(),
            slices: vec![Slice { name: own(), ..Slice::default() }],
            ..Comparison::default()
        }],
        multiplicity: vec![Multiplicity { family: own(), corrected: vec![(own(), 1)], ..Multiplicity::default() }],
        judges: vec![Judge { name: own(), labels: 3, figures: vec![figure.clone()], warning: Some(own()) }],
        notices: vec![
            Notice { level: Level::Info, text: own(), differences: Vec::new() },
            Notice::not_comparable(vec![Difference { field: own(), values: vec![own()] }]),
        ],
        items: vec![item],
        provenance: vec![(own(), own())],
    }
}

fn select(document: &Html, selector: &str) -> Vec<String> {
    document.select(&Selector::parse(selector).unwrap()).map(|element| element.text().collect()).collect()
}

/// The elements of a page with the names of their attributes. Charts, which have more or fewer labels depending on their texts, count as one.
fn skeleton(document: &Html) -> Vec<String> {
    let nodes = document
        .root_element()
        .descendants()
        .filter(|node| !node.ancestors().any(|parent| parent.value().as_element().is_some_and(|element| element.name() == "svg")));
    let elements = nodes.filter_map(|node| node.value().as_element());
    elements.map(|element| format!("{} {:?}", element.name(), element.attrs().map(|(name, _)| name).collect::<Vec<_>>())).collect()
}

/// What the script reads.
fn data(html: &str) -> Value {
    let block = select(&Html::parse_document(html), ".matrix script[type='application/json']").remove(0);
    assert!(!block.contains(['<', '>', '&']));
    serde_json::from_str(&block).unwrap()
}

fn hides(character: char) -> bool {
    matches!(character, '\0'..='\u{8}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ffff}' | '\u{e0000}'..='\u{e0fff}')
}

#[test]
fn hostile_text_adds_no_element_and_hides_nothing() {
    let html = report(HOSTILE).to_html();
    let document = Html::parse_document(&html);
    assert_eq!(skeleton(&document), skeleton(&Html::parse_document(&report("plain").to_html())));
    for element in document.select(&Selector::parse("svg *").unwrap()) {
        let name = element.value().name();
        assert!(["svg", "title", "desc", "rect", "text", "g", "path", "circle"].contains(&name), "{name}");
    }
    assert_eq!(html.matches("<script").count(), 2, "the data and the script, and none in a text");
    assert!(!html.contains("alert(1)</") && !html.contains("<img") && !html.contains("<!--"));
    assert!(!html.contains(hides), "{:?}", html.chars().find(|character| hides(*character)));
    assert!(document.select(&Selector::parse("a").unwrap()).all(|link| link.attr("href").unwrap().starts_with('#')));
    let shown = select(&document, "h1").remove(0);
    assert!(shown.starts_with("</p></script>") && shown.ends_with("⟨U+202E⟩⟨U+2066⟩⟨U+200B⟩⟨U+FEFF⟩⟨U+E0041⟩⟨U+FFFF⟩"), "{shown}");
    let data = data(&html);
    assert!(data["texts"].as_array().unwrap().iter().any(|text| text.as_str().unwrap() == shown), "told in full to the script");
}

#[test]
fn nothing_runs_but_the_script_whose_hash_the_policy_holds() {
    let html = report("plain").to_html();
    let document = Html::parse_document(&html);
    let policy = document.select(&Selector::parse("meta[http-equiv='Content-Security-Policy']").unwrap()).next().unwrap();
    let policy = policy.attr("content").unwrap();
    for (selector, directive) in [("script:not([type])", "script-src"), ("style", "style-src")] {
        let content = select(&document, selector);
        assert_eq!(content.len(), 1);
        let hash = STANDARD.encode(Sha256::digest(content[0].as_bytes()));
        assert!(policy.contains(&format!("{directive} 'sha256-{hash}'")), "{directive}");
    }
    for forbidden in ["[style]", "[src]", "[onclick]", "[onload]", "iframe", "object", "form"] {
        assert!(document.select(&Selector::parse(forbidden).unwrap()).next().is_none(), "{forbidden}");
    }
    let script = select(&document, "script:not([type])").remove(0);
    for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "fetch(", "http:", "https:"] {
        let namespace = script.matches("http://www.w3.org/2000/svg").count();
        let found = script.matches(sink).count() - if sink == "http:" { namespace } else { 0 };
        assert_eq!(found, 0, "{sink}");
    }
}

#[test]
fn the_script_is_told_what_the_report_holds() {
    let mut report = report("m");
    report.items[0].id = "one".to_owned();
    report.items.push(Item { id: "one".to_owned(), ..Item::default() });
    let data = data(&report.to_html());
    assert_eq!(data["keys"], json!(["one", "one (2)"]));
    assert_eq!(data["metrics"], json!([{ "name": "m", "unit": "m", "lower": false, "mark": 1.0 }]));
    let [first, second] = [&data["variants"][0], &data["variants"][1]];
    assert_eq!((&first["starts"], &second["starts"]), (&json!([0, 2, 2]), &json!([0, 3, 3])));
    assert_eq!((&first["scores"][0]["standings"], &second["scores"][0]["standings"]), (&json!("f-"), &json!("e-")));
    assert_eq!((&first["scores"][0]["readings"], &second["scores"][0]["readings"]), (&json!([0.0, 1.0]), &json!(["u", "e", null])));
    assert_eq!((&first["errors"], &second["errors"][2]), (&Value::Null, &first["outputs"][0]), "the same text stands once");
    assert_eq!((&first["latency"], &first["distinct"]), (&json!([250_000, 250_000]), &json!([1, 0])));
    let reason = second["scores"][0]["reasons"][0].as_u64().unwrap() as usize;
    assert_eq!(data["texts"][reason], "m\nm", "why there is no figure, and the explanation");
}

#[test]
fn the_same_report_gives_the_same_bytes_and_survives_json() {
    let report = report("plain");
    let mut written = Vec::new();
    report.write(&mut written).unwrap();
    assert_eq!(report.to_html().as_bytes(), written);
    let read: Report = serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap();
    assert_eq!(read.to_html().as_bytes(), written);
    let empty: Report = serde_json::from_str("{}").unwrap();
    assert_eq!(empty, Report::default());
}

#[test]
fn a_report_of_little_is_a_page_too() {
    let empty = Report::new("Nothing").to_html();
    assert!(select(&Html::parse_document(&empty), "main").remove(0).contains("There is no variant to report on."));
    assert!(!empty.contains("class=\"matrix\""));
    let mut few = Report { metrics: Vec::new(), comparisons: Vec::new(), ..report("plain") };
    few.variants.truncate(1);
    assert_eq!(data(&few.to_html())["metrics"], json!([]), "items without metrics");
    few.items.clear();
    assert!(!few.to_html().contains("class=\"matrix\""), "no items, no matrix");
    let unasked = Report { variants: Vec::new(), ..report("plain") };
    assert!(!unasked.to_html().contains("class=\"matrix\""), "items without variants");
}

#[test]
fn what_is_no_number_is_shown_and_drawn_nowhere() {
    let mut report = report("plain");
    let nothing = Estimate { value: f64::NAN, low: f64::NEG_INFINITY, high: f64::INFINITY };
    for variant in &mut report.variants {
        variant.summaries[0].estimate = nothing;
        variant.system.latency = Some(nothing);
        variant.system.throughput = Some(f64::NAN);
    }
    report.comparisons[0].difference = nothing;
    report.comparisons[0].p = Some(f64::NAN);
    report.items[0].answers[0] = vec![answer("plain", Outcome::Scored(f64::NAN)), answer("plain", Outcome::Scored(f64::INFINITY))];
    let html = report.to_html();
    let document = Html::parse_document(&html);
    assert_eq!(select(&document, ".card strong"), ["NaN", "NaN"]);
    assert!(select(&document, "td").contains(&"NaN [-∞, ∞]".to_owned()));
    for element in document.select(&Selector::parse("path, circle, rect, svg").unwrap()) {
        assert!(element.value().attrs().all(|(_, value)| !value.contains("NaN") && !value.contains("inf")), "{:?}", element.value());
    }
    assert_eq!(data(&html)["variants"][0]["scores"][0], json!({ "standings": "u", "readings": ["u", "u"], "reasons": [0, 0] }));
}

#[test]
fn links_of_the_worst_failures_lead_to_their_items() {
    let mut report = report("a metric & more");
    report.items[0].id = "50% \"off\"".to_owned();
    let document = Html::parse_document(&report.to_html());
    let link = document.select(&Selector::parse(".failures a").unwrap()).next().unwrap();
    assert_eq!(link.attr("href"), Some("#metric=a%20metric%20%26%20more&item=50%25%20%22off%22"));
    assert_eq!(link.text().collect::<String>(), "50% \"off\"");
}

#[test]
fn ten_megabytes_of_output_are_cut_with_a_note() {
    let mut report = report("plain");
    report.items[0].answers[0][0].output = format!("{} the end", "\u{202e}".repeat(3_400_000));
    let html = report.to_html();
    assert!(html.len() < 400_000, "{}", html.len());
    let data = data(&html);
    let output = data["texts"][data["variants"][0]["outputs"][0].as_u64().unwrap() as usize].as_str().unwrap().to_owned();
    assert!(output.starts_with("⟨U+202E⟩") && output.ends_with(" the end") && output.contains("of 3400008 characters are left out"));
}

#[test]
fn ten_thousand_items_by_three_variants_stay_small() {
    let names = ["naive", "step by step", "few shots"];
    let mut report = Report::new("many");
    report.metrics = vec![Metric::new("plain").with_pass_mark(1.0)];
    report.variants = names.map(|name| Variant { name: name.to_owned(), ..Variant::default() }).to_vec();
    let item = |place: usize| Item {
        id: format!("item-{place}"),
        input: format!("What is {place} + {place}?"),
        target: Some((2 * place).to_string()),
        answers: (0..3).map(|variant| vec![answer("plain", Outcome::Scored(f64::from(u8::from(place % 3 == variant))))]).collect(),
        ..Item::default()
    };
    report.items = (0..10_000).map(item).collect();
    let bytes = report.to_html().len();
    let texts = 10_000 * ("item-9999".len() + "What is 9999 + 9999?".len() + "19998".len());
    assert!(bytes < texts + 10_000 * 160, "{bytes}: no more than 160 bytes for three answers and the places of texts");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_text_stays_text(text: String) {
        prop_assume!(!text.trim().is_empty() && !text.contains("\n\n"));
        let html = report(&text).to_html();
        prop_assert_eq!(skeleton(&Html::parse_document(&html)), skeleton(&Html::parse_document(&report("plain").to_html())));
        data(&html);
    }
}
