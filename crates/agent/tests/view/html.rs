use std::time::Duration;

use jarre_agent::view::{HtmlOptions, Story, html};
use jarre_core::{Timestamp, ToolCall, ToolOutput, Usage};
use proptest::prelude::*;
use scraper::{Html, Selector};
use serde_json::json;

use crate::sample::{self, Log};

pub(crate) const HOSTILE: &str = "</p></pre></script></style></title></textarea><script>alert(1)</script><!--<img src=x onerror=alert(1)>]]>\"' &lt; &#60; \
                           javascript:alert(1) \u{0}\u{1b}[2J\u{9b}31m\u{85}\u{2028}\u{202e}\u{2066}\u{200b}\u{feff}\u{e0041}\u{ffff}";

fn page(records: &[jarre_agent::Record]) -> String {
    html(&Story::of(records), &HtmlOptions::default())
}

/// A run that has begun, and no more.
fn begun() -> Log {
    let mut log = Log::new("r", Timestamp::UNIX_EPOCH);
    log.start("t", "i");
    log
}

fn select(document: &Html, selector: &str) -> Vec<String> {
    document.select(&Selector::parse(selector).unwrap()).map(|element| element.text().collect()).collect()
}

/// The elements of a page with the names of their attributes; charts are the report's.
fn skeleton(document: &Html) -> Vec<String> {
    let is_drawn = |name: &str| name == "svg";
    let nodes = document
        .root_element()
        .descendants()
        .filter(|node| !node.ancestors().any(|parent| parent.value().as_element().is_some_and(|element| is_drawn(element.name()))));
    let elements = nodes.filter_map(|node| node.value().as_element());
    elements.map(|element| format!("{} {:?}", element.name(), element.attrs().map(|(name, _)| name).collect::<Vec<_>>())).collect()
}

#[test]
fn hostile_text_adds_no_element_and_hides_nothing() {
    let html = page(&sample::hostile(HOSTILE));
    let document = Html::parse_document(&html);
    assert_eq!(skeleton(&document), skeleton(&Html::parse_document(&page(&sample::hostile("plain")))));
    assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("<!--"));
    let hides = |c: char| matches!(c, '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{200b}' | '\u{2028}' | '\u{202e}' | '\u{2066}' | '\u{feff}' | '\u{e0041}' | '\u{ffff}');
    assert!(!html.contains(hides), "{:?}", html.chars().find(|c| hides(*c)));
    let links = Selector::parse("a").unwrap();
    assert!(document.select(&links).all(|link| link.attr("href").unwrap().starts_with('#')), "no link leads elsewhere");
    let shown = select(&document, ".steps .prose").remove(0);
    assert!(shown.starts_with("</p></pre></script>") && shown.ends_with("⟨U+202E⟩⟨U+2066⟩⟨U+200B⟩⟨U+FEFF⟩⟨U+E0041⟩⟨U+FFFF⟩"), "{shown}");
}

#[test]
fn a_file_loads_nothing_and_runs_nothing() {
    let html = page(&sample::run("r1", Timestamp::UNIX_EPOCH));
    let document = Html::parse_document(&html);
    for forbidden in ["script", "[style]", "[src]", "[onclick]", "iframe", "object", "form", "button", "input"] {
        assert!(select(&document, forbidden).is_empty(), "{forbidden}");
    }
    let policy = document.select(&Selector::parse("meta[http-equiv]").unwrap()).next().unwrap().attr("content").unwrap().to_owned();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'none'; style-src 'sha256-") && policy.contains("form-action 'none'"),
        "{policy}"
    );
}

#[test]
fn a_run_reads_from_its_state_to_its_steps() {
    let document = Html::parse_document(&page(&sample::run("r1", Timestamp::UNIX_EPOCH)));
    assert_eq!(select(&document, "h1"), ["Mend the calendar"]);
    assert_eq!(select(&document, "h2"), ["State", "Plan", "Failures and reflections", "Tokens and cost", "Steps"]);
    assert_eq!(select(&document, ".badge"), ["done"]);
    let figures = select(&document, ".figures dd");
    assert_eq!(figures[..3], ["9", "22,610", "645"]);
    assert_eq!(select(&document, ".steps > li").len(), 9);
    assert_eq!(
        select(&document, ".pair .tests li code bdi")[..3],
        ["a_year_ends", "tests/calendar.rs:31", "february_has_29_days_in_leap_years"][..3]
    );
    assert!(
        select(&document, ".pair .lesson dd").iter().any(|text| text.contains("leap years")),
        "the failure stands beside its reflection"
    );
    let added = select(&document, ".diff .add");
    assert!(added.iter().any(|line| line == "+    if day.day == days_in(day.month, day.year) {\n"), "{added:?}");
    assert_eq!(select(&document, "svg.chart").len(), 2);
    assert!(select(&document, ".asked").iter().any(|text| text.contains("ada approved after 41.0 s")));
    assert_eq!(select(&document, "details.call[open] > summary .tool"), ["file_edit", "test_run", "file_edit"]);
}

#[test]
fn the_same_log_gives_the_same_bytes() {
    let records = sample::run("r1", Timestamp::UNIX_EPOCH);
    assert_eq!(page(&records), page(&records));
    assert!(page(&[]).contains("The log holds no run."));
}

#[test]
fn a_megabyte_on_a_line_is_cut_with_a_note() {
    let mut log = begun();
    let call = ToolCall::new("c", "code_execute", "{}");
    log.model(jarre_agent::Purpose::Act, "", vec![call.clone()], Usage::new(1, 1));
    let line = format!("start {} end", "\u{202e}".repeat(1 << 20));
    log.tool(&call, ToolOutput::new(line.clone()).with_data(json!({"diff": format!("+{line}")})), Duration::ZERO);
    let html = page(&log.records);
    assert!(html.len() < 1_000_000, "{}", html.len());
    let shown = select(&Html::parse_document(&html), ".call > pre > code").remove(0);
    assert!(shown.starts_with("start ⟨U+202E⟩") && shown.ends_with(" end") && shown.contains("of 1048586 characters are left out"));
}

#[test]
fn what_a_person_is_asked_about_is_shown_whole() {
    let mut log = begun();
    let endless = format!("{} rm -rf /", "x".repeat(100_000));
    let call = ToolCall::new("c", "code_execute", json!({"code": endless}).to_string());
    log.model(jarre_agent::Purpose::Act, "", vec![call.clone()], Usage::new(1, 1));
    log.ask(&call, "a rule asks");
    let document = Html::parse_document(&page(&log.records));
    assert_eq!(select(&document, ".question code").pop().unwrap(), endless, "an approval covers what was read");
}

#[test]
fn many_steps_make_a_page() {
    let mut log = begun();
    for _ in 0..300 {
        log.model(jarre_agent::Purpose::Act, "a step", Vec::new(), Usage::new(10, 5));
    }
    let document = Html::parse_document(&page(&log.records));
    assert_eq!(select(&document, ".steps > li").len(), 300);
    assert_eq!(select(&document, "svg.chart").len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_text_stays_text(text: String) {
        // Empty texts and texts that read as JSON objects are shown in other elements.
        prop_assume!(!text.trim().is_empty() && !text.contains(['\n', '\r']));
        let text = format!("t{text}");
        let html = page(&sample::hostile(&text));
        prop_assert_eq!(skeleton(&Html::parse_document(&html)), skeleton(&Html::parse_document(&page(&sample::hostile("plain")))));
    }
}
