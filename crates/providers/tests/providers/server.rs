//! A server of one answer a connection.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use serde_json::Value;

/// A request that the server got.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

/// What the server does, in order; then it closes the connection.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Send(String),
    Wait(Duration),
    /// Sends the text over and over until nobody listens any more, and then says so.
    Flood(String, Arc<Mutex<bool>>),
}

pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers each request, of which the first has the number 0, as `answer` says.
    pub(crate) fn start(answer: impl Fn(usize, &Request) -> Vec<Act> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let (seen, answer) = (Arc::clone(&requests), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                thread::spawn(move || serve(&stream.unwrap(), &seen, &*answer));
            }
        });
        Self { url, requests }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(stream: &TcpStream, seen: &Mutex<Vec<Request>>, answer: &dyn Fn(usize, &Request) -> Vec<Act>) {
    let Some(request) = read(stream) else { return };
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push(request.clone());
        seen.len() - 1
    };
    for act in answer(number, &request) {
        if perform(stream, act).is_err() {
            return;
        }
    }
}

fn perform(mut stream: &TcpStream, act: Act) -> std::io::Result<()> {
    match act {
        Act::Send(text) => stream.write_all(text.as_bytes()),
        Act::Wait(time) => {
            thread::sleep(time);
            Ok(())
        }
        Act::Flood(text, noticed) => loop {
            thread::sleep(Duration::from_millis(2));
            if let Err(error) = stream.write_all(text.as_bytes()) {
                *noticed.lock().unwrap() = true;
                return Err(error);
            }
        },
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|&bytes| bytes > 0)?;
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { line: line.trim_end().to_owned(), headers, body: serde_json::from_slice(&body).unwrap_or_default() })
}

/// A whole answer; `headers` are lines with their ends.
pub(crate) fn reply(status: u16, headers: &str, body: &str) -> Vec<Act> {
    let head = format!("HTTP/1.1 {status} Told\r\ncontent-type: application/json\r\nconnection: close\r\n{headers}");
    vec![Act::Send(format!("{head}content-length: {}\r\n\r\n{body}", body.len()))]
}

/// An answer of events, which ends with the connection, so that one that breaks off looks the same.
pub(crate) fn events(datas: &[String]) -> Vec<Act> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nconnection: close\r\n\r\n: welcome\n\n".to_owned();
    std::iter::once(head).chain(datas.iter().map(|data| format!("data: {data}\n\n"))).map(Act::Send).collect()
}

/// The data of an event that adds `text` to the answer `id`.
pub(crate) fn text(id: &str, text: &str) -> String {
    serde_json::json!({"id": id, "object": "chat.completion.chunk", "model": "m-1",
                       "choices": [{"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": null}]})
    .to_string()
}

/// The data of the events that end the answer `id`.
pub(crate) fn end(id: &str, reason: &str) -> Vec<String> {
    let finish = serde_json::json!({"id": id, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]});
    let usage = serde_json::json!({"id": id, "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13,
                                   "prompt_tokens_details": {"cached_tokens": 3}}});
    vec![finish.to_string(), usage.to_string(), "[DONE]".into()]
}

/// A whole streamed answer.
pub(crate) fn answer(id: &str, pieces: &[&str]) -> Vec<Act> {
    let datas: Vec<String> = pieces.iter().map(|piece| text(id, piece)).chain(end(id, "stop")).collect();
    events(&datas)
}
