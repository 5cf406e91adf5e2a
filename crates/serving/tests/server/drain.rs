use std::net::SocketAddr;
use std::time::Duration;

use jarre_serving::Engine;
use jarre_serving::server::{ServeError, ServerConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::harness::{config, options, server};

struct Running {
    address: SocketAddr,
    engine: Engine,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), ServeError>>,
}

async fn start(config: ServerConfig) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let started = server(&options(), config);
    let engine = started.engine().clone();
    let served = tokio::spawn(started.serve(listener, async move { stopped.await.unwrap_or_default() }));
    Running { address, engine, stop, served }
}

/// All that the server sends, head and body, until it closes.
async fn call(address: SocketAddr, method: &str, path: &str, body: &Value) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let body = body.to_string();
    let request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn asked(tokens: usize, n: usize, stream: bool) -> Value {
    json!({"model": "jarre-tiny", "prompt": "fn main() {", "max_tokens": tokens, "n": n, "ignore_eos": true, "stream": stream})
}

async fn until_running(engine: &Engine, count: usize) {
    while engine.stats().running < count {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_is_answered_and_new_requests_are_told() {
    let running = start(config()).await;
    let address = running.address;
    let calls: Vec<_> = [true, false]
        .map(|stream| tokio::spawn(async move { call(address, "POST", "/v1/completions", &asked(400, 2, stream)).await }))
        .into_iter()
        .collect();
    until_running(&running.engine, 4).await;
    assert!(call(address, "GET", "/ready", &json!({})).await.starts_with("HTTP/1.1 200"));
    running.stop.send(()).unwrap();
    while call(address, "GET", "/ready", &json!({})).await.starts_with("HTTP/1.1 200") {}
    let refused = call(address, "POST", "/v1/completions", &asked(4, 1, false)).await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("service_unavailable"), "{refused}");
    assert!(call(address, "GET", "/health", &json!({})).await.starts_with("HTTP/1.1 200"));
    assert!(!running.engine.is_idle(), "the requests are long enough for that");
    for (call, is_stream) in calls.into_iter().zip([true, false]) {
        let answer = call.await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"));
        if is_stream {
            assert!(answer.contains("data: [DONE]"));
        } else {
            assert!(answer.contains(r#""completion_tokens":800"#));
        }
    }
    running.served.await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_deadline_what_is_open_ends_with_an_error() {
    let running = start(config().with_drain_timeout(Duration::from_millis(50))).await;
    let address = running.address;
    let [streamed, whole] =
        [true, false].map(|stream| tokio::spawn(async move { call(address, "POST", "/v1/completions", &asked(490, 16, stream)).await }));
    until_running(&running.engine, 32).await;
    running.stop.send(()).unwrap();
    let (streamed, whole) = (streamed.await.unwrap(), whole.await.unwrap());
    assert!(streamed.starts_with("HTTP/1.1 200") && streamed.contains("service_unavailable") && !streamed.contains("[DONE]"), "{streamed}");
    assert!(streamed.ends_with("0\r\n\r\n"), "the stream ends as HTTP has it");
    assert!(whole.starts_with("HTTP/1.1 503"), "{whole}");
    running.served.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_connection_cancels() {
    let running = start(config()).await;
    for stream in [true, false] {
        let mut connection = TcpStream::connect(running.address).await.unwrap();
        let body = asked(490, 8, stream).to_string();
        let request = format!("POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        connection.write_all(request.as_bytes()).await.unwrap();
        until_running(&running.engine, 8).await;
        drop(connection);
        let idle = async {
            while !running.engine.is_idle() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(2), idle).await.expect("it is cancelled long before its end");
    }
    running.stop.send(()).unwrap();
    running.served.await.unwrap().unwrap();
}
