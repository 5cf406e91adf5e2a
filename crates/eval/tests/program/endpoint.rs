//! A model behind an endpoint, of which the key is a secret.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use crate::program::Bench;

/// Answers each chat completion with the question's number, after a pause; the first time it is busy.
pub(crate) struct Endpoint {
    pub(crate) url: String,
    pub(crate) asked: Arc<AtomicUsize>,
}

impl Endpoint {
    pub(crate) fn start(pause: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = asked.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let counter = counter.clone();
                thread::spawn(move || serve(stream, &counter, pause));
            }
        });
        Self { url, asked }
    }
}

fn serve(stream: TcpStream, asked: &AtomicUsize, pause: Duration) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some(body) = request(&mut reader) {
        let place = asked.fetch_add(1, Ordering::SeqCst);
        thread::sleep(pause);
        let (status, body) = if place == 0 { ("503 Service Unavailable", "{}".to_owned()) } else { ("200 OK", answer(&body)) };
        // In one piece, which waits for nobody's acknowledgement.
        let answer = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn request(reader: &mut impl BufRead) -> Option<serde_json::Value> {
    let (mut line, mut length, mut key) = (String::new(), 0, false);
    loop {
        line.clear();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let lower = line.to_ascii_lowercase();
        key |= lower.trim() == "authorization: bearer s3cret-key";
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    assert!(key, "the key is sent");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

/// A question's last word; asked to judge, whether what is judged calls itself good.
fn said(request: &serde_json::Value) -> String {
    let texts: Vec<&str> = request["messages"].as_array().unwrap().iter().filter_map(|message| message["content"].as_str()).collect();
    let last = *texts.last().unwrap();
    if texts[0].contains("verdict") {
        return format!("So it seems.\n[[{}]]", u8::from(last.contains("a good one")));
    }
    last.split_whitespace().last().unwrap().to_owned()
}

fn answer(request: &serde_json::Value) -> String {
    serde_json::json!({
        "id": "c", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said(request)}}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9},
    })
    .to_string()
}

/// Items `n` that ask for themselves, and a model at the endpoint.
pub(crate) fn experiment(bench: &Bench, endpoint: &Endpoint, items: usize) {
    let lines: Vec<String> = (0..items).map(|item| format!("{{\"id\": \"i{item}\", \"n\": {item}}}")).collect();
    bench.write("items.jsonl", &lines.join("\n"));
    let url = &endpoint.url;
    bench.write(
        "experiment.toml",
        &format!(
            r#"
            name = "asked"
            metrics = ["exact_match"]
            dataset = {{ path = "items.jsonl", target = "n" }}
            prompt = {{ user = "say {{{{n}}}}" }}
            limits = {{ concurrency = 2, retries = {{ base_seconds = 0.01 }} }}
            [[models]]
            name = "m"
            base_url = "{url}"
            api_key_env = "EVAL_TEST_KEY"
            prompt_price = 1.0
            completion_price = 10.0
            "#
        ),
    );
}

#[test]
fn a_model_is_asked_over_http_and_its_key_is_nowhere_to_be_seen() {
    let (bench, endpoint) = (Bench::new(), Endpoint::start(Duration::ZERO));
    experiment(&bench, &endpoint, 12);
    let output = bench.command(&["run", "experiment.toml"]).env("EVAL_TEST_KEY", "s3cret-key").output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && told.contains("1.0000"), "{told} {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(endpoint.asked.load(Ordering::SeqCst), 13, "once more for the one that was refused");
    let shown = &bench.json(&["show", "m", "--answers", "i3"]);
    assert_eq!((shown[1]["output"].as_str(), shown[1]["cost"].as_u64()), (Some("3"), Some(27)));
    let file = std::fs::read(bench.path("runs.db")).unwrap();
    assert!(!file.windows(10).any(|window| window == b"s3cret-key"), "the key is in the file");

    let missing = bench.run(&["run", "experiment.toml", "--fresh"]);
    assert!(missing.code == 1 && missing.err.contains("EVAL_TEST_KEY"), "{missing:?}");
}
