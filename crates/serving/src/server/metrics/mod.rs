//! What Prometheus reads: vLLM's names, labels and buckets, so that its dashboards show this server.

mod buckets;
mod engine;
mod http;
mod observer;
mod others;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jarre_core::FinishReason;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use self::engine::EngineMetrics;
pub(super) use self::http::HttpMetrics;
use self::observer::MetricsObserver;
use self::others::Others;
use crate::{AdapterStats, CacheConfig, KvType, Observer, SchedulerStats};

/// The metrics of one engine and its server. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    engine: EngineMetrics,
    pub(super) http: HttpMetrics,
    /// Who writes a page has what it shows to themselves.
    writing: Arc<Mutex<()>>,
}

impl Metrics {
    /// Metrics of the model `name`, which reads at most `max_len` tokens; the engine is labelled `0`.
    pub fn new(name: &str, max_len: usize) -> Self {
        let mut registry = Registry::default();
        let labels = [("model_name".into(), name.to_owned().into()), ("engine".into(), "0".into())];
        let others = Others::new(&mut registry);
        let engine = EngineMetrics::new(registry.sub_registry_with_labels(labels.into_iter()), others, max_len);
        let http = HttpMetrics::new(&mut registry);
        Self { registry: Arc::new(registry), engine, http, writing: Arc::default() }
    }

    /// Counts what an engine tells. Give it to [`EngineCore::observe`](crate::EngineCore::observe) before the engine starts.
    pub fn observer(&self) -> Box<dyn Observer> {
        Box::new(MetricsObserver::new(self.engine.clone()))
    }

    /// Tells how an engine's cache is laid out.
    pub fn set_cache(&self, cache: &CacheConfig, kind: KvType) {
        self.engine.set_cache(cache, kind);
    }

    /// All metrics as `OpenMetrics` text, those of the scheduler as `stats` has them.
    pub fn render(&self, stats: &SchedulerStats) -> String {
        self.engine.set(stats);
        let mut text = String::new();
        let written = encode(&mut text, &self.registry);
        debug_assert!(written.is_ok(), "text can be written to");
        text
    }

    /// As [`render`](Self::render), with the adapters of open requests at `now`, in seconds since the start of 1970; `most` may be loaded.
    pub(super) fn page(&self, stats: &SchedulerStats, adapters: &AdapterStats, most: usize, now: f64) -> String {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.engine.others.set_adapters(adapters, most, now);
        self.render(stats)
    }

    /// Counts a request whose grammar took too long.
    pub(super) fn grammar_timed_out(&self) {
        self.engine.others.grammar_timeouts.inc();
    }

    /// Counts a connection beyond the limit.
    pub(super) fn connection_refused(&self) {
        self.engine.others.connections_refused.inc();
    }

    /// Counts tokens that were given out.
    pub(super) fn generated(&self, tokens: usize) {
        self.engine.generation_tokens.inc_by(tokens as u64);
    }

    /// Counts an answer that ended.
    pub(super) fn answered(&self, reason: FinishReason) {
        let reason = match reason {
            FinishReason::Length => "length",
            _ => "stop",
        };
        self.engine.success.get_or_create(&[("finished_reason", reason)]).inc();
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
