//! `wikipedia_search` against answers of the shape that the Action API gives.
#![cfg(feature = "wikipedia")]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jarre_agent::tools::{Fetch, WikipediaSearch};
use jarre_core::{BoxFuture, ErrorKind, Result, Tool, ToolContext, ToolOutput, testing::ManualClock, testing::contract};
use serde_json::{Value, json};

/// Gives the same body for every address, and notes the addresses.
#[derive(Clone)]
struct Double {
    body: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Double {
    fn new(body: &Value) -> Self {
        Self { body: body.to_string(), asked: Arc::default() }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Fetch for Double {
    fn get<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<String>> {
        self.asked.lock().unwrap().push(url.to_owned());
        Box::pin(async move { Ok(self.body.clone()) })
    }
}

fn answer() -> Value {
    json!({
        "batchcomplete": true,
        "continue": {"gsroffset": 2, "continue": "gsroffset||"},
        "query": {"pages": [
            {"pageid": 2, "ns": 0, "title": "Ada (programming language)", "index": 2, "extract": "Ada is a language."},
            {"pageid": 1, "ns": 0, "title": "Ada Lovelace", "index": 1, "extract": " Ada Lovelace was a mathematician. "}
        ]}
    })
}

fn call(tool: &WikipediaSearch, query: &str) -> Result<ToolOutput> {
    pollster::block_on(tool.call(json!({"query": query}), &ToolContext::new(query)))
}

#[test]
fn articles_are_told_best_first() {
    let double = Double::new(&answer());
    let tool = WikipediaSearch::new(double.clone(), Arc::new(ManualClock::new()));
    let output = call(&tool, "Ada & Lovelace?").unwrap();
    assert_eq!(
        output.text,
        "[1] Ada Lovelace (https://en.wikipedia.org/wiki/Ada_Lovelace)\nAda Lovelace was a mathematician.\n\
         [2] Ada (programming language) (https://en.wikipedia.org/wiki/Ada_%28programming_language%29)\nAda is a language.\n"
    );
    let url = &double.asked()[0];
    assert!(url.starts_with("https://en.wikipedia.org/w/api.php?action=query&format=json&formatversion=2&generator=search"), "{url}");
    assert!(url.ends_with("&gsrsearch=Ada%20%26%20Lovelace%3F"), "{url}");
}

#[test]
fn the_tool_keeps_the_contract() {
    let clock = Arc::new(ManualClock::new());
    let tool = WikipediaSearch::new(Double::new(&answer()), clock).with_pause(Duration::ZERO);
    pollster::block_on(contract::tool(&tool, &json!({"query": "x"})));
}

#[test]
fn answers_are_kept_and_questions_keep_apart() {
    let (double, clock) = (Double::new(&answer()), Arc::new(ManualClock::new()));
    let tool = WikipediaSearch::new(double.clone(), clock.clone());
    let first = call(&tool, "a").unwrap();
    assert_eq!(call(&tool, "a").unwrap(), first, "the same question is not asked again");
    clock.advance(Duration::from_millis(400));
    let soon = call(&tool, "b").unwrap_err();
    assert_eq!((soon.kind(), soon.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_millis(600))));
    assert_eq!(double.asked().len(), 1);
    clock.advance(Duration::from_millis(600));
    assert!(call(&tool, "b").is_ok());
    assert_eq!(double.asked().len(), 2);
}

#[test]
fn nothing_found_and_answers_that_are_none() {
    let tool = |body: Value| WikipediaSearch::new(Double::new(&body), Arc::new(ManualClock::new()));
    assert_eq!(call(&tool(json!({"batchcomplete": true})), "x").unwrap().text, "nothing was found");
    let refused = call(&tool(json!({"error": {"code": "maxlag", "info": "waiting"}})), "x").unwrap_err();
    assert_eq!(refused.to_string(), "wikipedia's answer cannot be read: it is the error `maxlag`: waiting");
    for body in [json!([]), json!("<html>"), json!({"query": {"pages": {"1": {}}}}), json!({"query": {"pages": [{}]}})] {
        assert_eq!(call(&tool(body), "x").unwrap_err().kind(), ErrorKind::InvalidResponse);
    }
}

#[test]
fn a_language_is_a_part_of_a_hosts_name() {
    let tool = || WikipediaSearch::new(Double::new(&answer()), Arc::new(ManualClock::new()));
    for code in ["", "evil.example/", "en.evil", "-a", "EN", "a@b", "é"] {
        assert!(tool().with_language(code).is_err(), "{code}");
    }
    let double = Double::new(&answer());
    let german = WikipediaSearch::new(double.clone(), Arc::new(ManualClock::new())).with_language("de").unwrap();
    assert!(call(&german, "x").unwrap().text.contains("https://de.wikipedia.org/wiki/"));
    assert!(double.asked()[0].starts_with("https://de.wikipedia.org/w/api.php?"));
}
