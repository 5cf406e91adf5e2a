use std::sync::Arc;

use jarre_core::{
    Embedder, EmbedderInfo, ErrorKind, TokenCounter,
    testing::{HashEmbedder, contract},
};
use jarre_openai::{EncodingFormat, Vector};
use jarre_providers::{Dialect, EndpointConfig, OpenAiEmbedder};
use serde_json::{Value, json};

use crate::server::{Act, Request, Server, reply};

fn info() -> EmbedderInfo {
    HashEmbedder::default().info().clone()
}

/// A server that embeds, and gives the vectors back to front.
fn embedding_server() -> Server {
    Server::start(|_, request| {
        let texts: Vec<&str> = request.body["input"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
        let vectors = HashEmbedder::default().embed(&texts).unwrap();
        let encode = |row: &[f32]| serde_json::to_value(Vector::encode(row, EncodingFormat::Base64)).unwrap();
        let data: Vec<Value> =
            vectors.rows().enumerate().rev().map(|(index, row)| json!({"index": index, "embedding": encode(row)})).collect();
        reply(200, "", &json!({"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": 1, "total_tokens": 1}}).to_string())
    })
}

fn embedder(server: &Server) -> OpenAiEmbedder {
    OpenAiEmbedder::new(&EndpointConfig::new(&server.url).with_dialect(Dialect::Extended), info()).unwrap()
}

#[test]
fn the_contract_is_kept() {
    let server = embedding_server();
    let counter: Arc<dyn TokenCounter> = Arc::new(HashEmbedder::default());
    contract::embedder(&embedder(&server).with_batch(4).with_counter(counter));
}

#[test]
fn batches_keep_the_order() {
    let server = embedding_server();
    let texts: Vec<String> = (0..7).map(|number| format!("text number {number}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let vectors = embedder(&server).with_batch(3).with_dimensions().embed(&texts).unwrap();
    assert_eq!(vectors, HashEmbedder::default().embed(&texts).unwrap());
    let requests = server.requests();
    let sent: Vec<usize> = requests.iter().map(|request| request.body["input"].as_array().unwrap().len()).collect();
    assert_eq!(sent, [3, 3, 1]);
    assert_eq!(requests[0].line, "POST /v1/embeddings HTTP/1.1");
    let expected = json!({"model": info().name, "input": texts[..3], "encoding_format": "base64", "dimensions": info().dims});
    assert_eq!(requests[0].body, expected);
}

#[test]
fn an_empty_text_is_sent_as_openai_takes_it() {
    let server = embedding_server();
    OpenAiEmbedder::new(&EndpointConfig::new(&server.url), info()).unwrap().embed(&["", "a"]).unwrap();
    assert_eq!(server.requests()[0].body["input"], json!([" ", "a"]));
}

#[test]
fn answers_that_do_not_fit_are_refused() {
    let row = |length: usize| Value::from(vec![0.5; length]);
    let dims = info().dims;
    let answers = [
        json!({"data": []}),
        json!({"data": [{"index": 0, "embedding": row(dims)}]}),
        json!({"data": [{"index": 0, "embedding": row(dims)}, {"index": 0, "embedding": row(dims)}]}),
        json!({"data": [{"index": 0, "embedding": row(dims)}, {"index": 2, "embedding": row(dims)}]}),
        json!({"data": [{"index": 0, "embedding": row(dims)}, {"index": 1, "embedding": row(dims + 1)}]}),
        json!({"data": [{"index": 0, "embedding": row(dims)}, {"index": 1, "embedding": "AAA="}]}),
        json!({"data": [{"index": 0, "embedding": row(dims)}, {"index": 1, "embedding": Vector::encode(&vec![f32::NAN; dims], EncodingFormat::Base64)}]}),
    ];
    for answer in answers {
        let body = answer.to_string();
        let server = Server::start(move |_, _: &Request| -> Vec<Act> { reply(200, "", &body) });
        assert_eq!(embedder(&server).embed(&["a", "b"]).unwrap_err().kind(), ErrorKind::InvalidResponse, "{answer}");
    }
}

#[tokio::test]
async fn it_can_be_used_and_dropped_among_async_tasks() {
    let server = embedding_server();
    let embedder = Arc::new(embedder(&server));
    let shared = Arc::clone(&embedder);
    let rows = tokio::task::spawn_blocking(move || shared.embed(&["a", "b"]).unwrap().len()).await.unwrap();
    assert_eq!(rows, 2);
    drop(embedder);
}
