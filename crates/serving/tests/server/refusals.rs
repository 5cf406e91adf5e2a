use axum::body::Body;
use axum::http::{Method, header};
use serde_json::{Value, json};

use crate::harness::{Rig, config, options, raw, server};

const CHAT: &str = "/v1/chat/completions";

fn chat(fields: Value) -> Value {
    let mut body = json!({"model": "jarre-tiny", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let rig = Rig::new();
    let cases = [
        (json!({"temprature": 0}), "temprature"),
        (json!({"temperature": "hot"}), "temperature"),
        (json!({"temperature": 3}), "temperature"),
        (json!({"max_tokens": 0}), "max_tokens"),
        (json!({"n": 0}), "n"),
        (json!({"logit_bias": {"x": 1}}), "logit_bias.x"),
        (json!({"bad_words": ["x"]}), "bad_words"),
        (json!({"skip_special_tokens": false}), "skip_special_tokens"),
        (json!({"tools": [{"type": "function", "function": {"name": "f"}}]}), "tools"),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]}]}),
            "messages[0].content",
        ),
    ];
    for (fields, param) in cases {
        let error = rig.post(CHAT, &chat(fields)).await.refused(400);
        assert_eq!((error["param"].as_str(), error["type"].as_str()), (Some(param), Some("invalid_request_error")), "{error}");
    }
    let error = rig.post(CHAT, &chat(json!({"model": "gpt-4"}))).await.refused(404);
    assert_eq!((error["code"].as_str(), error["param"].as_str()), (Some("model_not_found"), Some("model")));
    assert_eq!(rig.get("/v1/models/gpt-4").await.refused(404)["code"], "model_not_found");
}

#[cfg(not(feature = "grammar"))]
#[tokio::test]
async fn forms_are_refused_where_nothing_holds_to_them() {
    let rig = Rig::new();
    let error = rig.post(CHAT, &chat(json!({"response_format": {"type": "json_object"}}))).await.refused(400);
    assert_eq!(error["param"], "response_format");
    let error = rig.post(CHAT, &chat(json!({"structured_outputs": {"regex": "a+"}}))).await.refused(400);
    assert_eq!(error["param"], "structured_outputs");
    rig.post(CHAT, &chat(json!({"response_format": {"type": "text"}}))).await.ok();
}

#[tokio::test]
async fn a_prompt_that_does_not_fit_is_told_with_the_numbers() {
    let rig = Rig::new();
    let prompt: Vec<u32> = vec![300; 600];
    let error = rig.post("/v1/completions", &json!({"model": "jarre-tiny", "prompt": prompt, "max_tokens": 10})).await.refused(400);
    let message = error["message"].as_str().unwrap();
    assert!(["600", "10", "512"].iter().all(|number| message.contains(number)), "{message}");
    assert_eq!(error["code"], "context_length_exceeded");
    let error = rig.post(CHAT, &chat(json!({"max_tokens": 512}))).await.refused(400);
    assert_eq!(error["code"], "context_length_exceeded");
}

#[tokio::test]
async fn hostile_bodies_are_refused_and_harm_nobody() {
    let rig = Rig::over(server(&options(), config().with_max_body_bytes(100_000)));
    let bodies: [(Vec<u8>, u16); 6] = [
        (b"{\"model\": \"\xff\xfe\"}".to_vec(), 400),
        (b"".to_vec(), 400),
        (b"[1, 2".to_vec(), 400),
        ("[".repeat(90_000).into_bytes(), 400),
        (br#"{"model": "jarre-tiny", "model": "jarre-tiny"}"#.to_vec(), 400),
        (vec![b' '; 100_001], 413),
    ];
    for (body, status) in bodies {
        for path in [CHAT, "/v1/completions", "/v1/embeddings", "/v1/score", "/v1/rerank", "/tokenize", "/detokenize"] {
            rig.send(raw(Method::POST, path, body.clone())).await.refused(status);
        }
    }
    let mut stated = raw(Method::POST, CHAT, Body::empty());
    stated.headers_mut().insert(header::CONTENT_LENGTH, "99999999999".parse().unwrap());
    rig.send(stated).await.refused(413);
    assert_eq!(rig.post(CHAT, &chat(json!({}))).await.status, 200);
}

#[tokio::test]
async fn wrong_paths_and_methods_have_the_same_form() {
    let rig = Rig::new();
    assert_eq!(rig.get("/v1/nothing").await.refused(404)["code"], "not_found");
    let wrong = rig.get(CHAT).await;
    assert_eq!(wrong.refused(405)["code"], "method_not_allowed");
    assert_eq!(wrong.headers[header::ALLOW], "POST");
    let head = rig.send(raw(Method::HEAD, "/health", Body::empty())).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    assert_eq!(rig.send(raw(Method::DELETE, "/v1/models", Body::empty())).await.status, 405);
}
