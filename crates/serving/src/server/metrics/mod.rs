//! What Prometheus reads: vLLM's names, labels and buckets, so that its dashboards show this server.

mod buckets;
mod engine;
mod http;
mod observer;

use std::fmt;
use std::sync::Arc;

use jarre_core::FinishReason;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use self::engine::EngineMetrics;
pub(super) use self::http::HttpMetrics;
use self::observer::MetricsObserver;
use crate::{CacheConfig, KvType, Observer, SchedulerStats};

/// The metrics of one engine and its server. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    engine: EngineMetrics,
    pub(super) http: HttpMetrics,
}

impl Metrics {
    /// Metrics of the model `name`, which reads at most `max_len` tokens; the engine is labelled `0`.
    pub fn new(name: &str, max_len: usize) -> Self {
        let mut registry = Registry::default();
        let labels = [("model_name".into(), name.to_owned().into()), ("engine".into(), "0".into())];
        let engine = EngineMetrics::new(registry.sub_registry_with_labels(labels.into_iter()), max_len);
        let http = HttpMetrics::new(&mut registry);
        Self { registry: Arc::new(registry), engine, http }
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
