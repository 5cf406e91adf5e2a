use std::sync::atomic::{AtomicU64, Ordering};

/// Names of answers, none of which comes twice.
pub(super) struct Ids {
    start: u64,
    next: AtomicU64,
}

impl Ids {
    /// `start` tells this proxy from others.
    pub(super) fn new(start: u64) -> Self {
        Self { start, next: AtomicU64::new(0) }
    }

    pub(super) fn next(&self, prefix: &str) -> String {
        format!("{prefix}-{:016x}{:08x}", self.start, self.next.fetch_add(1, Ordering::Relaxed))
    }
}
