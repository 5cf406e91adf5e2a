use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::json;

/// Requests of one sort, so many at a time.
pub(crate) struct Load {
    pub(crate) client: reqwest::Client,
    pub(crate) prompt: String,
    pub(crate) concurrency: usize,
    pub(crate) requests: usize,
}

/// Milliseconds that answers took.
#[derive(Debug, Default)]
pub(crate) struct Times {
    /// Until the first text of a stream.
    pub(crate) first: Vec<f64>,
    /// Until the end.
    pub(crate) all: Vec<f64>,
}

impl Times {
    pub(crate) fn add(&mut self, more: Self) {
        self.first.extend(more.first);
        self.all.extend(more.all);
    }
}

impl Load {
    pub(crate) async fn run(&self, url: &str, stream: bool) -> Result<Times> {
        let body = json!({"model": "small", "messages": [{"role": "user", "content": self.prompt}], "stream": stream}).to_string();
        let share = self.requests.div_ceil(self.concurrency);
        let workers: Vec<_> =
            (0..self.concurrency).map(|_| tokio::spawn(work(self.client.clone(), url.to_owned(), body.clone(), share))).collect();
        let mut times = Times::default();
        for worker in workers {
            times.add(worker.await??);
        }
        Ok(times)
    }
}

async fn work(client: reqwest::Client, url: String, body: String, requests: usize) -> Result<Times> {
    let mut times = Times::default();
    for _ in 0..requests {
        let start = Instant::now();
        let since = || start.elapsed().as_secs_f64() * 1e3;
        let mut response = client.post(format!("{url}/chat/completions")).body(body.clone()).send().await?;
        ensure!(response.status().is_success(), "{}: {}", response.status(), response.text().await?);
        let (mut first, mut text) = (None, Vec::new());
        while let Some(piece) = response.chunk().await? {
            text.extend_from_slice(&piece);
            if first.is_none() && holds_text(&text) {
                first = Some(since());
            }
        }
        times.first.extend(first);
        times.all.push(since());
    }
    Ok(times)
}

fn holds_text(events: &[u8]) -> bool {
    const FIRST: &[u8] = b"The ";
    events.windows(FIRST.len()).any(|window| window == FIRST)
}
