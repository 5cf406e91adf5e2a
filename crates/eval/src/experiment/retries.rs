use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::stats::SplitMix64;

/// How often a call that failed is made again, where the error says that it can help, and after what wait.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retries {
    /// Tries after the first.
    pub most: u32,
    /// The longest first wait, in seconds; each next one can be twice as long.
    pub base_seconds: f64,
    /// The longest wait, in seconds. It also bounds what a server asks for.
    pub longest_seconds: f64,
}

impl Default for Retries {
    /// Four more tries, waits of up to 1, 2, 4 and 8 seconds.
    fn default() -> Self {
        Self { most: 4, base_seconds: 1.0, longest_seconds: 60.0 }
    }
}

impl Retries {
    /// What the other side asked for, else a random part of the bound ("full jitter"), so that calls that failed together do not come back
    /// together. The randomness is of the call's key and the attempt: a run waits as it did before.
    pub(super) fn wait(&self, attempt: u32, key: &str, asked: Option<Duration>) -> Duration {
        let longest = seconds(self.longest_seconds);
        if let Some(asked) = asked {
            return asked.min(longest);
        }
        let bound = seconds(self.base_seconds).saturating_mul(1 << attempt.clamp(1, 20).saturating_sub(1)).min(longest);
        let seed = key.bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
        bound.mul_f64(SplitMix64::stream(seed, u64::from(attempt)).below(1 << 20) as f64 / f64::from(1 << 20))
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_bound_and_heed_the_server() {
        let retries = Retries { most: 9, base_seconds: 1.0, longest_seconds: 10.0 };
        let longest = |attempt| (0..200).map(|key| retries.wait(attempt, &key.to_string(), None)).max().unwrap();
        assert!((0.9..=1.0).contains(&longest(1).as_secs_f64()));
        assert!((3.6..=4.0).contains(&longest(3).as_secs_f64()));
        assert!((9.0..=10.0).contains(&longest(60).as_secs_f64()));
        assert_eq!(retries.wait(1, "k", None), retries.wait(1, "k", None));
        assert_eq!(retries.wait(1, "k", Some(Duration::from_secs(7))), Duration::from_secs(7));
        assert_eq!(retries.wait(1, "k", Some(Duration::from_secs(7000))), Duration::from_secs(10));
    }

    #[test]
    fn settings_that_are_no_times_are_no_waits() {
        let retries = Retries { most: 1, base_seconds: f64::NAN, longest_seconds: -1.0 };
        assert_eq!(retries.wait(1, "k", None), Duration::ZERO);
    }
}
