use std::sync::Arc;

use jarre_core::{Reranker, Result};
use jarre_openai::Vector;
use jarre_transformer::{Device, SentenceEncoder};
use serde_json::json;

use crate::harness::{Rig, assets, config, options, server};

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
