//! Requests that are meant to harm, or are none.

use std::{sync::Arc, time::Duration};

use jarre_kv_store::{
    Memory, Store,
    http::{Server, ServerConfig},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    net::TcpStream,
};

use crate::{
    etcd_json::{post, raw},
    serving::Served,
};

async fn served(change: impl FnOnce(&mut ServerConfig)) -> Served {
    let mut config = ServerConfig::default();
    change(&mut config);
    Served::new(Arc::new(Memory::new()), config).await
}

#[tokio::test]
async fn what_is_no_request_is_refused_with_a_reason() {
    let served = served(|_| {}).await;
    let deep = format!(r#"{{"key": {}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    for body in [
        "{",
        "[]",
        "null",
        "7",
        "\"x\"",
        r#"{"key": 7}"#,
        r#"{"key": "not base64!"}"#,
        r#"{"key": "Zm9v", "limit": "-1"}"#,
        r#"{"key": "Zm9v", "limit": "99999999999999999999"}"#,
        r#"{"key": "Zm9v", "limit": 1.5}"#,
        r#"{"key": "Zm9v", "serializable": "yes"}"#,
        r#"{"key": "Zm9v", "sort_order": "SIDEWAYS"}"#,
        "{\"key\": \"\u{0}\"}",
        deep.as_str(),
        r#"{"key":"Zm9v"} trailing"#,
    ] {
        let (status, error) = post(&served.address, "/v3/kv/range", body).await;
        assert_eq!(status, 400, "{body:.60}: {error}");
        assert!(error["message"].as_str().is_some_and(|message| message.len() > 10), "{body:.60}: {error}");
    }
    let (status, _) = post(&served.address, "/v3/kv/range", r#"{"key": "Zm9v", "a_field_of_tomorrow": [1]}"#).await;
    assert_eq!(status, 200, "what is not known is passed over");
    let (status, _) = post(&served.address, "/v3/kv/nothing", "{}").await;
    assert_eq!(status, 404);
    let (status, _) = raw(&served.address, b"GET /v3/kv/range HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert_eq!(status, 405);
    for garbage in [&b"\x16\x03\x01\x02\x00\x01\x00"[..], b"\r\n\r\n\r\n", b"POST\0/ HTTP/9\r\n\r\n", &vec![0xff; 100_000]] {
        let (status, _) = raw(&served.address, garbage).await;
        assert!(status == 400 || status == 0 || status == 431, "{status}");
    }
    served.remote().put(b"still", b"here").await.unwrap();
}

#[tokio::test]
async fn what_is_too_long_is_not_read() {
    let served = served(|config| config.max_body = 1000).await;
    let (status, _) = post(&served.address, "/v3/kv/put", &format!(r#"{{"key": "{}"}}"#, "A".repeat(2000))).await;
    assert_eq!(status, 413);
    let claimed = b"POST /v3/kv/put HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000000\r\n\r\n{";
    let mut stream = TcpStream::connect(&served.address).await.unwrap();
    stream.write_all(claimed).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer[9..], b"413", "it does not wait for what it will not take");
}

/// It sends more than is read, a part at a time, long after it was answered; and reads only then.
async fn sends_all_before_it_reads(address: &str, path: &str, parts: usize) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let part = vec![b'A'; 256 << 10];
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", part.len() * parts);
    stream.write_all(head.as_bytes()).await.unwrap();
    for number in 0..parts {
        tokio::time::sleep(Duration::from_millis(20)).await;
        stream.write_all(&part).await.unwrap_or_else(|error| panic!("part {number}: {error}"));
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn who_is_answered_early_gets_to_read_it() {
    let served = served(|config| (config.max_body, config.token) = (1000, Some("secret".to_owned()))).await;
    let refused = sends_all_before_it_reads(&served.address, "/v3/kv/put", 20).await;
    assert!(refused.starts_with("HTTP/1.1 401 ") && refused.contains("a token is asked for"), "{refused}");
    let served = self::served(|config| config.max_body = 1000).await;
    let refused = sends_all_before_it_reads(&served.address, "/v3/kv/put", 20).await;
    assert!(refused.starts_with("HTTP/1.1 413 ") && refused.contains("more than 1000 bytes"), "{refused}");
}

#[tokio::test]
async fn who_goes_on_sending_for_ever_is_cut_off() {
    let served = served(|config| (config.max_body, config.linger_timeout) = (1000, Duration::from_millis(200))).await;
    let mut stream = TcpStream::connect(&served.address).await.unwrap();
    stream.write_all(b"POST /v3/kv/put HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000000\r\n\r\n").await.unwrap();
    let sending = async {
        while stream.write_all(&[b'A'; 1000]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), sending).await.is_ok(), "it is still read");
}

#[tokio::test]
async fn who_is_slow_on_purpose_is_cut_off() {
    let served = served(|config| {
        config.header_timeout = Duration::from_millis(200);
        config.body_timeout = Duration::from_millis(200);
    })
    .await;
    for slow in [&b"POST /v3/kv/put HT"[..], b"POST /v3/kv/put HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"] {
        let mut stream = TcpStream::connect(&served.address).await.unwrap();
        stream.write_all(slow).await.unwrap();
        let mut answer = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "it is still waited for");
    }
}

/// What else it sent lies before the end of its stream, so that the end is not seen.
#[tokio::test(start_paused = true)]
async fn who_watches_and_goes_is_noticed_behind_what_it_sent() {
    let (mut ours, theirs) = duplex(1 << 16);
    let server = Server::new(Arc::new(Memory::new()), ServerConfig::default());
    let serving = tokio::spawn(server.serve_stream(theirs));
    let body = r#"{"create_request": {"key": "Zm9v"}}"#;
    let request = format!("POST /v3/watch HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}GET /health", body.len());
    ours.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    ours.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer[9..], b"200");
    drop(ours);
    tokio::time::timeout(Duration::from_mins(1), serving).await.expect("it is still served").unwrap();
}

#[tokio::test]
async fn connections_over_the_limit_are_turned_away_and_the_others_served() {
    let served = served(|config| config.max_connections = 4).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(TcpStream::connect(&served.address).await.unwrap());
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (status, _) = raw(&served.address, b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert_eq!(status, 0, "it is closed");
    held[0].write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = [0; 12];
    held[0].read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer[9..], b"200");
    drop(held);
    tokio::time::sleep(Duration::from_millis(100)).await;
    served.remote().put(b"free", b"again").await.unwrap();
}
