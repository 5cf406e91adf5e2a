use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use jarre_core::{Error, ErrorKind};

/// When a provider that failed is asked again. Only what [`Error::is_retryable`] says, and a provider's own defect, is tried again, and
/// never after a piece of an answer was given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Tries after the first: 2 at first.
    pub retries: u32,
    /// The wait before the second try, doubled for each further one: 500 ms at first.
    pub base: Duration,
    /// The longest wait: 8 s at first. Where a provider asks for a longer one (`Retry-After`), its error is handed on instead.
    pub longest: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { retries: 2, base: Duration::from_millis(500), longest: Duration::from_secs(8) }
    }
}

impl RetryPolicy {
    /// One try and no other.
    pub fn never() -> Self {
        Self { retries: 0, ..Self::default() }
    }

    /// Sets [`retries`](Self::retries).
    pub fn with_retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// Sets [`base`](Self::base) and [`longest`](Self::longest).
    pub fn with_waits(mut self, base: Duration, longest: Duration) -> Self {
        (self.base, self.longest) = (base, longest);
        self
    }

    /// How long to wait before the next try after `tries` that failed, the last with `error`; `None` where there is none. Of a wait that
    /// the policy chooses, `jitter`, in [0, 1), takes away up to a half, so that clients that failed together do not return together; one
    /// that the provider asked for is made longer instead, by up to a tenth.
    pub(crate) fn wait(&self, tries: u32, error: &Error, jitter: f64) -> Option<Duration> {
        let worth = error.is_retryable() || error.kind() == ErrorKind::Internal;
        if !worth || tries > self.retries {
            return None;
        }
        if let Some(asked) = error.retry_after() {
            return (asked <= self.longest).then(|| asked.mul_f64(1.0 + jitter / 10.0));
        }
        let doubled = self.base.saturating_mul(1 << (tries - 1).min(20));
        Some(doubled.min(self.longest).mul_f64(1.0 - jitter / 2.0))
    }
}

/// Numbers in [0, 1) for jitter: `SplitMix64`, shared between threads.
#[derive(Debug)]
pub(crate) struct Jitter(AtomicU64);

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    pub(crate) fn next(&self) -> f64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut bits = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: RetryPolicy = RetryPolicy { retries: 3, base: Duration::from_millis(100), longest: Duration::from_secs(1) };

    fn error(kind: ErrorKind) -> Error {
        Error::new(kind, "")
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let policy = RetryPolicy { retries: 9, ..POLICY };
        let waits: Vec<_> = (1..=6).map(|tries| policy.wait(tries, &error(ErrorKind::Unavailable), 0.0).unwrap().as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1000, 1000]);
        assert!(RetryPolicy { retries: u32::MAX, ..POLICY }.wait(u32::MAX, &error(ErrorKind::Timeout), 0.9).is_some());
    }

    #[test]
    fn only_what_can_help_is_tried_again() {
        for kind in [
            ErrorKind::InvalidRequest,
            ErrorKind::Authentication,
            ErrorKind::NotFound,
            ErrorKind::ContextLength,
            ErrorKind::InvalidResponse,
        ] {
            assert_eq!(POLICY.wait(1, &error(kind), 0.0), None, "{kind:?}");
        }
        for kind in [ErrorKind::RateLimited, ErrorKind::Unavailable, ErrorKind::Timeout, ErrorKind::Internal] {
            assert!(POLICY.wait(3, &error(kind), 0.0).is_some(), "{kind:?}");
            assert_eq!(POLICY.wait(4, &error(kind), 0.0), None, "{kind:?}");
        }
        assert_eq!(RetryPolicy::never().wait(1, &error(ErrorKind::Unavailable), 0.0), None);
    }

    proptest! {
        #[test]
        fn the_providers_wait_is_kept_or_handed_on(asked in 0..2000_u64, jitter in 0.0..1.0) {
            let asked = Duration::from_millis(asked);
            let wait = POLICY.wait(1, &error(ErrorKind::RateLimited).with_retry_after(asked), jitter);
            prop_assert_eq!(wait.is_some(), asked <= POLICY.longest);
            prop_assert!(wait.is_none_or(|wait| wait >= asked && wait <= asked.mul_f64(1.1)));
        }

        #[test]
        fn jitter_lies_where_it_should_and_differs(seed: u64) {
            let jitter = Jitter::new(seed);
            let drawn: Vec<f64> = (0..64).map(|_| jitter.next()).collect();
            prop_assert!(drawn.iter().all(|number| (0.0..1.0).contains(number)));
            prop_assert!(drawn.iter().any(|number| *number < 0.5) && drawn.iter().any(|number| *number >= 0.5));
        }
    }
}
