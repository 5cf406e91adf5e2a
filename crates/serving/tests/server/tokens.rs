use serde_json::json;

use crate::harness::{Rig, config, options, server};

#[tokio::test]
async fn text_comes_back_from_its_tokens() {
    let rig = Rig::new();
    let text = "fn main() { println!(\"héllo 字\"); }";
    let cut = rig.post("/tokenize", &json!({"prompt": text, "return_token_strs": true})).await.ok();
    assert_eq!(
        (cut["count"].as_u64().unwrap() as usize, cut["max_model_len"].as_u64()),
        (cut["tokens"].as_array().unwrap().len(), Some(512))
    );
    assert_eq!(cut["token_strs"].as_array().unwrap().len(), cut["tokens"].as_array().unwrap().len());
    assert_eq!(rig.post("/detokenize", &json!({"tokens": cut["tokens"]})).await.ok()["prompt"], text);
}

#[tokio::test]
async fn a_conversation_is_cut_as_it_is_answered() {
    let rig = Rig::new();
    let messages = json!([{"role": "user", "content": "Explain ownership."}]);
    let cut = rig.post("/tokenize", &json!({"messages": messages})).await.ok();
    let answer = rig.post("/v1/chat/completions", &json!({"model": "jarre-tiny", "messages": messages, "max_tokens": 1})).await.ok();
    assert_eq!(cut["count"], answer["usage"]["prompt_tokens"]);
    let error = rig.post("/tokenize", &json!({"messages": messages, "add_special_tokens": true})).await.refused(400);
    assert_eq!(error["param"], "add_special_tokens");
    rig.post("/tokenize", &json!({"prompt": "a", "model": "other"})).await.refused(404);
}

#[tokio::test]
async fn models_go_by_their_names() {
    let rig = Rig::over(server(&options(), config().with_alias("org/small")));
    let models = rig.get("/v1/models").await.ok();
    let names: Vec<&str> = models["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert_eq!((names, models["object"].as_str()), (vec!["jarre-tiny", "org/small"], Some("list")));
    let one = rig.get("/v1/models/org/small").await.ok();
    assert_eq!((one["max_model_len"].as_u64(), one["root"].as_str()), (Some(512), Some("jarre-tiny")));
    let body = json!({"model": "org/small", "prompt": "fn", "max_tokens": 1});
    assert_eq!(rig.post("/v1/completions", &body).await.ok()["model"], "org/small");
    assert_eq!(rig.get("/openapi.json").await.ok()["openapi"], "3.1.0");
}
