use std::{sync::Arc, time::Duration};

use jarre_core::Clock;

const LONGEST_TICK: Duration = Duration::from_millis(50);

/// How long is waited, by which clock, and since when.
#[derive(Clone)]
pub(super) struct Patience {
    clock: Arc<dyn Clock>,
    pub(super) limit: Duration,
    since: Duration,
}

impl Patience {
    /// Begins now.
    pub(super) fn new(clock: Arc<dyn Clock>, limit: Duration) -> Self {
        let since = clock.now();
        Self { clock, limit, since }
    }

    /// Begins again, because something has moved; says how long that took.
    pub(super) fn renew(&mut self) -> Duration {
        let before = std::mem::replace(&mut self.since, self.clock.now());
        self.since.saturating_sub(before)
    }

    pub(super) fn left(&self) -> Duration {
        self.since.saturating_add(self.limit).saturating_sub(self.clock.now())
    }

    pub(super) fn is_over(&self) -> bool {
        self.left().is_zero()
    }

    /// How long the operating system may hold a call before the clock and the other connection are looked at again.
    pub(super) fn tick(&self) -> Duration {
        (self.limit / 4).clamp(Duration::from_millis(1), LONGEST_TICK)
    }
}

impl std::fmt::Debug for Patience {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Patience").field("limit", &self.limit).field("since", &self.since).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jarre_core::testing::ManualClock;

    #[test]
    fn patience_ends_at_its_limit_and_begins_again() {
        let clock = Arc::new(ManualClock::new());
        let mut patience = Patience::new(clock.clone(), Duration::from_secs(2));
        clock.advance(Duration::from_millis(1999));
        assert_eq!((patience.left(), patience.is_over()), (Duration::from_millis(1), false));
        clock.advance(Duration::from_millis(1));
        assert!(patience.is_over());
        assert_eq!(patience.renew(), Duration::from_secs(2));
        assert_eq!(patience.left(), Duration::from_secs(2));
    }

    #[test]
    fn the_longest_patience_does_not_overflow() {
        let clock = Arc::new(ManualClock::new());
        clock.advance(Duration::from_secs(1));
        assert!(!Patience::new(clock, Duration::MAX).is_over());
    }
}
