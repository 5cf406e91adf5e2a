use std::time::Duration;

use super::engine::EngineMetrics;
use crate::{BlockResidency, Observer, PooledRequest, Request, RequestStats, SchedulerStats, StepStats};

/// Counts what an engine tells as it happens.
pub(super) struct MetricsObserver(EngineMetrics);

impl MetricsObserver {
    pub(super) fn new(metrics: EngineMetrics) -> Self {
        Self(metrics)
    }
}

impl Observer for MetricsObserver {
    fn cancelled(&mut self) {
        self.0.success.get_or_create(&[("finished_reason", "abort")]).inc();
    }

    fn first_token(&mut self, after: Duration, prompt: usize) {
        self.0.first_token.observe(after.as_secs_f64());
        self.0.prompt_tokens.inc_by(prompt as u64);
    }

    fn tokens(&mut self, _tokens: usize, gap: Duration) {
        self.0.next_token.observe(gap.as_secs_f64());
    }

    fn speculated(&mut self, proposed: usize, accepted: usize) {
        self.0.drafts.inc();
        self.0.draft_tokens.inc_by(proposed as u64);
        self.0.accepted_tokens.inc_by(accepted as u64);
    }

    fn finished(&mut self, request: &Request, stats: &RequestStats) {
        let metrics = &self.0;
        let lasted = |from: Duration, to: Duration| to.saturating_sub(from).as_secs_f64();
        metrics.e2e.observe(lasted(stats.arrived, stats.finished));
        metrics.queue.observe(lasted(stats.arrived, stats.scheduled));
        metrics.inference.observe(lasted(stats.scheduled, stats.finished));
        metrics.prefill.observe(lasted(stats.scheduled, stats.first_token));
        metrics.decode.observe(lasted(stats.first_token, stats.finished));
        let tokens = stats.usage.completion_tokens as usize;
        if let Some(time) = stats.time_per_output_token(tokens / request.n.max(1)) {
            metrics.per_output_token.observe(time.as_secs_f64());
        }
        metrics.request_prompt_tokens.observe(stats.usage.prompt_tokens as f64);
        metrics.request_generation_tokens.observe(tokens as f64);
        metrics.computed_tokens.observe(stats.usage.prompt_tokens.saturating_sub(stats.usage.cached_tokens) as f64);
        metrics.params_n.observe(request.n as f64);
        #[cfg(feature = "grammar")]
        if request.grammar.is_some() {
            metrics.others.grammar_compile.observe(stats.admission.as_secs_f64());
        }
        if let Some(limit) = request.max_tokens {
            metrics.params_max_tokens.observe(limit as f64);
            metrics.request_max_generation_tokens.observe(limit as f64);
        }
    }

    fn pooled(&mut self, _: &PooledRequest, stats: &RequestStats) {
        let metrics = &self.0;
        let lasted = |from: Duration, to: Duration| to.saturating_sub(from).as_secs_f64();
        metrics.e2e.observe(lasted(stats.arrived, stats.finished));
        metrics.queue.observe(lasted(stats.arrived, stats.scheduled));
        metrics.inference.observe(lasted(stats.scheduled, stats.finished));
        metrics.prefill.observe(lasted(stats.scheduled, stats.finished));
        metrics.prompt_tokens.inc_by(stats.usage.prompt_tokens);
        metrics.request_prompt_tokens.observe(stats.usage.prompt_tokens as f64);
        metrics.success.get_or_create(&[("finished_reason", "stop")]).inc();
    }

    fn evicted(&mut self, residency: &BlockResidency) {
        self.0.block_lifetime.observe(residency.lifetime.as_secs_f64());
        self.0.block_idle.observe(residency.idle.as_secs_f64());
        residency.reuse_gaps.iter().for_each(|gap| self.0.block_reuse_gap.observe(gap.as_secs_f64()));
    }

    fn step(&mut self, step: StepStats, _took: Duration, _scheduler: &SchedulerStats) {
        self.0.step_tokens.observe(step.tokens as f64);
    }
}
