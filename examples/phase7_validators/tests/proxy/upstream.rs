//! A server with `OpenAI`'s API that says what it is told to, and counts who goes away.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use futures_core::Stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::{Instant, Sleep, sleep};

/// What it answers.
#[derive(Clone, Debug)]
pub(crate) enum Says {
    /// These pieces of text, with a pause before each, and then the end.
    Pieces(Vec<String>, Duration),
    /// One piece over and over.
    Endless(&'static str, Duration),
    /// What the last message says, in pieces of that many characters.
    Echo(usize),
    /// A failure with this body.
    Fails(u16, String),
}

#[derive(Clone)]
pub(crate) struct Upstream {
    pub(crate) url: String,
    seen: Arc<Seen>,
}

struct Seen {
    says: Says,
    requests: Mutex<Vec<Value>>,
    keys: Mutex<Vec<String>>,
    gone: Arc<AtomicUsize>,
}

impl Upstream {
    pub(crate) async fn start(says: Says) -> Self {
        let seen = Arc::new(Seen { says, requests: Mutex::default(), keys: Mutex::default(), gone: Arc::default() });
        let models = json!({"object": "list", "data": [{"id": "small", "object": "model", "created": 1, "owned_by": "them"}]});
        let router = Router::new()
            .route("/v1/chat/completions", post(answer))
            .route("/v1/models", get(|| async move { models.to_string() }))
            .with_state(seen.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        // Else a small piece waits for the acknowledgement of the one before, which may take 40 ms.
        let listener = listener.tap_io(|stream| _ = stream.set_nodelay(true));
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { url, seen }
    }

    /// The bodies of the requests that came.
    pub(crate) fn requests(&self) -> Vec<Value> {
        self.seen.requests.lock().unwrap().clone()
    }

    /// The keys that came with them.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.seen.keys.lock().unwrap().clone()
    }

    /// How many answers were not waited for.
    pub(crate) fn gone(&self) -> usize {
        self.seen.gone.load(Ordering::Acquire)
    }
}

async fn answer(State(seen): State<Arc<Seen>>, headers: HeaderMap, body: Body) -> Response {
    let request: Value = serde_json::from_slice(&to_bytes(body, usize::MAX).await.unwrap()).unwrap();
    seen.requests.lock().unwrap().push(request.clone());
    seen.keys.lock().unwrap().extend(headers.get(header::AUTHORIZATION).map(|key| key.to_str().unwrap().to_owned()));
    let (pieces, repeats, pause) = match &seen.says {
        Says::Pieces(pieces, pause) => (pieces.iter().map(|piece| text(piece)).chain(end()).collect(), false, *pause),
        Says::Endless(piece, pause) => (VecDeque::from([text(piece)]), true, *pause),
        Says::Echo(length) => (echo(&request, *length).iter().map(|piece| text(piece)).chain(end()).collect(), false, Duration::ZERO),
        Says::Fails(status, body) => return (StatusCode::from_u16(*status).unwrap(), body.clone()).into_response(),
    };
    let feed = Feed { pieces, repeats, pause, timer: Box::pin(sleep(pause)), gone: seen.gone.clone() };
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(feed)).into_response()
}

fn echo(request: &Value, length: usize) -> Vec<String> {
    let messages = request["messages"].as_array().unwrap();
    let said: Vec<char> = messages.last().unwrap()["content"].as_str().unwrap().chars().collect();
    said.chunks(length).map(|piece| piece.iter().collect()).collect()
}

fn text(text: &str) -> String {
    let delta = json!({"role": "assistant", "content": text});
    event(&json!({"id": "up-1", "object": "chat.completion.chunk", "created": 5, "model": "small-1",
                  "choices": [{"index": 0, "delta": delta, "finish_reason": null}]}))
}

fn end() -> [String; 3] {
    let finish = json!({"id": "up-1", "model": "small-1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
    let usage = json!({"id": "up-1", "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}});
    [event(&finish), event(&usage), "data: [DONE]\n\n".into()]
}

fn event(value: &Value) -> String {
    format!("data: {value}\n\n")
}

/// Events, each after a pause.
struct Feed {
    pieces: VecDeque<String>,
    repeats: bool,
    pause: Duration,
    timer: Pin<Box<Sleep>>,
    gone: Arc<AtomicUsize>,
}

impl Stream for Feed {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if !self.pause.is_zero() {
            ready!(self.timer.as_mut().poll(context));
            let next = Instant::now() + self.pause;
            self.timer.as_mut().reset(next);
        }
        let piece = if self.repeats { self.pieces.front().cloned() } else { self.pieces.pop_front() };
        Poll::Ready(piece.map(|piece| Ok(piece.into())))
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        if !self.pieces.is_empty() {
            self.gone.fetch_add(1, Ordering::AcqRel);
        }
    }
}
