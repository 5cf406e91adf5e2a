use std::{
    fmt,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use crate::macros::forward;

/// Tells the time, so that code that measures, expires or times out can be replayed and tested.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a clock",
    note = "use `jarre_core::SystemClock`, or `jarre_core::testing::ManualClock` in tests"
)]
pub trait Clock: Send + Sync {
    /// Time since an origin that the clock keeps for its life. Never decreases, also between threads: what durations are measured by.
    fn now(&self) -> Duration;

    /// The date and time of day. May jump when the machine's clock is set: what records and deadlines are stamped with.
    fn timestamp(&self) -> Timestamp;
}

forward!(Clock {
    fn now(&self) -> Duration;
    fn timestamp(&self) -> Timestamp;
});

/// The clock of the machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock whose origin is now.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    fn timestamp(&self) -> Timestamp {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => Timestamp::UNIX_EPOCH.saturating_add(after),
            Err(before) => Timestamp::UNIX_EPOCH.saturating_sub(before.duration()),
        }
    }
}

/// A date and time of day, in whole microseconds since 1970-01-01T00:00:00Z without leap seconds.
///
/// Serialised as that number; displayed as RFC 3339 in UTC.
///
/// ```
/// use jarre_core::Timestamp;
/// use std::time::Duration;
///
/// let start = Timestamp::from_unix_micros(1_700_000_000_000_000);
/// assert_eq!(start.to_string(), "2023-11-14T22:13:20.000000Z");
/// assert_eq!(start.saturating_add(Duration::from_secs(2)).since(start), Duration::from_secs(2));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The start of 1970 in UTC.
    pub const UNIX_EPOCH: Self = Self(0);
    /// Before every other.
    pub const MIN: Self = Self(i64::MIN);
    /// After every other.
    pub const MAX: Self = Self(i64::MAX);

    /// So many microseconds after the start of 1970.
    pub const fn from_unix_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the start of 1970.
    pub const fn unix_micros(self) -> i64 {
        self.0
    }

    /// So much later, at most [`MAX`](Self::MAX); parts of a microsecond are cut off.
    pub fn saturating_add(self, duration: Duration) -> Self {
        Self(i64::try_from(duration.as_micros()).map_or(i64::MAX, |micros| self.0.saturating_add(micros)))
    }

    /// So much earlier, at least [`MIN`](Self::MIN); parts of a microsecond are cut off.
    pub fn saturating_sub(self, duration: Duration) -> Self {
        Self(i64::try_from(duration.as_micros()).map_or(i64::MIN, |micros| self.0.saturating_sub(micros)))
    }

    /// Time from `earlier` to this; zero where `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        if self <= earlier { Duration::ZERO } else { Duration::from_micros(self.0.abs_diff(earlier.0)) }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.0.div_euclid(1_000_000), self.0.rem_euclid(1_000_000));
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }
}

/// Year, month and day of the proleptic Gregorian calendar, `days` after 1970-01-01.
///
/// Counts years from March, so that the leap day is a year's last, in eras of 400 years, which all have 146,097 days.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let since_march_0000 = days + 719_468;
    let (era, day_of_era) = (since_march_0000.div_euclid(146_097), since_march_0000.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_follow_the_gregorian_calendar() {
        // Seconds by `date -u +%s`.
        let cases = [
            (0, "1970-01-01T00:00:00.000000Z"),
            (-1, "1969-12-31T23:59:59.000000Z"),
            (951_827_696, "2000-02-29T12:34:56.000000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000Z"),
            (-2_208_988_800, "1900-01-01T00:00:00.000000Z"),
        ];
        for (seconds, text) in cases {
            assert_eq!(Timestamp::from_unix_micros(seconds * 1_000_000).to_string(), text);
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut before = civil_from_days(-150_000);
        for days in -149_999..150_000 {
            let (year, month, day) = civil_from_days(days);
            let next_day = (year, month) == (before.0, before.1) && day == before.2 + 1;
            let next_month = day == 1 && before.2 >= 28 && (year * 12 + month) == (before.0 * 12 + before.1) + 1;
            assert!(next_day || next_month, "{before:?} then {:?}", (year, month, day));
            before = (year, month, day);
        }
    }

    #[test]
    fn sums_stop_at_the_ends() {
        assert_eq!(Timestamp::UNIX_EPOCH.saturating_add(Duration::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::UNIX_EPOCH.saturating_sub(Duration::MAX), Timestamp::MIN);
        assert_eq!(Timestamp::MAX.since(Timestamp::MIN), Duration::from_micros(u64::MAX));
        assert_eq!(Timestamp::MIN.since(Timestamp::MAX), Duration::ZERO);
    }

    #[test]
    fn a_timestamp_is_a_number_on_the_wire() {
        assert_eq!(serde_json::to_string(&Timestamp::from_unix_micros(-5)).unwrap(), "-5");
        assert_eq!(serde_json::from_str::<Timestamp>("-5").unwrap(), Timestamp::from_unix_micros(-5));
    }
}
