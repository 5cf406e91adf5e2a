//! The requests that etcd's documentation shows (`grpc_gateway`, v3.4), and what it says comes back.

use std::sync::Arc;

use jarre_kv_store::{Memory, http::ServerConfig};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::serving::Served;

/// The status and body that come back for a `POST`.
pub(crate) async fn post(address: &str, path: &str, body: &str) -> (u16, Value) {
    let request = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let (status, text) = raw(address, request.as_bytes()).await;
    (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}")))
}

pub(crate) async fn raw(address: &str, request: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server may answer before it has read all.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

async fn served() -> Served {
    Served::new(Arc::new(Memory::new()), ServerConfig::default()).await
}

#[tokio::test]
async fn keys_are_put_and_ranged() {
    let served = served().await;
    let (status, put) = post(&served.address, "/v3/kv/put", r#"{"key": "Zm9v", "value": "YmFy"}"#).await;
    assert_eq!((status, &put["header"]["revision"]), (200, &json!("2")));
    let (_, range) = post(&served.address, "/v3/kv/range", r#"{"key": "Zm9v"}"#).await;
    let kv = json!({"key": "Zm9v", "create_revision": "2", "mod_revision": "2", "version": "1", "value": "YmFy"});
    assert_eq!((&range["kvs"], &range["count"]), (&json!([kv]), &json!("1")));
    let (_, prefix) = post(&served.address, "/v3/kv/range", r#"{"key": "Zm9v", "range_end": "Zm9w"}"#).await;
    assert_eq!(prefix["kvs"], json!([kv]));
    let (_, all) = post(&served.address, "/v3/kv/range", r#"{"key": "AA==", "rangeEnd": "AA==", "countOnly": true}"#).await;
    assert_eq!((&all["count"], &all["kvs"]), (&json!("1"), &Value::Null));
    let (_, deleted) = post(&served.address, "/v3/kv/deleterange", r#"{"key": "Zm9v", "prev_kv": true}"#).await;
    assert_eq!((&deleted["deleted"], &deleted["prev_kvs"]), (&json!("1"), &json!([kv])));
}

#[tokio::test]
async fn transactions_take_a_branch() {
    let served = served().await;
    post(&served.address, "/v3/kv/put", r#"{"key": "Zm9v", "value": "YmFy"}"#).await;
    let txn = |revision: &str| {
        format!(
            r#"{{"compare":[{{"target":"CREATE","key":"Zm9v","createRevision":"{revision}"}}],
                "success":[{{"requestPut":{{"key":"Zm9v","value":"YmFy"}}}}],
                "failure":[{{"requestRange":{{"key":"Zm9v"}}}}]}}"#
        )
    };
    let (_, taken) = post(&served.address, "/v3/kv/txn", &txn("2")).await;
    assert_eq!(taken["succeeded"], json!(true));
    assert_eq!(taken["responses"][0]["response_put"]["header"]["revision"], json!("3"));
    let (_, other) = post(&served.address, "/v3/kv/txn", &txn("9")).await;
    assert_eq!(other["succeeded"], Value::Null, "a field that is false is left out");
    assert_eq!(other["responses"][0]["response_range"]["kvs"][0]["version"], json!("2"));
    let version =
        r#"{"compare":[{"version":"4","result":"EQUAL","target":"VERSION","key":"Zm9v"}],"success":[{"requestRange":{"key":"Zm9v"}}]}"#;
    let (status, _) = post(&served.address, "/v3/kv/txn", version).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn leases_are_granted_kept_and_revoked() {
    let served = served().await;
    let (_, granted) = post(&served.address, "/v3/lease/grant", r#"{"TTL": "60"}"#).await;
    assert_eq!(granted["TTL"], json!("60"));
    let id = granted["ID"].as_str().unwrap();
    let (_, kept) = post(&served.address, "/v3/lease/keepalive", &format!(r#"{{"ID": "{id}"}}"#)).await;
    assert_eq!(kept["result"]["TTL"], json!("60"));
    post(&served.address, "/v3/kv/put", &format!(r#"{{"key": "Zm9v", "value": "YmFy", "lease": {id}}}"#)).await;
    let (_, live) = post(&served.address, "/v3/lease/timetolive", &format!(r#"{{"ID": "{id}", "keys": true}}"#)).await;
    assert_eq!((&live["grantedTTL"], &live["keys"]), (&json!("60"), &json!(["Zm9v"])));
    let (status, _) = post(&served.address, "/v3/lease/revoke", &format!(r#"{{"ID": "{id}"}}"#)).await;
    assert_eq!(status, 200);
    let (_, gone) = post(&served.address, "/v3/lease/timetolive", &format!(r#"{{"ID": "{id}"}}"#)).await;
    assert_eq!(gone["TTL"], json!("-1"));
    let (status, error) = post(&served.address, "/v3/lease/revoke", &format!(r#"{{"ID": "{id}"}}"#)).await;
    assert_eq!((status, &error["code"]), (404, &json!(5)));
}

#[tokio::test]
async fn errors_have_the_codes_of_grpc() {
    let served = served().await;
    for (path, body, status, code) in [
        ("/v3/kv/range", r#"{"key": "Zm9v", "revision": "99"}"#, 400, 11),
        ("/v3/kv/compaction", r#"{"revision": "99"}"#, 400, 11),
        ("/v3/kv/put", r#"{"key": "", "value": "YmFy"}"#, 400, 3),
        ("/v3/kv/put", r#"{"key": "Zm9v", "lease": "77"}"#, 404, 5),
        ("/v3/kv/range", r#"{"key": "Zm9v", "sort_order": "ASCEND", "sort_target": "MOD"}"#, 501, 12),
        ("/v3/cluster/member/list", "{}", 501, 12),
    ] {
        let (found, error) = post(&served.address, path, body).await;
        assert_eq!((found, &error["code"]), (status, &json!(code)), "{path} {body}: {error}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()));
    }
}

#[tokio::test]
async fn watches_are_lines_of_results() {
    let served = served().await;
    let mut stream = TcpStream::connect(&served.address).await.unwrap();
    let body = r#"{"create_request": {"key": "Zm9v"}}"#;
    stream
        .write_all(format!("POST /v3/watch HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes())
        .await
        .unwrap();
    let mut read = String::new();
    let mut until = async |what: &str| {
        let mut part = [0; 4096];
        while !read.contains(what) {
            let count = stream.read(&mut part).await.unwrap();
            assert!(count > 0, "it ended: {read}");
            read.push_str(&String::from_utf8_lossy(&part[..count]));
        }
        read.clone()
    };
    until("\"created\":true").await;
    post(&served.address, "/v3/kv/put", r#"{"key": "Zm9v", "value": "YmFy"}"#).await;
    let seen = until("\"events\"").await;
    assert!(seen.contains(r#"{"result":{"header":{"revision":"2"},"events":[{"kv":{"key":"Zm9v""#), "{seen}");
    post(&served.address, "/v3/kv/deleterange", r#"{"key": "Zm9v"}"#).await;
    until("\"type\":\"DELETE\"").await;
}

#[tokio::test]
async fn those_who_watch_over_it_are_answered() {
    let served = served().await;
    post(&served.address, "/v3/kv/put", r#"{"key": "Zm9v", "value": "YmFy"}"#).await;
    let get =
        async |path: &str| raw(&served.address, format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await;
    for path in ["/health", "/ready", "/version"] {
        assert_eq!(get(path).await.0, 200, "{path}");
    }
    let (_, metrics) = get("/metrics").await;
    for line in ["jarre_kv_revision 2", "jarre_kv_keys 1", "jarre_kv_http_requests_total{status=\"2xx\"} 4"] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
}
