//! Connections to a store. Whatever bytes come, they are answered or the connection is closed, in the time that the server allows; the same
//! bytes as calls, a method, a path and a body on each line, are answered as the API says. Afterwards the store is sound and serves.
#![no_main]

use std::{sync::Arc, thread, time::Duration};

use jarre_core::testing::ManualClock;
use jarre_kv_store::{
    Limits, Memory, Store,
    http::{Server, ServerConfig},
};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    runtime,
    time::timeout,
};

/// How long a client waits for all that it will be told, which passes at once where nothing else is to be done: longer than the server waits
/// for a head, a body, and the rest of what it does not read.
const PATIENCE: Duration = Duration::from_mins(1);
/// Bytes that wait to be read, on each side.
const WINDOW: usize = 1 << 20;
/// Calls of an input.
const CALLS: usize = 16;

fuzz_target!(|bytes: &[u8]| {
    let store = store();
    on_runtime(async {
        connection(&store, bytes).await;
        assert!(is_served(&store).await, "a store that was spoken to serves");
    });
    store.verify().expect("the store is sound");
    let store = self::store();
    on_runtime(calls(&store, bytes));
    store.verify().expect("the store is sound");
});

fn store() -> Arc<Memory> {
    Arc::new(Memory::with(Arc::new(ManualClock::new()), Limits::default()))
}

/// With a clock that moves on when nobody has anything to do.
fn on_runtime(work: impl Future<Output = ()>) {
    let mut runtime = runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().expect("it needs a timer and nothing else").block_on(work);
}

async fn calls(store: &Arc<Memory>, bytes: &[u8]) {
    for line in bytes.split(|byte| *byte == b'\n').take(CALLS) {
        let mut words = line.splitn(3, |byte| *byte == b' ');
        if let (Some(method), Some(path)) = (words.next().and_then(method), words.next().and_then(path)) {
            call(store, method, path, words.next().unwrap_or_default()).await;
        }
    }
    assert!(is_served(store).await, "a store that was called serves");
}

fn method(word: &[u8]) -> Option<&str> {
    let is_method = (1..10).contains(&word.len()) && word.iter().all(u8::is_ascii_uppercase);
    std::str::from_utf8(word).ok().filter(|_| is_method)
}

fn path(word: &[u8]) -> Option<&str> {
    let is_path = word.first() == Some(&b'/') && word.iter().all(u8::is_ascii_graphic);
    std::str::from_utf8(word).ok().filter(|_| is_path)
}

async fn call(store: &Arc<Memory>, method: &str, path: &str, body: &[u8]) {
    let head = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    let answer = connection(store, &[head.as_bytes(), body].concat()).await;
    let (status, body) = parts(&answer).expect("a sound request is answered");
    // What the API has and this store has not is 501: members, say.
    assert!((200..500).contains(&status) || status == 501, "{status} for {method} {path}: {}", String::from_utf8_lossy(body));
    if let (400.., Ok(body)) = (status, serde_json::from_slice::<Value>(body)) {
        assert!(body["message"].as_str().is_some_and(|message| !message.is_empty()), "{status} without a reason");
    }
}

/// A key can be put and read.
async fn is_served(store: &Arc<Memory>) -> bool {
    for (path, body) in [("/v3/kv/put", r#"{"key": "c291bmQ", "value": "c29sZA"}"#), ("/v3/kv/range", r#"{"key": "c291bmQ"}"#)] {
        let request = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let answer = connection(store, request.as_bytes()).await;
        if parts(&answer).is_none_or(|(status, _)| status != 200) {
            return false;
        }
    }
    store.get(b"sound").await.is_ok_and(|entry| entry.is_some_and(|entry| entry.value == b"sold"))
}

/// The status and the body of an answer.
fn parts(answer: &[u8]) -> Option<(u16, &[u8])> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let status = std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()?;
    Some((status, &answer[end + 4..]))
}

/// What comes back for all that is sent. The client waits for the end of it, and goes; then the server is done too.
async fn connection(store: &Arc<Memory>, request: &[u8]) -> Vec<u8> {
    let (ours, theirs) = duplex(WINDOW);
    let server = Server::new(Arc::clone(store) as _, ServerConfig::default());
    let mut served = tokio::spawn(server.serve_stream(theirs));
    let mut answer = Vec::new();
    ask(ours, request, &mut answer).await;
    // A snapshot is written by a thread, for which this clock does not wait.
    for _ in 0..2_000 {
        if let Ok(ended) = timeout(PATIENCE, &mut served).await {
            ended.expect("it does not panic");
            return answer;
        }
        thread::sleep(Duration::from_millis(1));
    }
    panic!("the client has gone, and the connection is still served");
}

async fn ask(mut stream: DuplexStream, request: &[u8], answer: &mut Vec<u8>) {
    let talk = async {
        // It may have been closed before all was sent.
        let _ = stream.write_all(request).await;
        let _ = stream.read_to_end(answer).await;
    };
    // A watch goes on.
    let _ = timeout(PATIENCE, talk).await;
}
