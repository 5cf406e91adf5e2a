use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::client::{Answer, Proxy, chat, until};
use crate::upstream::{Says, Upstream};

fn pieces(pieces: &[&str]) -> Says {
    Says::Pieces(pieces.iter().map(|&piece| piece.to_owned()).collect(), Duration::ZERO)
}

#[tokio::test]
async fn a_whole_answer_comes_through_and_says_what_the_guards_did() {
    let upstream = Upstream::start(pieces(&["it is ", "19", "84 now"])).await;
    let proxy = Proxy::before(&upstream.url).await;
    let answer = proxy.ask("when is it?").await;
    assert_eq!((answer.status, answer.content().as_str()), (200, "it is #### now"));
    let body = answer.json();
    assert_eq!(
        (&body["object"], &body["model"], &body["usage"]["total_tokens"]),
        (&json!("chat.completion"), &json!("small-1"), &json!(13))
    );
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
    assert_eq!(body["id"], answer.headers["x-request-id"]);
    let acted = json!([{"stage": "output", "name": "words", "action": "redact", "found": ["number"]}]);
    assert_eq!(answer.verdict(), json!({"allowed": true, "layers": acted}));
    assert_eq!(upstream.keys(), ["Bearer upstream-secret"]);
}

#[tokio::test]
async fn what_is_replaced_in_a_stream_may_lie_across_pieces() {
    let upstream = Upstream::start(pieces(&["call 1", "2", "3", "4 or 5", "678", "."])).await;
    let proxy = Proxy::before(&upstream.url).await;
    let response = proxy.stream("whom?").await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let answer = Answer::read(response).await;
    assert_eq!(answer.streamed(), "call #### or ####.");
    assert!(!answer.text.contains("1234") && !answer.text.contains("5678"));
    let events = answer.events();
    assert_eq!((answer.finish().as_deref(), events.last().unwrap()), (Some("stop"), &json!("[DONE]")));
    assert_eq!(events[events.len() - 2]["usage"]["prompt_tokens"], 9, "it was asked for");
    assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(answer.comment()["layers"][0]["action"], "redact");
}

#[tokio::test]
async fn a_blocked_input_never_reaches_the_upstream() {
    let upstream = Upstream::start(Says::Echo(3)).await;
    let proxy = Proxy::before(&upstream.url).await;
    for stream in [false, true] {
        let answer = proxy.send("/v1/chat/completions", chat("please stopit", stream)).await;
        assert_eq!((answer.status, &answer.json()["error"]["code"]), (400, &json!("content_filter")), "{answer:?}");
        assert_eq!(answer.verdict()["layers"][0]["action"], "block");
        assert_eq!(answer.verdict()["allowed"], false);
        assert!(!format!("{answer:?}").contains("stopit"), "{answer:?}");
    }
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn a_blocked_output_ends_there_and_the_upstream_is_let_go() {
    let upstream = Upstream::start(Says::Endless("fine, stopping ", Duration::from_millis(1))).await;
    let proxy = Proxy::before(&upstream.url).await;
    let answer = Answer::read(proxy.stream("go").await).await;
    assert_eq!(answer.finish().as_deref(), Some("content_filter"));
    assert!(answer.streamed().starts_with("fine, ") && !answer.streamed().contains("stopping"), "{}", answer.text);
    assert_eq!((&answer.comment()["allowed"], answer.events().last().unwrap()), (&json!(false), &json!("[DONE]")));
    until("the upstream sees that it is cut off", async || upstream.gone() == 1).await;
    let answer = proxy.ask("go").await;
    assert_eq!((answer.status, &answer.json()["choices"][0]["finish_reason"]), (200, &json!("content_filter")));
    until("a whole answer is cut off as well", async || upstream.gone() == 2).await;
}

#[tokio::test]
async fn what_is_private_is_replaced_on_the_way_and_put_back() {
    let upstream = Upstream::start(Says::Echo(2)).await;
    let proxy = Proxy::before(&upstream.url).await;
    let text = "write to anna@home.org and bea@work.org, then anna@home.org";
    assert_eq!(proxy.ask(text).await.content(), text);
    assert_eq!(Answer::read(proxy.stream(text).await).await.streamed(), text);
    for request in upstream.requests() {
        assert_eq!(request["messages"][0]["content"], "write to <EMAIL_1> and <EMAIL_2>, then <EMAIL_1>");
    }
}

#[tokio::test]
async fn the_first_piece_does_not_wait_for_the_last() {
    let slow = Says::Pieces(vec!["a text that is longer than what is held back, ".repeat(4) + "st", "op".into()], Duration::from_secs(2));
    let upstream = Upstream::start(slow).await;
    let proxy = Proxy::before(&upstream.url).await;
    let mut response = proxy.stream("go").await;
    let first = response.chunk().await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&first).contains("a text that"));
    assert!(proxy.metric("guard_held_bytes ").await.unwrap() > 0.0, "its end may be the beginning of a word that is blocked");
    assert_eq!(proxy.metric("guard_in_flight ").await, Some(1.0));
    drop(response);
    until("nothing is held once the client left", async || proxy.metric("guard_held_bytes ").await == Some(0.0)).await;
}

#[tokio::test]
async fn a_client_that_leaves_takes_the_upstream_with_it() {
    let upstream = Upstream::start(Says::Endless("on and on ", Duration::from_millis(1))).await;
    let proxy = Proxy::before(&upstream.url).await;
    let mut response = proxy.stream("go").await;
    assert!(response.chunk().await.unwrap().is_some());
    drop(response);
    until("the upstream sees that a stream is not waited for", async || upstream.gone() == 1).await;
    let whole = tokio::time::timeout(Duration::from_millis(300), proxy.ask("go")).await;
    assert!(whole.is_err(), "it has no end");
    until("the upstream sees that a whole answer is not waited for", async || upstream.gone() == 2).await;
    until("the seat is free", async || proxy.metric("guard_in_flight ").await == Some(0.0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_streams_at_once_come_through() {
    let upstream = Upstream::start(Says::Echo(5)).await;
    let proxy = Arc::new(Proxy::before(&upstream.url).await);
    let ask = |number: usize| {
        let proxy = proxy.clone();
        tokio::spawn(async move {
            let text = format!("number {number} writes from someone@place.org about 2026 ").repeat(5);
            let answer = Answer::read(proxy.stream(&text).await).await;
            assert_eq!(answer.streamed(), text.replace("2026", "####"));
            assert_eq!(answer.events().last().unwrap(), "[DONE]");
        })
    };
    let asked: Vec<_> = (0..200).map(ask).collect();
    for stream in asked {
        stream.await.unwrap();
    }
    assert_eq!(proxy.metric("guard_in_flight ").await, Some(0.0));
    assert_eq!(proxy.metric("guard_held_bytes ").await, Some(0.0));
}
