use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{extract::State, response::Response};

use super::{
    App,
    failure::{Failure, json},
    page::Page,
    raft,
};
use crate::{KeyRange, RangeRequest, Result};

/// How long the store may take to answer before it is not ready.
const READY: Duration = Duration::from_secs(2);

/// The process lives.
pub(super) async fn health() -> Response {
    json(&serde_json::json!({ "health": "true" }))
}

/// The store answers a linearizable read.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    let read = app.store.range(RangeRequest::new(KeyRange::key("a")).keys_only());
    tokio::time::timeout(READY, read).await.unwrap_or(Err(crate::Error::NoQuorum))?;
    Ok(json(&serde_json::json!({ "ready": "true" })))
}

pub(super) async fn version() -> Response {
    json(&serde_json::json!({ "jarre-kv": env!("CARGO_PKG_VERSION"), "etcdserver": "3.4.0", "etcdcluster": "3.4.0" }))
}

/// Requests that were answered.
#[derive(Debug, Default)]
pub(super) struct Requests {
    by_class: [AtomicU64; 5],
    nanos: AtomicU64,
    refused: AtomicU64,
}

impl Requests {
    pub(super) fn answered(&self, status: u16, took: Duration) {
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        self.by_class[class].fetch_add(1, Relaxed);
        self.nanos.fetch_add(took.as_nanos() as u64, Relaxed);
    }

    pub(super) fn connection_refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    fn show(&self, page: &mut Page) {
        let classes = self.by_class.iter().enumerate().map(|(class, count)| (format!("{}xx", class + 1), count.load(Relaxed) as f64));
        page.labelled(["http_requests_total", "Requests answered.", "counter"], "status", classes);
        let seconds = Duration::from_nanos(self.nanos.load(Relaxed)).as_secs_f64();
        page.counter("http_request_seconds_total", "Time until requests were answered.", seconds);
        page.counter("http_connections_refused_total", "Connections over the limit.", self.refused.load(Relaxed) as f64);
    }
}

/// Everything that is counted, as Prometheus reads it.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    let mut page = Page::default();
    let status = app.store.status().await?;
    page.gauge("revision", "Where the store is.", status.revision.0 as f64);
    page.gauge("compacted_revision", "The last revision that was compacted.", status.compacted.0 as f64);
    page.gauge("keys", "Keys that exist.", status.keys as f64);
    page.gauge("leases", "Leases that have not ended.", status.leases as f64);
    page.counter("commands_applied_total", "Commands in the store's state, since it was made.", status.applied as f64);
    if let Some(bytes) = status.bytes {
        page.gauge("size_bytes", "What the store takes.", bytes as f64);
    }
    match &app.raft {
        Some(raft) => raft::show(&mut page, &raft.raft_status()),
        None => page.gauge("has_leader", "Whether a leader is known, where there has to be one.", u8::from(status.leader.is_some()).into()),
    }
    if let Some(counts) = &app.counts {
        let counts = counts();
        page.counter("reads_total", "Ranges, and transactions that changed nothing.", counts.reads as f64);
        page.counter("commands_total", "Commands carried out.", counts.commands as f64);
        page.counter("commands_refused_total", "Commands that the state did not allow.", counts.refused as f64);
        page.counter("commits_total", "Commits, each of a group of commands.", counts.commits as f64);
        page.gauge("largest_group", "Commands of the largest group.", counts.largest_group as f64);
        page.counter("commit_seconds_total", "Time spent in commits.", counts.commit_time.as_secs_f64());
        page.counter("leases_expired_total", "Leases that ran out.", counts.leases_expired as f64);
        page.counter("watch_batches_total", "Batches delivered to watches.", counts.watch_batches as f64);
    }
    app.requests.show(&mut page);
    Ok(Response::new(page.text.into()))
}
