use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream, to_bytes};
use axum::http::{HeaderMap, Method, Request, header};
use futures_core::Stream;
use jarre_core::SystemClock;
use jarre_openai::sse;
use jarre_serving::server::{Server, ServerConfig};
use jarre_serving::{Engine, Model, ServeOptions};
use jarre_transformer::Device;
use jarre_transformer::chat_template::ChatTemplate;
use serde_json::Value;
use tower::ServiceExt;

/// The model was made to continue texts, and has no template of its own.
const TEMPLATE: &str = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}";

/// A server without a network.
pub(crate) struct Rig {
    pub(crate) router: Router,
    pub(crate) engine: Engine,
}

/// A whole answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

pub(crate) fn assets() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/assets")
}

pub(crate) fn config() -> ServerConfig {
    ServerConfig::default().with_entropy(7)
}

pub(crate) fn options() -> ServeOptions {
    let mut options = ServeOptions::default();
    options.kv_cache_bytes = 16 << 20;
    options
}

pub(crate) fn server(options: &ServeOptions, config: ServerConfig) -> Server {
    server_with(TEMPLATE, options, config)
}

pub(crate) fn server_with(template: &str, options: &ServeOptions, config: ServerConfig) -> Server {
    let model = Model::open(assets().join("jarre-tiny"), &Device::default()).unwrap();
    let model = model.with_template(ChatTemplate::new(template, []).unwrap());
    Server::start(model, options, Arc::new(SystemClock::new()), config).unwrap()
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::over(server(&options(), config()))
    }

    pub(crate) fn over(server: Server) -> Self {
        let engine = server.engine().clone();
        Self { router: server.into_router(), engine }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        Reply { status: head.status.as_u16(), headers: head.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(post(path, body)).await
    }

    /// A stream that is read as it comes.
    pub(crate) async fn open(&self, path: &str, body: &Value) -> Pieces {
        let response = self.router.clone().oneshot(post(path, body)).await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        Pieces(response.into_body().into_data_stream())
    }

    /// Waits until the engine's numbers are as wanted.
    pub(crate) async fn until(&self, wanted: impl Fn(&Engine) -> bool) {
        for _ in 0..2000 {
            if wanted(&self.engine) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the engine stays at {:?}", self.engine.stats());
    }
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The body, of a call that succeeded.
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()
    }

    /// The error that a call was refused with, in OpenAI's form.
    pub(crate) fn refused(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/json");
        let body = self.json();
        for field in ["message", "type", "param", "code"] {
            assert!(body["error"].get(field).is_some(), "{field} is missing in {body}");
        }
        assert_eq!(body.as_object().unwrap().len(), 1);
        body["error"].clone()
    }

    /// The data of a stream's events, which ended with `[DONE]`.
    pub(crate) fn events(&self) -> Vec<Value> {
        assert_eq!((self.status, self.headers[header::CONTENT_TYPE].to_str().unwrap()), (200, "text/event-stream"), "{}", self.text);
        let mut data = events(&self.text);
        assert_eq!(data.pop().as_deref(), Some("[DONE]"));
        data.iter().map(|data| serde_json::from_str(data).unwrap()).collect()
    }
}

pub(crate) struct Pieces(BodyDataStream);

impl Pieces {
    pub(crate) async fn next(&mut self) -> Option<String> {
        let bytes = poll_fn(|context| Pin::new(&mut self.0).poll_next(context)).await?;
        Some(String::from_utf8(bytes.unwrap().to_vec()).unwrap())
    }

    pub(crate) async fn rest(mut self) -> String {
        let mut text = String::new();
        while let Some(piece) = self.next().await {
            text.push_str(&piece);
        }
        text
    }
}

pub(crate) fn events(text: &str) -> Vec<String> {
    let mut decoder = sse::Decoder::new(1 << 24);
    decoder.push(text.as_bytes());
    std::iter::from_fn(|| decoder.next_event()).map(|event| event.unwrap().data).collect()
}

pub(crate) fn post(path: &str, body: &Value) -> Request<Body> {
    raw(Method::POST, path, serde_json::to_vec(body).unwrap())
}

pub(crate) fn raw(method: Method, path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json").body(body.into()).unwrap()
}
