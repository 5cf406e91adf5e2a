use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Answer, Proxy, chat, until};
use crate::serve::{Keys, ProxyConfig};
use crate::upstream::{Says, Upstream};

async fn proxy(says: Says, config: ProxyConfig) -> (Upstream, Proxy) {
    let upstream = Upstream::start(says).await;
    let proxy = Proxy::start(&upstream.url, config, |app| app).await;
    (upstream, proxy)
}

fn code(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["error"]["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn requests_are_read_strictly() {
    let (upstream, proxy) = proxy(Says::Echo(9), ProxyConfig::default()).await;
    for (body, param) in [
        ("{", json!(null)),
        (r#"{"model": "small", "messages": []}"#, json!("messages")),
        (r#"{"model": "small", "messages": [{"role": "user", "content": "a"}], "temprature": 1}"#, json!("temprature")),
        (r#"{"model": "small", "messages": [{"role": "user", "content": "a"}], "n": 2}"#, json!("n")),
    ] {
        let answer = proxy.send("/v1/chat/completions", body).await;
        assert_eq!((answer.status, &answer.json()["error"]["param"]), (400, &param), "{body}");
    }
    for (path, body) in [("/v1/guard/check", r#"{"txt": "a"}"#), ("/v1/guard/check", "[]")] {
        assert_eq!(proxy.send(path, body).await.status, 400, "{body}");
    }
    assert_eq!(proxy.send("/v1/embeddings", "{}").await.status, 404);
    assert_eq!(proxy.get("/v1/chat/completions").await.status, 405);
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn only_who_has_a_key_may_ask() {
    let config = ProxyConfig { keys: Keys::from_text("first,second"), ..ProxyConfig::default() };
    let (upstream, proxy) = proxy(Says::Echo(9), config).await;
    assert_eq!(code(&proxy.ask("hi").await), (401, "invalid_api_key".to_owned()));
    for (key, status) in [("first", 200), ("second", 200), ("third", 401), ("first,second", 401), ("upstream-secret", 401)] {
        let request = proxy.client.post(format!("{}/v1/chat/completions", proxy.url)).bearer_auth(key).body(chat("hi", false));
        let answer = Answer::read(request.send().await.unwrap()).await;
        assert_eq!(answer.status, status, "{key}");
        assert!(!answer.text.contains(key), "{answer:?}");
    }
    assert_eq!(upstream.keys(), ["Bearer upstream-secret"; 2], "clients' keys stay here");
    assert_eq!((proxy.get("/metrics").await.status, proxy.get("/v1/models").await.status), (401, 401));
    assert_eq!((proxy.get("/health").await.status, proxy.get("/ready").await.status), (200, 200));
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_however_it_is_sent() {
    let (upstream, proxy) = proxy(Says::Echo(9), ProxyConfig { max_body_bytes: 2000, ..ProxyConfig::default() }).await;
    let long = chat(&"a".repeat(200_000), false);
    assert_eq!(code(&proxy.send("/v1/chat/completions", long.clone()).await), (413, "request_too_large".to_owned()));
    let mut stream = TcpStream::connect(proxy.url.trim_start_matches("http://")).await.unwrap();
    let head = "POST /v1/guard/check HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(format!("{head}{:x}\r\n{long}\r\n0\r\n\r\n", long.len()).as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(upstream.requests().is_empty());
    assert_eq!(proxy.ask("short").await.status, 200);
}

#[tokio::test]
async fn who_finds_the_proxy_full_is_told_when_to_come_again() {
    let config = ProxyConfig { max_in_flight: 1, ..ProxyConfig::default() };
    let (upstream, proxy) = proxy(Says::Endless("on ", Duration::from_millis(1)), config).await;
    let open = proxy.stream("go").await;
    let refused = proxy.ask("me too").await;
    assert_eq!(code(&refused), (429, "rate_limit_exceeded".to_owned()));
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(upstream.requests().len(), 1);
    drop(open);
    until("there is a seat again", async || proxy.send("/v1/guard/check", r#"{"text": "a"}"#).await.status == 200).await;
}

#[tokio::test]
async fn answers_end_at_the_time_limit() {
    let config = ProxyConfig { request_timeout: Duration::from_millis(200), ..ProxyConfig::default() };
    let (upstream, proxy) = proxy(Says::Endless("on and on ", Duration::from_millis(10)), config).await;
    assert_eq!(code(&proxy.ask("go").await), (504, "timeout".to_owned()));
    let streamed = Answer::read(proxy.stream("go").await).await;
    let events = streamed.events();
    assert_eq!((streamed.status, &events.last().unwrap()["error"]["code"]), (200, &json!("timeout")));
    until("the upstream is let go", async || upstream.gone() == 2).await;
}

#[tokio::test]
async fn slow_clients_are_cut_off() {
    let short = Duration::from_millis(200);
    let config = ProxyConfig { header_timeout: short, body_timeout: short, write_timeout: short, ..ProxyConfig::default() };
    let (upstream, proxy) = proxy(Says::Endless("on and on ", Duration::ZERO), config).await;
    let address = proxy.url.trim_start_matches("http://").to_owned();
    let send = async |text: String| {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    };
    let mut answer = Vec::new();
    send("POST /v1/chat".into()).await.read_to_end(&mut answer).await.unwrap();
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 408"), "the head never came");
    let mut answer = [0; 13];
    let mut stream = send("POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{".into()).await;
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408 ");
    let body = chat("go", true);
    let _unread = send(format!("POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{body}", body.len())).await;
    until("the upstream is let go, for nobody reads", async || upstream.gone() == 1).await;
}

#[tokio::test]
async fn what_is_open_ends_before_the_proxy_does() {
    let slow = Says::Pieces((0..20).map(|number| format!("piece {number} ")).collect(), Duration::from_millis(30));
    let (_, mut proxy) = proxy(slow, ProxyConfig::default()).await;
    let open = proxy.stream("go").await;
    proxy.stop();
    until("it takes nothing more", async || proxy.get("/ready").await.status == 503).await;
    assert_eq!(code(&proxy.ask("me too").await), (503, "service_unavailable".to_owned()));
    assert_eq!(proxy.get("/health").await.status, 200);
    let answer = Answer::read(open).await;
    assert!(answer.streamed().ends_with("piece 19 ") && answer.events().last().unwrap() == "[DONE]");
    assert!(proxy.stopped().await, "all came to its end");
}

#[tokio::test]
async fn what_does_not_end_is_cut_off_at_the_deadline() {
    let config = ProxyConfig { drain_timeout: Duration::from_millis(100), ..ProxyConfig::default() };
    let (_, mut proxy) = proxy(Says::Endless("on ", Duration::from_millis(5)), config).await;
    let _open = proxy.stream("go").await;
    proxy.stop();
    assert!(!proxy.stopped().await);
}
