use std::time::Duration;

use tracing::{Span, field, info_span};

use crate::RequestStats;

/// The span of a request, named by OpenTelemetry's conventions for generative AI. It lasts until the answer does.
#[derive(Clone, Debug)]
pub(super) struct Trace(Span);

impl Trace {
    pub(super) fn new(id: &str, operation: &'static str, model: &str) -> Self {
        Self(info_span!(
            "request",
            gen_ai.request.id = id,
            gen_ai.operation.name = operation,
            gen_ai.request.model = model,
            gen_ai.usage.input_tokens = field::Empty,
            gen_ai.usage.output_tokens = field::Empty,
            gen_ai.latency.time_to_first_token = field::Empty,
            gen_ai.latency.e2e = field::Empty,
            error.type = field::Empty,
        ))
    }

    /// Notes what became of the request, with a span for each of its parts.
    pub(super) fn done(&self, stats: &RequestStats) {
        self.0.record("gen_ai.usage.input_tokens", stats.usage.prompt_tokens);
        self.0.record("gen_ai.usage.output_tokens", stats.usage.completion_tokens);
        self.0.record("gen_ai.latency.time_to_first_token", stats.time_to_first_token().as_secs_f64());
        self.0.record("gen_ai.latency.e2e", stats.finished.saturating_sub(stats.arrived).as_secs_f64());
        let _entered = self.0.enter();
        let lasted = |start: Duration, end: Duration| (start.as_secs_f64(), end.saturating_sub(start).as_secs_f64());
        let (start, seconds) = lasted(stats.arrived, stats.scheduled);
        info_span!("queue", start, seconds).in_scope(|| {});
        let (start, seconds) = lasted(stats.scheduled, stats.first_token);
        info_span!("prefill", start, seconds, cached_tokens = stats.usage.cached_tokens).in_scope(|| {});
        let (start, seconds) = lasted(stats.first_token, stats.finished);
        info_span!("decode", start, seconds, preemptions = stats.preemptions).in_scope(|| {});
    }

    /// Notes why there is no answer.
    pub(super) fn failed(&self, why: &str) {
        self.0.record("error.type", why);
    }
}
