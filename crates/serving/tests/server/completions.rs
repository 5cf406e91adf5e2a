use serde_json::{Value, json};

use crate::harness::Rig;

const PATH: &str = "/v1/completions";

fn asked(fields: Value) -> Value {
    let mut body = json!({"model": "jarre-tiny", "prompt": "fn main() {", "max_tokens": 8, "temperature": 0, "ignore_eos": true});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

fn text(choice: &Value) -> &str {
    choice["text"].as_str().unwrap()
}

#[tokio::test]
async fn choices_of_several_prompts_are_numbered_through() {
    let rig = Rig::new();
    let prompts = ["The borrow checker", "A trait is"];
    let body = |stream: bool| asked(json!({"prompt": prompts, "n": 2, "stream": stream, "temperature": 1, "seed": 3}));
    let whole = rig.post(PATH, &body(false)).await.ok();
    let choices = whole["choices"].as_array().unwrap();
    assert_eq!(choices.iter().map(|choice| choice["index"].as_u64().unwrap()).collect::<Vec<_>>(), [0, 1, 2, 3]);
    for (place, prompt) in prompts.iter().enumerate() {
        let alone = rig.post(PATH, &asked(json!({"prompt": prompt, "n": 2, "temperature": 1, "seed": 3}))).await.ok();
        for answer in 0..2 {
            assert_eq!(text(&choices[place * 2 + answer]), text(&alone["choices"][answer]));
        }
    }
    assert_eq!(whole["usage"]["completion_tokens"], 32);
    let mut streamed = vec![String::new(); 4];
    for event in rig.post(PATH, &body(true)).await.events() {
        for choice in event["choices"].as_array().unwrap() {
            streamed[choice["index"].as_u64().unwrap() as usize].push_str(text(choice));
        }
    }
    assert_eq!(streamed, choices.iter().map(text).collect::<Vec<_>>());
}

#[tokio::test]
async fn tokens_are_a_prompt_too() {
    let rig = Rig::new();
    let tokens = rig.post("/tokenize", &json!({"prompt": "fn main() {"})).await.ok()["tokens"].clone();
    let (by_text, by_tokens) = (rig.post(PATH, &asked(json!({}))).await.ok(), rig.post(PATH, &asked(json!({"prompt": tokens}))).await.ok());
    assert_eq!(text(&by_text["choices"][0]), text(&by_tokens["choices"][0]));
    let unknown = rig.post(PATH, &asked(json!({"prompt": [4_000_000]}))).await.refused(400);
    assert!(unknown["message"].as_str().unwrap().contains("4000000"), "{unknown}");
}

#[tokio::test]
async fn an_echo_stands_before_the_answer_with_its_scores() {
    let rig = Rig::new();
    let plain = rig.post(PATH, &asked(json!({}))).await.ok();
    for stream in [false, true] {
        let reply = rig.post(PATH, &asked(json!({"echo": true, "logprobs": 2, "stream": stream}))).await;
        let events = if stream { reply.events() } else { vec![reply.ok()] };
        let choices: Vec<&Value> = events.iter().flat_map(|event| event["choices"].as_array().unwrap()).collect();
        let said: String = choices.iter().map(|choice| text(choice)).collect();
        assert_eq!(said, format!("fn main() {{{}", text(&plain["choices"][0])));
        let list = |name: &str| choices.iter().filter_map(|choice| choice["logprobs"][name].as_array()).flatten().collect::<Vec<_>>();
        let (tokens, offsets, scores) = (list("tokens"), list("text_offset"), list("token_logprobs"));
        let prompt = plain["usage"]["prompt_tokens"].as_u64().unwrap() as usize;
        assert_eq!(
            (tokens.len(), offsets.len(), scores.len(), list("top_logprobs").len()),
            (prompt + 8, prompt + 8, prompt + 8, prompt + 8)
        );
        assert!(scores[0].is_null() && scores[1..].iter().all(|score| score.as_f64().unwrap() <= 0.0));
        for (token, offset) in tokens.iter().zip(offsets) {
            let rest: String = said.chars().skip(offset.as_u64().unwrap() as usize).collect();
            assert!(rest.starts_with(token.as_str().unwrap()), "{token} at {offset}");
        }
    }
}

#[tokio::test]
async fn limits_of_an_answer_are_kept() {
    let rig = Rig::new();
    let body = json!({"model": "jarre-tiny", "prompt": "fn", "ignore_eos": true});
    assert_eq!(rig.post(PATH, &body).await.ok()["usage"]["completion_tokens"], 16, "OpenAI's own default");
    let error = rig.post(PATH, &asked(json!({"best_of": 4}))).await.refused(400);
    assert_eq!(error["param"], "best_of");
    let most = vec!["a"; 65];
    let error = rig.post(PATH, &asked(json!({"prompt": most}))).await.refused(400);
    assert!(error["message"].as_str().unwrap().contains("65") && error["param"] == "prompt");
    let error = rig.post(PATH, &asked(json!({"n": 99}))).await.refused(400);
    assert!(error["message"].as_str().unwrap().contains("99"), "{error}");
}

#[tokio::test]
async fn penalties_and_bans_reach_the_model() {
    let rig = Rig::new();
    let plain = rig.post(PATH, &asked(json!({"logprobs": 1}))).await.ok();
    let first = plain["choices"][0]["logprobs"]["tokens"][0].as_str().unwrap().to_owned();
    let id = rig.post("/tokenize", &json!({"prompt": format!("fn main() {{{first}"), "add_special_tokens": false})).await.ok();
    let id = id["tokens"].as_array().unwrap().last().unwrap().to_string();
    let banned = rig.post(PATH, &asked(json!({"logprobs": 1, "logit_bias": {id: -100}}))).await.ok();
    assert_ne!(banned["choices"][0]["logprobs"]["tokens"][0].as_str().unwrap(), first);
    let allowed = rig.post(PATH, &asked(json!({"allowed_token_ids": [300], "max_tokens": 3, "logprobs": 0}))).await.ok();
    let tokens = allowed["choices"][0]["logprobs"]["tokens"].as_array().unwrap();
    assert!(tokens.len() == 3 && tokens.iter().all(|token| *token == tokens[0]));
}
