use std::sync::Arc;
use std::time::Duration;

use jarre_guardrails::pipeline::{Action, Decision, Pipeline};
use jarre_guardrails::{Reach, Stage};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Seconds of a request to the head of its answer, and of a layer.
const REQUEST: [f64; 15] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0];
const LAYER: [f64; 14] = [1e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 1e-2, 5e-2, 0.25, 1.0];

type Labels<const N: usize> = [(&'static str, String); N];
type Histograms = Family<Labels<2>, Histogram, fn() -> Histogram>;

/// What Prometheus reads. Clones share it.
#[derive(Clone)]
pub(super) struct Metrics {
    registry: Arc<Registry>,
    requests: Family<Labels<3>, Counter>,
    seconds: Histograms,
    verdicts: Family<Labels<3>, Counter>,
    layer_seconds: Histograms,
    pub(super) in_flight: Gauge,
    pub(super) held: Gauge,
    pub(super) unlogged: Counter,
}

impl Metrics {
    pub(super) fn new(pipeline: &Pipeline) -> Self {
        let mut registry = Registry::with_prefix("guard");
        let reach = Family::<Labels<1>, Gauge>::default();
        registry.register(
            "held_bytes_limit",
            "The most bytes of a text that the guards hold back; -1 where they read all of it first",
            reach.clone(),
        );
        for (name, stage) in STAGES {
            reach.get_or_create(&[("stage", name.to_owned())]).set(limit(pipeline.reach(stage)));
        }
        let mut metrics = Self {
            registry: Arc::default(),
            requests: Family::default(),
            seconds: Family::new_with_constructor(requests as fn() -> Histogram),
            verdicts: Family::default(),
            layer_seconds: Family::new_with_constructor(layers as fn() -> Histogram),
            in_flight: Gauge::default(),
            held: Gauge::default(),
            unlogged: Counter::default(),
        };
        metrics.register(&mut registry);
        metrics.registry = Arc::new(registry);
        metrics
    }

    fn register(&self, registry: &mut Registry) {
        registry.register("http_requests", "Requests that were answered, by route, method and status", self.requests.clone());
        registry.register("http_request_duration_seconds", "From a request to the head of its answer", self.seconds.clone());
        registry.register("verdicts", "What layers did to texts, by layer, stage and action", self.verdicts.clone());
        registry.register("layer_duration_seconds", "The time that a layer took for a text", self.layer_seconds.clone());
        registry.register("in_flight", "Requests that are being answered", self.in_flight.clone());
        registry.register("held_bytes", "Bytes of answers that came from the upstream and did not go on yet", self.held.clone());
        registry.register("unlogged_decisions", "Decisions that the log could not take", self.unlogged.clone());
    }

    /// Counts an answer, of which the head went out after `took`.
    pub(super) fn answered(&self, route: &str, method: &str, status: u16, took: Duration) {
        let [route, method] = [("handler", route.to_owned()), ("method", method.to_owned())];
        self.seconds.get_or_create(&[route.clone(), method.clone()]).observe(took.as_secs_f64());
        self.requests.get_or_create(&[route, method, ("status", status.to_string())]).inc();
    }

    /// Counts what each layer did.
    pub(super) fn decided(&self, decision: &Decision) {
        let stage = ("stage", stage_name(decision.stage).to_owned());
        for layer in &decision.layers {
            let name = ("layer", layer.name.clone());
            if layer.action != Action::Skipped {
                self.layer_seconds.get_or_create(&[name.clone(), stage.clone()]).observe(layer.latency.as_secs_f64());
            }
            self.verdicts.get_or_create(&[name, stage.clone(), ("action", action_name(layer.action).to_owned())]).inc();
        }
    }

    /// All of it as `OpenMetrics` text.
    pub(super) fn render(&self) -> String {
        let mut text = String::new();
        let written = encode(&mut text, &self.registry);
        debug_assert!(written.is_ok(), "text can be written to");
        text
    }
}

fn requests() -> Histogram {
    Histogram::new(REQUEST)
}

fn layers() -> Histogram {
    Histogram::new(LAYER)
}

const STAGES: [(&str, Stage); 4] =
    [("input", Stage::Input), ("context", Stage::Context), ("tool_call", Stage::ToolCall), ("output", Stage::Output)];

fn stage_name(stage: Stage) -> &'static str {
    STAGES.into_iter().find(|(_, known)| *known == stage).map_or("other", |(name, _)| name)
}

fn action_name(action: Action) -> &'static str {
    match action {
        Action::Skipped => "skipped",
        Action::Allow => "allow",
        Action::Rewrite => "rewrite",
        Action::Redact => "redact",
        Action::Block => "block",
        Action::Failed => "failed",
    }
}

fn limit(reach: Reach) -> i64 {
    match reach {
        Reach::Bytes(bytes) => i64::try_from(bytes).unwrap_or(i64::MAX),
        Reach::Whole => -1,
    }
}
