//! A proxy on a port of its own, and a client of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jarre_core::SystemClock;
use jarre_openai::sse;
use jarre_providers::{Dialect, EndpointConfig};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::guards;
use crate::serve::{App, ProxyConfig, Upstream, run};

pub(crate) struct Proxy {
    pub(crate) url: String,
    pub(crate) client: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<bool>,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) text: String,
}

impl Proxy {
    /// Before the server at `url`, as it comes.
    pub(crate) async fn before(url: &str) -> Self {
        Self::start(url, ProxyConfig::default(), |app| app).await
    }

    pub(crate) async fn start(url: &str, config: ProxyConfig, change: impl FnOnce(App) -> App) -> Self {
        let upstream = Upstream::new(EndpointConfig::new(url).with_dialect(Dialect::Extended), Some("upstream-secret"))
            .unwrap()
            .with_alias("alias", "small");
        let app = change(App::new(config, upstream, guards::pipeline(), Arc::new(SystemClock::new()), 7).with_restore(guards::restore()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(run(Arc::new(app), listener, async { drop(stopped.await) }));
        Self { url, client: reqwest::Client::new(), stop: Some(stop), running }
    }

    pub(crate) async fn send(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        Answer::read(self.client.post(format!("{}{path}", self.url)).body(body).send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::read(self.client.get(format!("{}{path}", self.url)).send().await.unwrap()).await
    }

    /// Says `text` to the model; the answer comes whole.
    pub(crate) async fn ask(&self, text: &str) -> Answer {
        self.send("/v1/chat/completions", chat(text, false)).await
    }

    /// Says `text` to the model; the answer comes as it is written.
    pub(crate) async fn stream(&self, text: &str) -> reqwest::Response {
        self.client.post(format!("{}/v1/chat/completions", self.url)).body(chat(text, true)).send().await.unwrap()
    }

    /// Asks it to stop.
    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Whether it came to its end with all that was open.
    pub(crate) async fn stopped(self) -> bool {
        self.running.await.unwrap()
    }

    /// The value of a metric without labels, or of the line that begins so.
    pub(crate) async fn metric(&self, line: &str) -> Option<f64> {
        let page = self.get("/metrics").await.text;
        page.lines().find_map(|text| text.strip_prefix(line)?.trim().parse().ok())
    }
}

pub(crate) fn chat(text: &str, stream: bool) -> String {
    let mut request = json!({"model": "small", "messages": [{"role": "user", "content": text}]});
    if stream {
        request["stream"] = json!(true);
        request["stream_options"] = json!({"include_usage": true});
    }
    request.to_string()
}

impl Answer {
    pub(crate) async fn read(response: reqwest::Response) -> Self {
        let headers = response.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        Self { status: response.status().as_u16(), headers, text: response.text().await.unwrap() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn content(&self) -> String {
        self.json()["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
    }

    pub(crate) fn verdict(&self) -> Value {
        serde_json::from_str(&self.headers["x-guard-verdict"]).unwrap()
    }

    /// The events of a stream, `[DONE]` last.
    pub(crate) fn events(&self) -> Vec<Value> {
        let mut decoder = sse::Decoder::new(1 << 20);
        decoder.push(self.text.as_bytes());
        let mut events = Vec::new();
        while let Some(event) = decoder.next_event() {
            let data = event.unwrap().data;
            events.push(if data == "[DONE]" { json!(data) } else { serde_json::from_str(&data).unwrap() });
        }
        events
    }

    /// The text that a stream gave.
    pub(crate) fn streamed(&self) -> String {
        self.events().iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str()).collect()
    }

    /// Why a stream ended.
    pub(crate) fn finish(&self) -> Option<String> {
        self.events().iter().find_map(|event| Some(event["choices"][0]["finish_reason"].as_str()?.to_owned()))
    }

    /// What the last comment of a stream tells of the guards.
    pub(crate) fn comment(&self) -> Value {
        let line = self.text.lines().rev().find_map(|line| line.strip_prefix(": x-guard-verdict "));
        serde_json::from_str(line.unwrap()).unwrap()
    }
}

/// Waits until `there` is so.
pub(crate) async fn until(what: &str, mut there: impl AsyncFnMut() -> bool) {
    for _ in 0..1000 {
        if there().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: not so after ten seconds");
}
