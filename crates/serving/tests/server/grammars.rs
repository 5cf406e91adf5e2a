use std::sync::Arc;
use std::time::Duration;

use jarre_serving::Engine;
use serde_json::{Value, json};

use crate::harness::{Rig, config, options, server};
use crate::metrics::series;

const PATH: &str = "/v1/completions";

fn held_to(structured: Value) -> Value {
    json!({"model": "jarre-tiny", "prompt": "fn", "max_tokens": 8, "structured_outputs": structured})
}

/// Takes a compiler hundreds of milliseconds.
fn hostile(salt: usize) -> Value {
    held_to(json!({"json": {"enum": (0..15_000).map(|i| format!("value {i} {salt}")).collect::<Vec<_>>()}}))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grammar_that_takes_too_long_is_refused_and_holds_nobody_up() {
    let mut hasty = options();
    hasty.grammar_timeout = Duration::from_millis(30);
    let rig = Arc::new(Rig::over(server(&hasty, config())));
    let calls: Vec<_> = (0..40)
        .map(|salt| {
            let rig = Arc::clone(&rig);
            tokio::spawn(async move { rig.post(PATH, &hostile(salt)).await })
        })
        .collect();
    for _ in 0..5 {
        rig.post(PATH, &json!({"model": "jarre-tiny", "prompt": "fn", "max_tokens": 4})).await.ok();
    }
    let mut late = 0;
    for call in calls {
        let reply = call.await.unwrap();
        if reply.status == 429 {
            assert_eq!(reply.headers["retry-after"], "1", "others' grammars left no compiler");
            continue;
        }
        let error = reply.refused(400);
        assert!(error["message"].as_str().unwrap().contains("takes longer to compile than the 30ms"), "{error}");
        late += 1;
    }
    assert!(late >= 1);
    rig.until(Engine::is_idle).await;
    let page = series(&rig.get("/metrics").await.text);
    assert_eq!(page["jarre:grammar_timeouts_total"], f64::from(late));
    assert_eq!(page["jarre:grammar_compile_seconds_count"], 0.0, "none was answered");
}

#[tokio::test]
async fn compiling_is_part_of_the_time_in_the_queue() {
    let rig = Rig::new();
    rig.post(PATH, &held_to(json!({"choice": ["yes", "no"]}))).await.ok();
    let page = series(&rig.get("/metrics").await.text);
    let sum = |name: &str| *page.iter().find(|(key, _)| key.starts_with(name)).unwrap().1;
    let (compiled, queued) = (sum("jarre:grammar_compile_seconds_sum"), sum("vllm:request_queue_time_seconds_sum"));
    assert_eq!(page["jarre:grammar_compile_seconds_count"], 1.0);
    assert!(0.0 < compiled && compiled <= queued, "{compiled} of {queued}");
}
