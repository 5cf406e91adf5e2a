use std::time::Duration;

use super::residency::BlockResidency;
use crate::output::RequestStats;
use crate::{PooledRequest, Request, SchedulerStats};

/// Is told what happens in an engine, as it happens: what metrics, logs and progress lines are made of. All durations are the engine's.
pub trait Observer: Send {
    /// A request was not taken.
    fn refused(&mut self) {}

    /// A request was forgotten before its end: its client went away, its deadline passed, or it failed.
    fn cancelled(&mut self) {}

    /// A request is part of a step for the first time, having waited for `queued`.
    fn scheduled(&mut self, queued: Duration) {
        let _ = queued;
    }

    /// A request of `prompt` tokens has its first token, `after` it came (TTFT).
    fn first_token(&mut self, after: Duration, prompt: usize) {
        let _ = (after, prompt);
    }

    /// An answer has further tokens, `gap` after the ones before (ITL).
    fn tokens(&mut self, tokens: usize, gap: Duration) {
        let _ = (tokens, gap);
    }

    /// Of `proposed` tokens an answer took `accepted`.
    fn speculated(&mut self, proposed: usize, accepted: usize) {
        let _ = (proposed, accepted);
    }

    /// All answers to a request are there.
    fn finished(&mut self, request: &Request, stats: &RequestStats) {
        let _ = (request, stats);
    }

    /// All inputs for a model beside the engine's own are computed.
    fn pooled(&mut self, request: &PooledRequest, stats: &RequestStats) {
        let _ = (request, stats);
    }

    /// A block of cached text made room for other text.
    fn evicted(&mut self, residency: &BlockResidency) {
        let _ = residency;
    }

    /// A step was computed.
    fn step(&mut self, step: StepStats, took: Duration, scheduler: &SchedulerStats) {
        let _ = (step, took, scheduler);
    }
}

/// The size of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepStats {
    /// Tokens that were computed.
    pub tokens: usize,
    /// Sequences that they belong to.
    pub sequences: usize,
}

/// Takes no notice.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoObserver;

impl Observer for NoObserver {}
