use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::buckets;
use crate::AdapterStats;

/// Metrics that bear no labels of a model and an engine: one that vLLM has without them, and what it has no name for.
#[derive(Clone)]
pub(super) struct Others {
    /// By `max_lora`, `waiting_lora_adapters` and `running_lora_adapters`; the value is the time, as in vLLM.
    adapters: Family<[(&'static str, String); 3], Gauge<f64, AtomicU64>>,
    pub(super) grammar_compile: Histogram,
    pub(super) grammar_timeouts: Counter,
    pub(super) connections_refused: Counter,
}

impl Others {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            adapters: Family::default(),
            grammar_compile: Histogram::new(buckets::FIRST_TOKEN),
            grammar_timeouts: Counter::default(),
            connections_refused: Counter::default(),
        };
        let Self { adapters, grammar_compile, grammar_timeouts, connections_refused } = metrics.clone();
        registry.register("vllm:lora_requests_info", "Adapters of open requests, at the time that is the value", adapters);
        let help = "What a request waited for its grammar to be compiled; part of its time in the queue";
        registry.register("jarre:grammar_compile_seconds", help, grammar_compile);
        registry.register("jarre:grammar_timeouts", "Requests whose grammar took too long to compile", grammar_timeouts);
        registry.register("jarre:connections_refused", "Connections beyond the limit", connections_refused);
        metrics
    }

    /// Tells which adapters are asked for `now`.
    pub(super) fn set_adapters(&self, stats: &AdapterStats, most: usize, now: f64) {
        let joined = |names: &BTreeSet<String>| names.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        let labels = [
            ("max_lora", most.to_string()),
            ("waiting_lora_adapters", joined(&stats.waiting)),
            ("running_lora_adapters", joined(&stats.running)),
        ];
        self.adapters.clear();
        self.adapters.get_or_create(&labels).set(now);
    }
}
