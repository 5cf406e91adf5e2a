use std::collections::BTreeMap;

use jarre_serving::Engine;
use serde_json::{Value, json};

use crate::harness::{Rig, config, options, server};

/// The series of a page of metrics, by their names and labels.
pub(crate) fn series(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit_once(' ').map(|(name, value)| (name.to_owned(), value.parse().unwrap())).unwrap()).collect()
}

const LABELS: &str = r#"model_name="jarre-tiny",engine="0""#;

/// What vLLM's own dashboards ask for.
const VLLM: [&str; 37] = [
    "vllm:num_requests_running",
    "vllm:num_requests_waiting",
    "vllm:kv_cache_usage_perc",
    "vllm:gpu_cache_usage_perc",
    "vllm:prefix_cache_queries_total",
    "vllm:prefix_cache_hits_total",
    "vllm:num_preemptions_total",
    "vllm:prompt_tokens_total",
    "vllm:generation_tokens_total",
    "vllm:spec_decode_num_drafts_total",
    "vllm:spec_decode_num_draft_tokens_total",
    "vllm:spec_decode_num_accepted_tokens_total",
    "vllm:iteration_tokens_total_bucket",
    "vllm:time_to_first_token_seconds_bucket",
    "vllm:time_to_first_token_seconds_sum",
    "vllm:time_to_first_token_seconds_count",
    "vllm:time_per_output_token_seconds_bucket",
    "vllm:inter_token_latency_seconds_bucket",
    "vllm:inter_token_latency_seconds_sum",
    "vllm:inter_token_latency_seconds_count",
    "vllm:request_time_per_output_token_seconds_bucket",
    "vllm:e2e_request_latency_seconds_bucket",
    "vllm:e2e_request_latency_seconds_sum",
    "vllm:e2e_request_latency_seconds_count",
    "vllm:request_queue_time_seconds_sum",
    "vllm:request_inference_time_seconds_sum",
    "vllm:request_prefill_time_seconds_sum",
    "vllm:request_decode_time_seconds_sum",
    "vllm:request_prompt_tokens_bucket",
    "vllm:request_generation_tokens_bucket",
    "vllm:request_max_num_generation_tokens_sum",
    "vllm:request_params_n_bucket",
    "vllm:request_params_max_tokens_bucket",
    "vllm:request_prefill_kv_computed_tokens_bucket",
    "vllm:kv_block_lifetime_seconds_bucket",
    "vllm:kv_block_idle_before_evict_seconds_bucket",
    "vllm:kv_block_reuse_gap_seconds_bucket",
];

#[tokio::test]
async fn vllms_dashboards_find_their_series() {
    let page = series(&Rig::new().get("/metrics").await.text);
    for name in VLLM {
        let start = format!("{name}{{{LABELS}");
        assert!(page.keys().any(|key| key.starts_with(&start)), "{name} with its labels");
    }
    let bounds = |name: &str| -> Vec<String> {
        let start = format!("vllm:{name}_bucket{{le=\"");
        let other = format!("vllm:{name}_bucket{{{LABELS},le=\"");
        let of =
            |key: &String| key.strip_prefix(&start).or(key.strip_prefix(&other)).map(|rest| rest.split('"').next().unwrap().to_owned());
        page.keys().filter_map(of).collect()
    };
    assert_eq!(bounds("time_to_first_token_seconds").len(), 23);
    assert_eq!(bounds("inter_token_latency_seconds").len(), 20);
    assert!(bounds("e2e_request_latency_seconds").contains(&"7680.0".to_owned()));
    for part in ["lifetime", "idle_before_evict", "reuse_gap"] {
        let bounds = bounds(&format!("kv_block_{part}_seconds"));
        assert_eq!((bounds.len(), bounds.contains(&"1800.0".to_owned())), (22, true), "{part}");
    }
}

#[tokio::test]
async fn the_cache_is_described() {
    let page = series(&Rig::new().get("/metrics").await.text);
    let blocks = page[&format!("vllm:num_kv_blocks{{{LABELS}}}")];
    let described = format!(
        r#"vllm:cache_config_info{{{LABELS},block_size="16",cache_dtype="bf16",enable_prefix_caching="True",num_gpu_blocks="{blocks}"}}"#
    );
    assert_eq!(page.get(&described), Some(&1.0), "{described}");
}

#[tokio::test]
async fn what_was_asked_is_what_is_counted() {
    let rig = Rig::new();
    let post = async |body: Value| rig.post("/v1/completions", &body).await;
    let prompt: Vec<u32> = (300..320).collect();
    let body = |tokens: u32, n: u32| json!({"model": "jarre-tiny", "prompt": prompt, "max_tokens": tokens, "n": n, "ignore_eos": true});
    post(body(5, 1)).await.ok();
    post(body(7, 2)).await.ok();
    let stopped = json!({"model": "jarre-tiny", "prompt": prompt, "max_tokens": 9, "allowed_token_ids": [400], "stop_token_ids": [400]});
    post(stopped).await.ok();
    post(json!({"model": "jarre-tiny"})).await.refused(400);
    let mut stream = rig
        .open("/v1/completions", &json!({"model": "jarre-tiny", "prompt": "fn", "max_tokens": 400, "stream": true, "ignore_eos": true}))
        .await;
    stream.next().await.unwrap();
    drop(stream);
    rig.until(Engine::is_idle).await;
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;

    let page = series(&rig.get("/metrics").await.text);
    let value = |name: &str| page[&format!("vllm:{name}{{{LABELS}}}")];
    let ended = |reason: &str| page.get(&format!("vllm:request_success_total{{{LABELS},finished_reason=\"{reason}\"}}")).copied();
    assert_eq!((ended("length"), ended("stop"), ended("abort")), (Some(3.0), Some(1.0), Some(1.0)));
    let whole =
        ["e2e_request_latency_seconds", "request_queue_time_seconds", "request_prefill_time_seconds", "request_decode_time_seconds"];
    for name in whole {
        assert_eq!(value(&format!("{name}_count")), 3.0, "{name}: one a request that was answered");
    }
    assert_eq!((value("request_prompt_tokens_sum"), value("request_generation_tokens_sum")), (60.0, 20.0));
    assert_eq!((value("request_params_n_sum"), value("request_params_max_tokens_sum")), (4.0, 21.0));
    assert_eq!(value("time_to_first_token_seconds_count"), 4.0, "the one that went away had its first token");
    assert!(value("prompt_tokens_total") >= 61.0 && value("generation_tokens_total") >= 21.0);
    assert_eq!((value("prefix_cache_hits_total"), value("num_requests_running")), (32.0, 0.0), "two prompts found a block of 16");
    let parts = ["queue", "prefill", "decode"].map(|part| value(&format!("request_{part}_time_seconds_sum"))).iter().sum::<f64>();
    assert!((parts - value("e2e_request_latency_seconds_sum")).abs() < 1e-6);
    let http = |status: u32| page[&format!(r#"http_requests_total{{handler="/v1/completions",method="POST",status="{status}"}}"#)];
    assert_eq!((http(200), http(400)), (4.0, 1.0));
}

#[tokio::test]
async fn evicted_blocks_tell_their_lives() {
    let mut narrow = options();
    narrow.kv_cache_bytes = 1 << 20;
    let rig = Rig::over(server(&narrow, config()));
    let ask = async |first: u32| {
        let prompt: Vec<u32> = (first..first + 100).collect();
        rig.post("/v1/completions", &json!({"model": "jarre-tiny", "prompt": prompt, "max_tokens": 2, "ignore_eos": true})).await.ok();
    };
    for _ in 0..3 {
        ask(300).await;
    }
    let mut values = [0.0; 3];
    for other in 1..200 {
        ask(300 + other).await;
        let page = series(&rig.get("/metrics").await.text);
        values =
            ["lifetime", "idle_before_evict", "reuse_gap"].map(|part| page[&format!("vllm:kv_block_{part}_seconds_count{{{LABELS}}}")]);
        let sums = ["lifetime", "idle_before_evict"].map(|part| page[&format!("vllm:kv_block_{part}_seconds_sum{{{LABELS}}}")]);
        assert!(sums[1] <= sums[0], "a block is idle for a part of its life");
        if values[2] > 0.0 {
            break;
        }
    }
    assert!(values[0] > 0.0 && values[0] == values[1], "{values:?}");
    assert!((1.0..=6.0).contains(&values[2]), "each of six blocks was found twice, which is one gap: {values:?}");
}
