use serde_json::{Value, json};

use crate::harness::Rig;

const PATH: &str = "/v1/chat/completions";

fn asked(fields: Value) -> Value {
    let mut body = json!({"model": "jarre-tiny", "messages": [{"role": "user", "content": "Explain ownership."}], "max_tokens": 12,
                          "temperature": 0, "ignore_eos": true});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

/// The text of each of `n` streamed answers, and why each ended.
fn joined(events: &[Value], n: usize) -> Vec<(String, String)> {
    let mut answers = vec![(String::new(), String::new()); n];
    for choice in events.iter().flat_map(|event| event["choices"].as_array().unwrap()) {
        let answer = &mut answers[choice["index"].as_u64().unwrap() as usize];
        assert!(answer.1.is_empty(), "nothing follows an end");
        assert_eq!(choice["delta"].get("role").is_some(), answer.0.is_empty() && choice["delta"]["role"] == "assistant");
        answer.0.push_str(choice["delta"]["content"].as_str().unwrap_or_default());
        answer.1.push_str(choice["finish_reason"].as_str().unwrap_or_default());
    }
    answers
}

#[tokio::test]
async fn a_streamed_answer_is_the_whole_one_in_pieces() {
    let rig = Rig::new();
    let whole = rig.post(PATH, &asked(json!({}))).await.ok();
    let choice = &whole["choices"][0];
    assert_eq!((whole["object"].as_str(), choice["message"]["role"].as_str()), (Some("chat.completion"), Some("assistant")));
    assert_eq!((choice["finish_reason"].as_str(), &whole["usage"]["completion_tokens"]), (Some("length"), &json!(12)));
    let text = choice["message"]["content"].as_str().unwrap();
    assert!(!text.is_empty());

    let events = rig.post(PATH, &asked(json!({"stream": true, "stream_options": {"include_usage": true}}))).await.events();
    assert_eq!(joined(&events, 1), [(text.to_owned(), "length".to_owned())]);
    assert!(events.len() > 4, "it comes in pieces");
    assert!(events.iter().all(|event| event["id"] == events[0]["id"] && event["object"] == "chat.completion.chunk"));
    let last = events.last().unwrap();
    assert_eq!((last["choices"].as_array().unwrap().len(), &last["usage"]["completion_tokens"]), (0, &json!(12)));
    assert_eq!(last["usage"]["prompt_tokens"], whole["usage"]["prompt_tokens"]);
    let cached = last["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap();
    assert_eq!(cached > 0, whole["usage"]["prompt_tokens"].as_u64().unwrap() > 16, "the second finds the first's blocks");
    assert!(events[..events.len() - 1].iter().all(|event| event.get("usage").is_none()));
}

#[tokio::test]
async fn several_answers_come_interleaved_and_as_their_seed_says() {
    let rig = Rig::new();
    let fields = |stream: bool| asked(json!({"n": 3, "seed": 5, "temperature": 1, "stream": stream}));
    let whole = rig.post(PATH, &fields(false)).await.ok();
    let texts: Vec<&str> =
        whole["choices"].as_array().unwrap().iter().map(|choice| choice["message"]["content"].as_str().unwrap()).collect();
    assert_eq!(whole["usage"]["completion_tokens"], 36);
    assert!(texts[0] != texts[1] && texts[1] != texts[2], "{texts:?}");
    let events = rig.post(PATH, &fields(true)).await.events();
    let streamed: Vec<String> = joined(&events, 3).into_iter().map(|answer| answer.0).collect();
    assert_eq!(streamed, texts);
    let order: Vec<u64> = events.iter().map(|event| event["choices"][0]["index"].as_u64().unwrap()).collect();
    assert!(order.windows(2).filter(|pair| pair[0] != pair[1]).count() > 6, "{order:?}");
}

#[tokio::test]
async fn requests_without_a_seed_differ() {
    let rig = Rig::new();
    let fields = asked(json!({"temperature": 1.5, "max_tokens": 16}));
    let (one, other) = (rig.post(PATH, &fields).await.ok(), rig.post(PATH, &fields).await.ok());
    assert_ne!(one["choices"][0]["message"], other["choices"][0]["message"]);
    assert_ne!(one["id"], other["id"]);
}

#[tokio::test]
async fn log_probabilities_spell_the_text() {
    let rig = Rig::new();
    let whole = rig.post(PATH, &asked(json!({"logprobs": true, "top_logprobs": 3, "prompt_logprobs": 1}))).await.ok();
    let choice = &whole["choices"][0];
    let entries = choice["logprobs"]["content"].as_array().unwrap();
    assert_eq!(entries.len(), 12);
    let bytes: Vec<u8> =
        entries.iter().flat_map(|entry| entry["bytes"].as_array().unwrap()).map(|byte| byte.as_u64().unwrap() as u8).collect();
    assert_eq!(String::from_utf8_lossy(&bytes), choice["message"]["content"].as_str().unwrap());
    for entry in entries {
        let top = entry["top_logprobs"].as_array().unwrap();
        assert_eq!((top.len(), &top[0]["token"], &top[0]["logprob"]), (3, &entry["token"], &entry["logprob"]), "the likeliest was taken");
        assert!(top[0]["logprob"].as_f64() >= top[1]["logprob"].as_f64() && entry["logprob"].as_f64().unwrap() <= 0.0);
    }
    let prompt = whole["prompt_logprobs"].as_array().unwrap();
    assert_eq!(prompt.len() as u64, whole["usage"]["prompt_tokens"].as_u64().unwrap());
    assert!(prompt[0].is_null() && prompt[1].as_object().unwrap().values().all(|entry| entry["logprob"].as_f64().unwrap() <= 0.0));

    let events = rig.post(PATH, &asked(json!({"logprobs": true, "top_logprobs": 3, "stream": true}))).await.events();
    let streamed: Vec<&Value> = events.iter().filter_map(|event| event["choices"][0]["logprobs"]["content"].as_array()).flatten().collect();
    let tokens = |entries: &[&Value]| entries.iter().map(|entry| entry["token"].clone()).collect::<Vec<_>>();
    assert_eq!(tokens(&streamed), tokens(&entries.iter().collect::<Vec<_>>()));
}

#[tokio::test]
async fn ends_are_told() {
    let rig = Rig::new();
    let text = rig.post(PATH, &asked(json!({}))).await.ok()["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
    let stop: String = text.chars().skip(6).take(4).collect();
    let before = &text[..text.find(&stop).unwrap()];
    for stream in [false, true] {
        let reply = rig.post(PATH, &asked(json!({"stop": stop, "stream": stream}))).await;
        let events = if stream { reply.events() } else { vec![reply.ok()] };
        let end = &events.last().unwrap()["choices"][0];
        assert_eq!((end["finish_reason"].as_str(), end["stop_reason"].as_str()), (Some("stop"), Some(stop.as_str())));
        let said = if stream { joined(&events, 1).remove(0).0 } else { end["message"]["content"].as_str().unwrap().to_owned() };
        assert_eq!(said, before);
    }
    let kept = rig.post(PATH, &asked(json!({"stop": stop, "include_stop_str_in_output": true}))).await.ok();
    assert_eq!(kept["choices"][0]["message"]["content"].as_str().unwrap(), format!("{before}{stop}"));

    let only = json!({"allowed_token_ids": [300], "stop_token_ids": [300], "min_tokens": 0});
    let end = rig.post(PATH, &asked(only)).await.ok()["choices"][0].clone();
    assert_eq!((end["finish_reason"].as_str(), end["stop_reason"].as_u64()), (Some("stop"), Some(300)));
    let eos = rig.post(PATH, &asked(json!({"ignore_eos": false, "logit_bias": {"0": 100}}))).await.ok()["choices"][0].clone();
    assert_eq!((eos["finish_reason"].as_str(), eos.get("stop_reason")), (Some("stop"), None), "the model's own end has no name");
}

#[tokio::test]
async fn the_template_is_the_callers_to_steer() {
    let rig = Rig::new();
    let count = async |fields: Value| rig.post(PATH, &asked(fields)).await.ok()["usage"]["prompt_tokens"].as_u64().unwrap();
    assert!(count(json!({"add_generation_prompt": false})).await < count(json!({})).await);
}

#[cfg(feature = "grammar")]
#[tokio::test]
async fn an_answer_keeps_to_the_form_that_is_asked_for() {
    let rig = Rig::new();
    let form = json!({"structured_outputs": {"regex": "(yes|no), [0-9]{3}"}, "max_tokens": 30, "n": 3, "temperature": 1, "seed": 5});
    let whole = rig.post(PATH, &asked(form)).await.ok();
    for choice in whole["choices"].as_array().unwrap() {
        let (word, number) = choice["message"]["content"].as_str().unwrap().split_once(", ").unwrap();
        assert!(["yes", "no"].contains(&word) && number.len() == 3 && number.parse::<u32>().is_ok(), "{choice}");
        assert_eq!(choice["finish_reason"], "stop");
    }
    let wrong = asked(json!({"structured_outputs": {"regex": "("}}));
    rig.post(PATH, &wrong).await.refused(400);
}
