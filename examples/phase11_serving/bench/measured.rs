//! What was seen of a load.

use std::time::Duration;

/// The times of one request, from when it was to come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Tokens of the prompt.
    pub(crate) input: usize,
    /// Tokens of the answer.
    pub(crate) output: usize,
    /// When each piece of the answer was there; an engine's pieces are tokens.
    pub(crate) pieces: Vec<Duration>,
    pub(crate) done: bool,
}

/// All requests, and how long it took until the last answer was there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    pub(crate) requests: Vec<Seen>,
    pub(crate) refused: usize,
    /// How long it took until a refusal was there, where that takes time.
    pub(crate) refusals: Vec<Duration>,
    /// Why requests failed that were not refused.
    pub(crate) failures: Vec<String>,
    pub(crate) duration: Duration,
    /// What the engine counted meanwhile, where it is known.
    pub(crate) counts: Option<Counts>,
}

/// What an engine counts during a load.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) preemptions: u64,
    pub(crate) prefix_cache_queries: u64,
    pub(crate) prefix_cache_hits: u64,
    /// The largest share of the cache that was held.
    pub(crate) peak_kv_usage: f64,
}

impl Counts {
    /// From another count on.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            preemptions: self.preemptions.saturating_sub(before.preemptions),
            prefix_cache_queries: self.prefix_cache_queries.saturating_sub(before.prefix_cache_queries),
            prefix_cache_hits: self.prefix_cache_hits.saturating_sub(before.prefix_cache_hits),
            peak_kv_usage: self.peak_kv_usage,
        }
    }
}
