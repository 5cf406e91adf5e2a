use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::*;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What is asked of a server.
#[derive(Clone, Debug)]
struct Asked {
    path: String,
    headers: BTreeMap<String, String>,
}

/// What it answers: a status, headers, and a body of which so many bytes are sent.
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    sent: usize,
}

impl Answer {
    fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self { status, headers: Vec::new(), sent: body.len(), body }
    }

    fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// A server on this machine, and what it was asked.
struct Loopback {
    url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Loopback {
    fn start(answer: impl Fn(&Asked) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let Some(question) = read(&stream) else { continue };
                log.lock().unwrap().push(question.clone());
                write(stream, &answer(&question));
            }
        });
        Self { url, asked }
    }

    /// The paths that were asked for since this was last called.
    fn paths(&self) -> Vec<String> {
        self.asked.lock().unwrap().drain(..).map(|asked| asked.path).collect()
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers = lines.take_while(|line| !line.is_empty());
    let headers = headers.filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned())));
    Some(Asked { path, headers: headers.collect() })
}

fn write(mut stream: TcpStream, answer: &Answer) {
    let mut head = format!("HTTP/1.1 {} X\r\ncontent-length: {}\r\nconnection: close\r\n", answer.status, answer.body.len());
    head.extend(answer.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")));
    let _ = stream.write_all((head + "\r\n").as_bytes()).and_then(|()| stream.write_all(&answer.body[..answer.sent]));
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// A model with what others have besides.
#[derive(Clone)]
struct Model(Vec<(&'static str, Vec<u8>)>);

impl Model {
    fn new() -> Self {
        let weights = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        Self(vec![
            ("README.md", b"read me".to_vec()),
            ("config.json", b"{}".to_vec()),
            ("model.safetensors", weights),
            ("pytorch_model.bin", vec![1; 10]),
            ("1_Pooling/config.json", b"{\"a\": 1}".to_vec()),
        ])
    }

    fn weights(&self) -> &[u8] {
        &self.0[2].1
    }

    fn list(&self) -> Vec<Value> {
        let file = |(path, bytes): &(&str, Vec<u8>)| match *path {
            "model.safetensors" => {
                json!({"type": "file", "oid": "c".repeat(40), "size": bytes.len(), "path": path, "lfs": {"oid": sha256(bytes), "size": bytes.len(), "pointerSize": 134}})
            }
            _ => json!({"type": "file", "oid": sha256(path.as_bytes())[..40], "size": bytes.len(), "path": path}),
        };
        self.0.iter().map(file).chain([json!({"type": "directory", "oid": "d".repeat(40), "size": 0, "path": "1_Pooling"})]).collect()
    }

    /// What a hub with this model answers.
    fn answer(&self, asked: &Asked) -> Answer {
        let path = asked.path.as_str();
        if path.starts_with("/api/models/org/tiny/revision/") {
            return Answer::new(200, json!({"sha": COMMIT, "id": "org/tiny"}).to_string());
        }
        if path.starts_with("/api/models/org/tiny/tree/") {
            return self.page(path);
        }
        let name = path.strip_prefix(&format!("/org/tiny/resolve/{COMMIT}/"));
        let Some((_, bytes)) = self.0.iter().find(|(known, _)| Some(*known) == name) else { return Answer::new(404, "") };
        match asked.headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok()) {
            Some(from) => {
                Answer::new(206, &bytes[from..]).with("content-range", format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len()))
            }
            None => Answer::new(200, bytes.clone()),
        }
    }

    /// Lists come in pages.
    fn page(&self, path: &str) -> Answer {
        let (first, second) = (self.list()[..3].to_vec(), self.list()[3..].to_vec());
        if path.contains("cursor=2") {
            return Answer::new(200, Value::from(second).to_string());
        }
        let next = format!("</api/models/org/tiny/tree/{COMMIT}?recursive=true&cursor=2>; rel=\"next\"");
        Answer::new(200, Value::from(first).to_string()).with("link", next)
    }
}

fn settings(url: &str, cache: &Path) -> Settings {
    Settings::new(url, cache.to_owned(), None, false).unwrap()
}

fn offline(cache: &Path) -> Settings {
    Settings { offline: true, ..settings("http://127.0.0.1:1", cache) }
}

fn fetch(settings: &Settings, name: &str) -> Result<PathBuf> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(find(settings, &name.parse().unwrap()))
}

fn names(folder: impl AsRef<Path>) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_model_is_fetched_once_into_the_layout_of_the_hubs_tools() {
    let (model, cache) = (Model::new(), tempfile::tempdir().unwrap());
    let served = model.clone();
    let hub = Loopback::start(move |asked| served.answer(asked));
    assert!(fetch(&offline(cache.path()), "org/tiny").is_err());
    let folder = fetch(&settings(&hub.url, cache.path()), "org/tiny").unwrap();
    let root = cache.path().join("models--org--tiny");
    assert_eq!(folder, root.join("snapshots").join(COMMIT));
    assert_eq!(names(&folder), ["1_Pooling", "config.json", "model.safetensors"], "nothing that no model is loaded from");
    assert_eq!(fs::read(folder.join("model.safetensors")).unwrap(), model.weights());
    assert_eq!(fs::read(folder.join("1_Pooling/config.json")).unwrap(), model.0[4].1);
    let link = fs::read_link(folder.join("model.safetensors")).unwrap();
    assert_eq!(link, Path::new("../../blobs").join(sha256(model.weights())));
    assert_eq!((names(root.join("blobs")).len(), fs::read_to_string(root.join("refs/main")).unwrap().as_str()), (3, COMMIT));
    assert_eq!(hub.paths().len(), 6, "a revision, two pages, three files");

    assert_eq!(fetch(&settings(&hub.url, cache.path()), "org/tiny").unwrap(), folder);
    assert_eq!(hub.paths(), ["/api/models/org/tiny/revision/main"], "what is there is not fetched again");
    assert_eq!(fetch(&settings(&hub.url, cache.path()), "org/tiny@refs/pr/1").unwrap(), folder);
    assert_eq!(hub.paths(), ["/api/models/org/tiny/revision/refs%2Fpr%2F1"]);
    for name in ["org/tiny", "org/tiny@refs/pr/1", &format!("org/tiny@{COMMIT}")] {
        assert_eq!(fetch(&offline(cache.path()), name).unwrap(), folder, "{name}");
        assert_eq!(fetch(&settings("http://127.0.0.1:1", cache.path()), name).unwrap(), folder, "a hub that is away is done without");
    }
    assert!(fetch(&offline(cache.path()), "org/tiny@other").is_err());
    fs::remove_file(root.join("blobs").join(sha256(model.weights()))).unwrap();
    assert!(fetch(&offline(cache.path()), "org/tiny").is_err(), "half a model is none");
}

#[test]
fn a_transfer_that_breaks_off_goes_on_where_it_was() {
    let (model, cache) = (Model::new(), tempfile::tempdir().unwrap());
    let served = model.clone();
    let hub = Loopback::start(move |asked| {
        let mut answer = served.answer(asked);
        // Each connection carries 300,000 bytes.
        answer.sent = answer.sent.min(300_000);
        answer
    });
    let folder = fetch(&settings(&hub.url, cache.path()), "org/tiny").unwrap();
    assert_eq!(fs::read(folder.join("model.safetensors")).unwrap(), model.weights());
    let asked = hub.asked.lock().unwrap();
    let ranges: Vec<Option<&str>> = asked
        .iter()
        .filter(|asked| asked.path.ends_with("safetensors"))
        .map(|asked| asked.headers.get("range").map(String::as_str))
        .collect();
    assert_eq!(ranges.len(), 3, "{ranges:?}");
    assert!(ranges[0].is_none() && ranges[1..].iter().all(Option::is_some), "{ranges:?}");
}

#[test]
fn what_is_not_what_was_told_is_not_kept() {
    let (model, cache) = (Model::new(), tempfile::tempdir().unwrap());
    let blobs = cache.path().join("models--org--tiny/blobs");
    let wrong: [fn(&mut Vec<u8>); 3] = [|bytes| bytes[5] ^= 1, |bytes| bytes.push(0), |bytes| bytes.clear()];
    for spoil in wrong {
        let served = model.clone();
        let hub = Loopback::start(move |asked| {
            let mut answer = served.answer(asked);
            if asked.path.ends_with("safetensors") {
                spoil(&mut answer.body);
                answer.sent = answer.body.len();
            }
            answer
        });
        assert!(fetch(&settings(&hub.url, cache.path()), "org/tiny").is_err());
        assert!(!names(&blobs).contains(&sha256(model.weights())));
        assert!(fetch(&offline(cache.path()), "org/tiny").is_err());
    }
    let served = model.clone();
    let other_tag = Loopback::start(move |asked| {
        if asked.path.ends_with("/config.json") {
            served.answer(asked).with("etag", format!("\"{}\"", "e".repeat(40)))
        } else {
            served.answer(asked)
        }
    });
    let told = format!("{:#}", fetch(&settings(&other_tag.url, cache.path()), "org/tiny").unwrap_err());
    assert!(told.contains("changed meanwhile"), "{told}");
    let hub = Loopback::start(move |asked| model.answer(asked));
    assert!(fetch(&settings(&hub.url, cache.path()), "org/tiny").is_ok(), "the next try begins anew");
}

#[test]
fn a_hostile_list_writes_nothing() {
    let outer = tempfile::tempdir().unwrap();
    let cache = outer.path().join("cache");
    for (path, oid) in
        [("../../../config.json", "a".repeat(40)), ("/config.json", "a".repeat(40)), ("config.json", "../../../../x".to_owned())]
    {
        let hub = Loopback::start(move |asked| {
            if asked.path.contains("/tree/") {
                Answer::new(200, json!([{"type": "file", "oid": oid, "size": 2, "path": path}]).to_string())
            } else {
                Model::new().answer(asked)
            }
        });
        assert!(fetch(&settings(&hub.url, &cache), "org/tiny").is_err());
        assert!(names(outer.path()).is_empty(), "{:?}", names(outer.path()));
        assert!(hub.paths().iter().all(|path| path.starts_with("/api/")));
    }
    let endless = Loopback::start(|asked| {
        if asked.path.contains("/tree/") {
            Answer::new(200, "[]").with("link", format!("<{}>; rel=\"next\"", asked.path))
        } else {
            Model::new().answer(asked)
        }
    });
    assert!(format!("{:#}", fetch(&settings(&endless.url, &cache), "org/tiny").unwrap_err()).contains("no end"));
}

#[test]
fn the_token_goes_to_the_hub_alone() {
    let (model, cache) = (Model::new(), tempfile::tempdir().unwrap());
    let served = model.clone();
    let elsewhere = Loopback::start(move |asked| served.answer(asked));
    let (other, served) = (elsewhere.url.clone(), model.clone());
    let hub = Loopback::start(move |asked| {
        if asked.path.contains("/resolve/") {
            Answer::new(302, "").with("location", format!("{other}{}", asked.path))
        } else {
            served.answer(asked)
        }
    });
    let with_token = |url: &str| Settings::new(url, cache.path().to_owned(), Some("hf_secret"), false).unwrap();
    fetch(&with_token(&hub.url), "org/tiny").unwrap();
    let tokens = |hub: &Loopback| hub.asked.lock().unwrap().iter().filter(|asked| asked.headers.contains_key("authorization")).count();
    assert_eq!((tokens(&hub), hub.asked.lock().unwrap().len()), (6, 6));
    assert_eq!((tokens(&elsewhere), elsewhere.asked.lock().unwrap().len()), (0, 3), "large files lie elsewhere");

    let other = elsewhere.url.clone();
    let luring = Loopback::start(move |asked| {
        if asked.path.contains("/tree/") {
            Answer::new(200, "[]").with("link", format!("<{other}/api>; rel=\"next\""))
        } else {
            model.answer(asked)
        }
    });
    let empty = tempfile::tempdir().unwrap();
    let settings = Settings { cache: empty.path().to_owned(), ..with_token(&luring.url) };
    let told = format!("{:#}", fetch(&settings, "org/tiny").unwrap_err());
    assert!(told.contains("another host") && !told.contains("secret"), "{told}");
    assert_eq!(elsewhere.asked.lock().unwrap().len(), 3);
}

#[test]
fn what_is_not_there_is_told_and_not_made_up_for() {
    let (model, cache) = (Model::new(), tempfile::tempdir().unwrap());
    let served = model.clone();
    let hub = Loopback::start(move |asked| served.answer(asked));
    fetch(&settings(&hub.url, cache.path()), "org/tiny").unwrap();
    for (status, told) in [(401, "HF_TOKEN"), (403, "HF_TOKEN"), (404, "is not there")] {
        let hub = Loopback::start(move |_| Answer::new(status, "{}"));
        let error = format!("{:#}", fetch(&settings(&hub.url, cache.path()), "org/tiny").unwrap_err());
        assert!(error.contains(told), "the cache does not stand in for a refusal: {error}");
    }
    let failing = Loopback::start(|_| Answer::new(503, ""));
    assert!(fetch(&settings(&failing.url, cache.path()), "org/tiny").is_ok(), "a hub that is out of order is done without");
    let bare = Loopback::start(move |asked| Model(model.0[..2].iter().chain(&model.0[3..]).cloned().collect()).answer(asked));
    let error = format!("{:#}", fetch(&settings(&bare.url, tempfile::tempdir().unwrap().path()), "org/tiny").unwrap_err());
    assert!(error.contains("safetensors"), "{error}");
}
