use std::time::Duration;

use axum::http::header;
use jarre_serving::Engine;
use serde_json::{Value, json};

use crate::harness::{Rig, config, events, options, server};

const PATH: &str = "/v1/completions";

fn long(fields: Value) -> Value {
    let mut body = json!({"model": "jarre-tiny", "prompt": "fn main() {", "max_tokens": 480, "ignore_eos": true, "stream": true});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn a_full_queue_refuses_and_tells_when_to_come_again() {
    let mut narrow = options();
    (narrow.max_num_seqs, narrow.max_waiting) = (1, 2);
    let rig = Rig::over(server(&narrow, config()));
    let running = rig.open(PATH, &long(json!({}))).await;
    rig.until(|engine| engine.stats().running == 1).await;
    let waiting = [rig.open(PATH, &long(json!({}))).await, rig.open(PATH, &long(json!({}))).await];
    for _ in 0..20 {
        let reply = rig.post(PATH, &long(json!({}))).await;
        assert_eq!(reply.refused(429)["code"], "rate_limit_exceeded");
        assert_eq!(reply.headers[header::RETRY_AFTER], "1");
    }
    assert_eq!(rig.get("/ready").await.status, 200);
    drop((running, waiting));
    rig.until(Engine::is_idle).await;
    rig.post(PATH, &long(json!({"max_tokens": 2, "stream": false}))).await.ok();
}

#[tokio::test]
async fn who_goes_away_frees_the_cache() {
    let rig = Rig::new();
    let mut stream = rig.open(PATH, &long(json!({"n": 3}))).await;
    stream.next().await.unwrap();
    rig.until(|engine| engine.stats().running == 3).await;
    drop(stream);
    rig.until(|engine| engine.is_idle() && engine.stats().blocks_free == engine.stats().blocks).await;

    // A call that is not streamed: its handler is dropped with the connection.
    let body = long(json!({"stream": false, "max_tokens": 500, "n": 16}));
    let call = tokio::time::timeout(Duration::from_millis(300), rig.post(PATH, &body));
    assert!(call.await.is_err(), "it takes longer than that");
    rig.until(|engine| engine.is_idle() && engine.stats().running == 0).await;
}

#[tokio::test]
async fn a_late_answer_is_an_error_and_a_late_stream_ends_with_one() {
    let rig = Rig::over(server(&options(), config().with_request_timeout(Duration::from_millis(80))));
    let body = json!({"n": 16, "max_tokens": 500, "stream": false});
    assert_eq!(rig.post(PATH, &long(body)).await.refused(504)["code"], "timeout");
    let text = rig.open(PATH, &long(json!({"n": 16, "max_tokens": 500}))).await.rest().await;
    let events = events(&text);
    let last: Value = serde_json::from_str(events.last().unwrap()).unwrap();
    assert_eq!(last["error"]["code"], "timeout", "{last}");
    assert!(!text.contains("[DONE]"));
    rig.until(Engine::is_idle).await;
}

#[tokio::test]
async fn a_silent_stream_is_kept_open() {
    let mut narrow = options();
    narrow.max_num_seqs = 1;
    let mut impatient = config();
    impatient.keep_alive = Duration::from_millis(20);
    let rig = Rig::over(server(&narrow, impatient));
    let _running = rig.open(PATH, &long(json!({}))).await;
    rig.until(|engine| engine.stats().running == 1).await;
    let mut waiting = rig.open(PATH, &long(json!({"max_tokens": 1}))).await;
    assert_eq!(waiting.next().await.unwrap(), ": keep-alive\n\n");
}
