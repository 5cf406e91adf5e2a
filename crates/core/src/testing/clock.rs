use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{Clock, Timestamp};

/// A clock that stands still until it is moved. It begins at [`Timestamp::UNIX_EPOCH`].
///
/// ```
/// use jarre_core::{Clock, testing::ManualClock};
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// let start = clock.now();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now() - start, Duration::from_secs(60));
/// ```
#[derive(Debug, Default)]
pub struct ManualClock(Mutex<(Duration, Timestamp)>);

impl ManualClock {
    /// A clock at the start of 1970.
    pub fn new() -> Self {
        Self::default()
    }

    /// A clock at `start`.
    pub fn starting_at(start: Timestamp) -> Self {
        Self(Mutex::new((Duration::ZERO, start)))
    }

    /// Lets time pass.
    pub fn advance(&self, duration: Duration) {
        self.change(|(now, timestamp)| {
            *now = now.saturating_add(duration);
            *timestamp = timestamp.saturating_add(duration);
        });
    }

    /// Sets the time of day, backwards too, as a person who corrects a machine's clock does; [`Clock::now`] goes on as before.
    pub fn set_timestamp(&self, to: Timestamp) {
        self.change(|(_, timestamp)| *timestamp = to);
    }

    fn change<R>(&self, change: impl FnOnce(&mut (Duration, Timestamp)) -> R) -> R {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        self.change(|(now, _)| *now)
    }

    fn timestamp(&self) -> Timestamp {
        self.change(|(_, timestamp)| *timestamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SystemClock, testing::contract};

    #[test]
    fn both_clocks_keep_the_contract() {
        let clock = ManualClock::new();
        contract::clock(&clock, |duration| clock.advance(duration));
        contract::clock(&SystemClock::new(), std::thread::sleep);
    }

    #[test]
    fn setting_the_date_does_not_touch_durations() {
        let clock = ManualClock::starting_at(Timestamp::from_unix_micros(50));
        clock.advance(Duration::from_micros(5));
        clock.set_timestamp(Timestamp::UNIX_EPOCH);
        assert_eq!((clock.now(), clock.timestamp()), (Duration::from_micros(5), Timestamp::UNIX_EPOCH));
    }
}
