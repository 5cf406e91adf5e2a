use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use axum::http::header;
use jarre_core::testing::HashEmbedder;
use jarre_core::{Embedder, EmbedderInfo, Embeddings, Reranker, Result, TokenCounter};
use jarre_openai::Vector;
use jarre_serving::Engine;
use jarre_serving::server::ServerConfig;
use jarre_transformer::{Device, SentenceEncoder};
use serde_json::json;

use crate::harness::{Rig, assets, config, options, server};
use crate::metrics::series;

/// Scores a candidate by the words that it shares with the query.
struct SharedWords;

impl Reranker for SharedWords {
    fn name(&self) -> &'static str {
        "shared-words"
    }

    fn score(&self, query: &str, candidates: &[&str]) -> Result<Vec<f32>> {
        let shared = |candidate: &&str| candidate.split(' ').filter(|word| query.split(' ').any(|other| other == *word)).count() as f32;
        Ok(candidates.iter().map(shared).collect())
    }
}

fn rig() -> Rig {
    let encoder = SentenceEncoder::from_folder(assets().join("all-minilm-l6-v2-int8"), &Device::default()).unwrap();
    let count = |text: &str| text.split(' ').count();
    Rig::over(server(&options(), config()).with_sentence_encoder(encoder).with_reranker(Arc::new(SharedWords), count, 8))
}

#[tokio::test]
async fn vectors_come_in_both_forms() {
    let rig = rig();
    let model = "all-minilm-l6-v2-int8";
    let texts = ["Where is the library?", "The library stands by the river.", "A cat."];
    let floats = rig.post("/v1/embeddings", &json!({"model": model, "input": texts})).await.ok();
    let vector = |index: usize| -> Vec<f32> { serde_json::from_value(floats["data"][index]["embedding"].clone()).unwrap() };
    let dot = |one: &[f32], other: &[f32]| one.iter().zip(other).map(|(a, b)| a * b).sum::<f32>();
    assert_eq!((vector(0).len(), floats["data"].as_array().unwrap().len()), (384, 3));
    assert!(dot(&vector(0), &vector(1)) > dot(&vector(0), &vector(2)) + 0.2);
    assert!(floats["usage"]["prompt_tokens"].as_u64().unwrap() >= 12);
    let coded = rig.post("/v1/embeddings", &json!({"model": model, "input": texts, "encoding_format": "base64"})).await.ok();
    let coded: Vector = serde_json::from_value(coded["data"][1]["embedding"].clone()).unwrap();
    assert_eq!(coded.into_values().unwrap(), vector(1));

    let long = "word ".repeat(400);
    let error = rig.post("/v1/embeddings", &json!({"model": model, "input": ["a", long]})).await.refused(400);
    assert!(error["message"].as_str().unwrap().contains("text 1") && error["code"] == "context_length_exceeded", "{error}");
    assert_eq!(
        rig.post("/v1/embeddings", &json!({"model": model, "input": "a", "dimensions": 3})).await.refused(400)["param"],
        "dimensions"
    );
    assert_eq!(rig.post("/v1/embeddings", &json!({"model": model, "input": [1, 2]})).await.refused(400)["param"], "input");
    assert_eq!(rig.post("/v1/embeddings", &json!({"model": "jarre-tiny", "input": "a"})).await.refused(404)["code"], "model_not_found");
}

#[tokio::test]
async fn vectors_are_those_of_the_encoder() {
    let folder = assets().join("all-minilm-l6-v2-int8");
    let encoder = SentenceEncoder::from_folder(&folder, &Device::default()).unwrap();
    let texts: Vec<String> = (0..30).map(|i| "the library by the river ".repeat(1 + i % 9)).collect();
    let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
    let wanted = encoder.embed(&borrowed).unwrap();
    let answer = rig().post("/v1/embeddings", &json!({"model": "all-minilm-l6-v2-int8", "input": texts})).await.ok();
    for (index, wanted) in wanted.rows().enumerate() {
        let row: Vec<f32> = serde_json::from_value(answer["data"][index]["embedding"].clone()).unwrap();
        assert!(row.iter().zip(wanted).all(|(one, other)| (one - other).abs() < 1e-5), "{index}");
    }
}

/// Computes while it is let.
struct Gated {
    inner: HashEmbedder,
    open: Mutex<bool>,
    changed: Condvar,
    entered: AtomicBool,
}

impl Gated {
    fn new(open: bool) -> Arc<Self> {
        Arc::new(Self {
            inner: HashEmbedder::new(8, 512),
            open: Mutex::new(open),
            changed: Condvar::new(),
            entered: AtomicBool::new(false),
        })
    }

    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.changed.notify_all();
    }

    async fn until_entered(&self) {
        while !self.entered.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

impl Embedder for Gated {
    fn info(&self) -> &EmbedderInfo {
        self.inner.info()
    }

    fn embed(&self, texts: &[&str]) -> Result<Embeddings> {
        self.entered.store(true, Ordering::SeqCst);
        let open = self.open.lock().unwrap();
        drop(self.changed.wait_while(open, |open| !*open).unwrap());
        self.inner.embed(texts)
    }
}

impl TokenCounter for Gated {
    fn token_spans(&self, text: &str) -> Vec<std::ops::Range<usize>> {
        self.inner.token_spans(text)
    }
}

fn gated(embedder: &Arc<Gated>, max_waiting: usize, config: ServerConfig) -> Arc<Rig> {
    let mut narrow = options();
    (narrow.max_num_seqs, narrow.max_waiting) = (1, max_waiting);
    Arc::new(Rig::over(server(&narrow, config).with_embedder(Arc::clone(embedder))))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_queue_bounds_generation_and_embedding() {
    let embedder = Gated::new(false);
    // The one that is computed leaves the queue after its step.
    let rig = gated(&embedder, 3, config());
    let name = embedder.info().name.clone();
    let embed = json!({"model": name, "input": "a b c"});
    let complete = json!({"model": "jarre-tiny", "prompt": "fn", "max_tokens": 2});
    let spawn = |path: &'static str, body: &serde_json::Value| {
        let (rig, body) = (Arc::clone(&rig), body.clone());
        tokio::spawn(async move { rig.post(path, &body).await })
    };
    let running = spawn("/v1/embeddings", &embed);
    embedder.until_entered().await;
    let waiting = [spawn("/v1/embeddings", &embed), spawn("/v1/completions", &complete)];
    while rig.engine.check_queue().is_ok() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let reply = rig.post("/v1/embeddings", &embed).await;
    assert_eq!(reply.refused(429)["code"], "rate_limit_exceeded");
    assert_eq!(reply.headers[header::RETRY_AFTER], "1");
    assert_eq!(rig.post("/v1/completions", &complete).await.refused(429)["code"], "rate_limit_exceeded");
    embedder.open();
    running.await.unwrap().ok();
    for call in waiting {
        call.await.unwrap().ok();
    }
    rig.until(Engine::is_idle).await;
    let page = series(&rig.get("/metrics").await.text);
    let stopped = page.iter().find(|(name, _)| name.starts_with("vllm:request_success_total") && name.contains("stop")).unwrap();
    assert!(*stopped.1 >= 2.0, "embeddings are counted: {stopped:?}");
    let queued = page.iter().find(|(name, _)| name.starts_with("vllm:request_queue_time_seconds_count")).unwrap();
    assert!(*queued.1 >= 3.0, "{queued:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn embeddings_are_late_cancelled_and_drained_as_answers_are() {
    let embedder = Gated::new(false);
    let rig = gated(&embedder, 64, config().with_request_timeout(Duration::from_millis(250)));
    let body = json!({"model": embedder.info().name, "input": "a b c"});
    let call = tokio::time::timeout(Duration::from_millis(30), rig.post("/v1/embeddings", &body));
    assert!(call.await.is_err(), "the encoder is stuck");
    assert!(!rig.engine.is_idle(), "the engine hears of it after the step");
    let (waiting, second) = (Arc::clone(&rig), body.clone());
    let late = tokio::spawn(async move { waiting.post("/v1/embeddings", &second).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    embedder.open();
    assert_eq!(late.await.unwrap().refused(504)["code"], "timeout");
    rig.until(Engine::is_idle).await;

    rig.post("/v1/embeddings", &body).await.ok();
    rig.engine.close();
    assert_eq!(rig.post("/v1/embeddings", &body).await.refused(503)["code"], "service_unavailable");
}

#[tokio::test]
async fn pairs_are_scored_and_ordered() {
    let rig = rig();
    let body = json!({"model": "shared-words", "text_1": "a b c", "text_2": ["a x", "a b", "y"]});
    let scores = rig.post("/v1/score", &body).await.ok();
    let values: Vec<f64> = scores["data"].as_array().unwrap().iter().map(|score| score["score"].as_f64().unwrap()).collect();
    assert_eq!((values, &scores["usage"]["prompt_tokens"]), (vec![1.0, 2.0, 0.0], &json!(14)));
    let paired = json!({"model": "shared-words", "text_1": ["a", "b", "b"], "text_2": ["a", "a", "b"]});
    let paired = rig.post("/v1/score", &paired).await.ok();
    assert_eq!([0, 1, 2].map(|index| paired["data"][index]["score"].as_f64().unwrap()), [1.0, 0.0, 1.0]);

    let body = json!({"model": "shared-words", "query": "a b c", "documents": ["a x", {"text": "a b"}, "y"], "top_n": 2});
    let order = rig.post("/v1/rerank", &body).await.ok();
    let places: Vec<u64> = order["results"].as_array().unwrap().iter().map(|result| result["index"].as_u64().unwrap()).collect();
    assert_eq!((places, order["results"][0]["document"]["text"].as_str()), (vec![1, 0], Some("a b")));
    let long = json!({"model": "shared-words", "query": "a b c", "documents": ["a b c d e f"]});
    assert_eq!(rig.post("/v1/rerank", &long).await.refused(400)["code"], "context_length_exceeded");
}

#[tokio::test]
async fn a_server_without_encoders_says_so() {
    let rig = Rig::new();
    for (path, body) in [
        ("/v1/embeddings", json!({"model": "jarre-tiny", "input": "a"})),
        ("/v1/score", json!({"model": "jarre-tiny", "text_1": "a", "text_2": "b"})),
        ("/v1/rerank", json!({"model": "jarre-tiny", "query": "a", "documents": ["b"]})),
    ] {
        assert_eq!(rig.post(path, &body).await.refused(404)["code"], "model_not_found");
    }
}
