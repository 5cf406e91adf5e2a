use std::sync::Arc;

use jarre_guardrails::scan::Whole;
use jarre_guardrails::{Context, Effect, Finding, Guard, Reach, Scan};
use serde_json::{Value, json};

use crate::client::{Answer, Proxy};
use crate::serve::{DecisionLog, Moderator, ProxyConfig};
use crate::upstream::{Says, Upstream};

/// Finds violence in texts that speak of war, and graphic violence half as much.
struct Wars;

impl Guard for Wars {
    fn name(&self) -> &'static str {
        "wars"
    }

    fn reach(&self) -> Reach {
        Reach::Whole
    }

    fn scan(&self, _: &Context) -> Box<dyn Scan> {
        Box::new(Whole::new(|text| {
            let score = if text.contains("war") { 0.8 } else { 0.1 };
            let found = |label, score| Finding { score, ..Finding::certain(0..text.len(), label, Effect::Note) };
            Ok(vec![found("violence", score), found("violence/graphic", score / 2.0)])
        }))
    }
}

#[tokio::test]
async fn moderations_have_openais_form() {
    let upstream = Upstream::start(Says::Echo(9)).await;
    let moderator = Moderator::new("wars", Arc::new(Wars)).with_threshold("violence/graphic", 0.3);
    let proxy = Proxy::start(&upstream.url, ProxyConfig::default(), |app| app.with_moderator(moderator)).await;
    let answer = proxy.send("/v1/moderations", r#"{"model": "omni-moderation-latest", "input": ["peace", "war"]}"#).await.json();
    assert_eq!(answer["model"], "wars");
    let [calm, grave] = answer["results"].as_array().unwrap().as_slice() else { panic!("{answer}") };
    assert_eq!((&calm["flagged"], &grave["flagged"]), (&json!(false), &json!(true)));
    assert_eq!(grave["categories"]["violence/graphic"], true, "its own threshold is lower");
    assert!((grave["category_scores"]["violence"].as_f64().unwrap() - 0.8).abs() < 1e-6);
    assert_eq!((&grave["categories"]["self-harm/intent"], &grave["category_scores"]["self-harm/intent"]), (&json!(false), &json!(0.0)));
    let one = proxy.send("/v1/moderations", r#"{"input": "war"}"#).await.json();
    assert_eq!(one["results"], json!([grave]));
    for wrong in [r#"{"input": 5}"#, r#"{"input": [5]}"#, r#"{"inputs": "war"}"#, "{}"] {
        assert_eq!(proxy.send("/v1/moderations", wrong).await.status, 400, "{wrong}");
    }
    assert_eq!(Proxy::before(&upstream.url).await.send("/v1/moderations", r#"{"input": "war"}"#).await.status, 404);
}

#[tokio::test]
async fn a_check_gives_the_verdict_and_the_text_where_it_is_wanted() {
    let upstream = Upstream::start(Says::Echo(9)).await;
    let proxy = Proxy::before(&upstream.url).await;
    let check = async |body: Value| proxy.send("/v1/guard/check", body.to_string()).await.json();
    let verdict = check(json!({"text": "mail anna@home.org"})).await;
    let layer = &verdict["layers"][1];
    assert_eq!((&verdict["allowed"], &layer["name"], &layer["action"]), (&json!(true), &json!("emails"), &json!("redact")));
    assert_eq!(layer["spans"], json!([{"start": 5, "end": 18, "label": "email", "score": 1.0}]));
    assert!(verdict["latency_us"].is_u64() && !verdict.to_string().contains("anna"));
    let told = check(json!({"text": "in 1984", "stage": "output", "return_text": true, "system": "be good", "sources": ["a"]})).await;
    assert_eq!(told["text"], "in ####");
    let blocked = check(json!({"text": "stop", "stage": "input"})).await;
    assert_eq!((&blocked["allowed"], &blocked["layers"][0]["action"]), (&json!(false), &json!("block")));
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn the_upstreams_models_and_their_other_names_can_be_asked_for() {
    let upstream = Upstream::start(Says::Echo(9)).await;
    let proxy = Proxy::before(&upstream.url).await;
    let models = proxy.get("/v1/models").await.json();
    let names: Vec<_> = models["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert_eq!(names, ["small", "alias"]);
    let request = r#"{"model": "alias", "messages": [{"role": "user", "content": "a"}], "max_tokens": 5, "top_k": 2}"#;
    assert_eq!(proxy.send("/v1/chat/completions", request).await.json()["model"], "alias");
    let sent = upstream.requests().pop().unwrap();
    assert_eq!((&sent["model"], &sent["max_tokens"], &sent["top_k"]), (&json!("small"), &json!(5), &json!(2)));
}

#[tokio::test]
async fn failures_of_the_upstream_are_told_by_kind_and_without_keys() {
    let key = r#"{"error": {"message": "wrong key: upstream-secret", "code": "invalid_api_key"}}"#;
    let long = r#"{"error": {"message": "too long for upstream-secret", "code": "context_length_exceeded"}}"#;
    let filtered = r#"{"error": {"message": "filtered", "code": "content_filter"}}"#;
    for (status, body, told, code) in [
        (401, key, 502, "upstream_authentication"),
        (400, long, 400, "context_length_exceeded"),
        (400, filtered, 400, "content_filter"),
        (429, "{}", 429, "rate_limit_exceeded"),
        (500, "secret stack trace", 502, "bad_gateway"),
        (503, "", 503, "upstream_unavailable"),
    ] {
        let upstream = Upstream::start(Says::Fails(status, body.into())).await;
        let proxy = Proxy::before(&upstream.url).await;
        for answer in [proxy.ask("hi").await, Answer::read(proxy.stream("hi").await).await] {
            assert_eq!((answer.status, &answer.json()["error"]["code"]), (told, &json!(code)), "{status} {body}");
            assert!(!answer.text.contains("secret"), "{}", answer.text);
        }
        assert_eq!(upstream.requests().len(), 2, "clients try again by themselves");
    }
    let proxy = Proxy::before("http://127.0.0.1:9/v1").await;
    let answer = proxy.ask("hi").await;
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (503, &json!("upstream_unavailable")));
    assert_eq!(answer.verdict()["allowed"], true);
    assert!(!answer.text.contains("127.0.0.1"));
}

#[tokio::test]
async fn every_decision_is_logged_and_counted_without_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("decisions.jsonl");
    let upstream = Upstream::start(Says::Echo(9)).await;
    let log = DecisionLog::open(&path).unwrap();
    let mut proxy = Proxy::start(&upstream.url, ProxyConfig::default(), |app| app.with_log(log)).await;
    let first = proxy.ask("mail anna@home.org in 1984").await;
    proxy.ask("stop it").await;
    let page = proxy.get("/metrics").await.text;
    for line in [
        r#"guard_verdicts_total{layer="emails",stage="input",action="redact"} 1"#,
        r#"guard_verdicts_total{layer="words",stage="input",action="block"} 1"#,
        r#"guard_http_requests_total{handler="/v1/chat/completions",method="POST",status="400"} 1"#,
        r#"guard_layer_duration_seconds_count{layer="emails",stage="input"} 1"#,
        r#"guard_held_bytes_limit{stage="output"} "#,
        "guard_unlogged_decisions_total 0",
        "# EOF",
    ] {
        assert!(page.contains(line), "{line}\n{page}");
    }
    proxy.stop();
    assert!(proxy.stopped().await);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("anna") && !text.contains("1984") && !text.contains("stop it"), "{text}");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let brief: Vec<_> = lines.iter().map(|line| (line["stage"].as_str().unwrap(), line["allowed"].as_bool().unwrap())).collect();
    assert_eq!(brief, [("input", true), ("output", true), ("input", false)]);
    assert_eq!(lines[0]["request"], first.headers["x-request-id"]);
    assert!(lines[0]["time"].as_str().unwrap().ends_with('Z'));
}
