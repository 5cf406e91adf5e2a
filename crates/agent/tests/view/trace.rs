use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use jarre_agent::trace::{TraceOptions, otlp};
use jarre_agent::view::Story;
use jarre_agent::{Decision, Event, Outcome, Record};
use serde_json::{Value, json};

use crate::sample::{self, START};

fn traced(records: &[Record]) -> String {
    otlp(&Story::of(records), &TraceOptions::default())
}

fn spans(records: &[Record]) -> Vec<Value> {
    let trace: Value = serde_json::from_str(&traced(records)).unwrap();
    trace["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone()
}

/// The spans as a tree of names, with what each says: what a reader of a trace viewer sees.
fn outline(spans: &[Value]) -> String {
    let mut depths: BTreeMap<&str, usize> = BTreeMap::new();
    let mut lines = String::new();
    for span in spans {
        let depth = span["parentSpanId"].as_str().map_or(0, |parent| depths[parent] + 1);
        depths.insert(span["spanId"].as_str().unwrap(), depth);
        let nanos = |key: &str| span[key].as_str().unwrap().parse::<i64>().unwrap();
        let took = (nanos("endTimeUnixNano") - nanos("startTimeUnixNano")) / 1_000_000;
        write!(lines, "{:indent$}{} [{took} ms]", "", span["name"].as_str().unwrap(), indent = depth * 2).unwrap();
        for attribute in span["attributes"].as_array().unwrap() {
            let key = attribute["key"].as_str().unwrap();
            if ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "jarre.cost.micro_usd", "jarre.agent.tests.failed"]
                .contains(&key)
            {
                write!(lines, " {}={}", key.rsplit_once('.').unwrap().1, attribute["value"]["intValue"].as_str().unwrap()).unwrap();
            }
        }
        lines.push('\n');
    }
    lines
}

/// Worked out by hand from what the sample writes: an answer takes 900 ms and 11 for each token.
const OUTLINE: &str = "\
invoke_agent Mend the calendar [73548 ms] input_tokens=22610 output_tokens=645 micro_usd=5034
  step 1 plan [1582 ms]
    chat qwen2.5-coder-7b [1582 ms] input_tokens=1240 output_tokens=62 micro_usd=297
  step 2 act [1439 ms]
    chat qwen2.5-coder-7b [1428 ms] input_tokens=1410 output_tokens=48 micro_usd=320
    execute_tool file_read [4 ms]
    execute_tool list_files [3 ms]
  step 3 act [43350 ms]
    chat qwen2.5-coder-7b [2341 ms] input_tokens=1980 output_tokens=131 micro_usd=500
    execute_tool file_edit [6 ms]
  step 4 act [4091 ms]
    chat qwen2.5-coder-7b [1219 ms] input_tokens=2260 output_tokens=29 micro_usd=475
    execute_tool test_run [2870 ms] failed=2
  step 5 reflect [2198 ms]
    chat qwen2.5-coder-7b [2198 ms] input_tokens=2690 output_tokens=118 micro_usd=632
  step 6 plan [1439 ms]
    chat qwen2.5-coder-7b [1439 ms] input_tokens=2900 output_tokens=49 micro_usd=619
  step 7 act [14514 ms]
    chat qwen2.5-coder-7b [2506 ms] input_tokens=3150 output_tokens=146 micro_usd=746
    execute_tool file_edit [5 ms]
  step 8 act [3609 ms]
    chat qwen2.5-coder-7b [1197 ms] input_tokens=3420 output_tokens=27 micro_usd=705
    execute_tool test_run [2410 ms] failed=0
  step 9 act [1288 ms]
    chat qwen2.5-coder-7b [1285 ms] input_tokens=3560 output_tokens=35 micro_usd=740
    execute_tool finish [1 ms]
";

#[test]
fn a_log_is_a_tree_of_spans() {
    assert_eq!(outline(&spans(&sample::run("r1", START))), OUTLINE);
}

#[test]
fn a_span_is_written_as_the_protocol_has_it() {
    let (mut log, _, token) = sample::until_approval("r1", START);
    log.answer(Duration::from_secs(41), token, Decision::Denied { reason: "a reason".to_owned() });
    log.push(Duration::from_secs(1), Event::Finished { outcome: Outcome::Stuck { reason: "in words".to_owned() } });
    let spans = spans(&log.records);
    let (run, step) = (&spans[0], &spans[7]);
    let is_id =
        |id: &Value, digits: usize| id.as_str().is_some_and(|id| id.len() == digits && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert!(spans.iter().all(|span| is_id(&span["traceId"], 32) && is_id(&span["spanId"], 16) && span["traceId"] == run["traceId"]));
    let ids: BTreeSet<&str> = spans.iter().map(|span| span["spanId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), spans.len(), "each has its own");
    assert_eq!((run.get("parentSpanId"), &run["kind"], &spans[2]["kind"]), (None, &json!(1), &json!(3)), "a model is another side");
    assert_eq!(run["startTimeUnixNano"], "1790000000000000000");
    assert_eq!(run["status"], json!({"code": 2}));
    let attribute =
        |span: &Value, key: &str| span["attributes"].as_array().unwrap().iter().find(|found| found["key"] == key).unwrap()["value"].clone();
    assert_eq!(attribute(run, "error.type"), json!({"stringValue": "stuck"}));
    assert_eq!(attribute(run, "gen_ai.operation.name"), json!({"stringValue": "invoke_agent"}));
    assert_eq!(attribute(&spans[2], "gen_ai.response.finish_reasons"), json!({"arrayValue": {"values": [{"stringValue": "stop"}]}}));
    assert_eq!(attribute(&spans[2], "gen_ai.usage.input_tokens"), json!({"intValue": "1240"}));
    assert_eq!(step["name"], "step 3 act");
    let events: Vec<&Value> = step["events"].as_array().unwrap().iter().map(|event| &event["name"]).collect();
    assert_eq!(events, ["approval asked", "approval answered"]);
}

#[test]
fn texts_are_told_only_where_they_are_asked_for() {
    let records = sample::run("r1", START);
    let (without, with) = (traced(&records), otlp(&Story::of(&records), &TraceOptions::default().with_content(true)));
    for text in ["leap years", "days_in", "Only months of 31 days", "\"ada\""] {
        assert!(!without.contains(text), "{text}");
    }
    assert!(with.contains("leap years") && with.contains("days_in"));
    assert!(!with.contains("\"ada\""), "who approved is told in no case");
}

#[test]
fn what_a_failed_model_says_is_told_only_where_texts_are_asked_for() {
    let mut log = sample::until_approval("r1", START).0;
    let message = "the server refused: \"mend the secret calendar\"".to_owned();
    for record in &mut log.records {
        if let Event::ModelAnswered { call, .. } = record.event {
            record.event = Event::ModelFailed { call, kind: jarre_core::ErrorKind::InvalidRequest, message: message.clone() };
        }
    }
    let story = Story::of(&log.records);
    let (without, with) = (otlp(&story, &TraceOptions::default()), otlp(&story, &TraceOptions::default().with_content(true)));
    assert!(without.contains("invalid_request") && !without.contains("secret calendar"), "{without}");
    assert!(with.contains("secret calendar"));
}

#[test]
fn a_log_that_grows_keeps_its_ids() {
    let records = sample::run("r1", START);
    assert_eq!(traced(&records), traced(&records));
    let ids = |records: &[Record]| spans(records).iter().map(|span| span["spanId"].clone()).collect::<Vec<_>>();
    let all = ids(&records);
    for count in 1..records.len() {
        assert!(ids(&records[..count]).iter().all(|id| all.contains(id)), "{count}");
    }
    assert!(!ids(&sample::run("r2", START)).iter().any(|id| all.contains(id)), "another run has others");
    assert!(spans(&[]).is_empty());
}
