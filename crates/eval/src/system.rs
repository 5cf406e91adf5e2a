//! How fast and how dear answers come.

use std::time::Duration;

use jarre_core::{Cost, Usage};
use serde::{Deserialize, Serialize};

use crate::{
    Sample,
    stats::{Interval, normal},
};

/// What a run took, over its samples.
///
/// Answers from the cache (no attempt made) and samples without an answer have no latency that says anything of the model: they are counted,
/// and left out of the times. Costs and tokens are those of all samples, so that failures are paid for.
///
/// ```
/// use std::time::Duration;
///
/// use jarre_core::Usage;
/// use jarre_eval::{Sample, system::SystemFigures};
///
/// let sample = |millis| Sample {
///     attempts: 1,
///     latency: Duration::from_millis(millis),
///     time_to_first_token: Some(Duration::from_millis(100)),
///     usage: Usage::new(50, 11),
///     ..Sample::default()
/// };
/// let figures = SystemFigures::of(&[sample(600), sample(1100)], Some(Duration::from_secs(2)));
/// assert!(figures.latency.percentile(50.0).is_some_and(|median| (median - 0.85).abs() < 1e-12));
/// assert_eq!(figures.time_per_output_token.values(), [0.05, 0.1]);
/// assert_eq!(figures.output_tokens_per_second(), Some(11.0));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SystemFigures {
    /// Samples.
    pub samples: u64,
    /// Those without an answer.
    pub errors: u64,
    /// Those whose answer came from the cache.
    pub cached: u64,
    /// From the request to the end of the answer.
    pub latency: Latencies,
    /// TTFT: from the request to the first piece of the answer.
    pub time_to_first_token: Latencies,
    /// TPOT: (latency - TTFT) / (tokens - 1), for answers of two tokens and more whose TTFT is known.
    pub time_per_output_token: Latencies,
    /// Tokens read and written.
    pub usage: Usage,
    /// Tokens read and written by samples that are not from the cache.
    pub generated: Usage,
    /// What they cost.
    pub cost: Cost,
    /// From the first request to the last answer.
    pub wall: Option<Duration>,
}

/// Times in seconds, sorted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<f64>", into = "Vec<f64>")]
pub struct Latencies(Vec<f64>);

/// The percentiles that people look at, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// The median.
    pub p50: f64,
    /// The 90th.
    pub p90: f64,
    /// The 95th.
    pub p95: f64,
    /// The 99th.
    pub p99: f64,
}

impl SystemFigures {
    /// The figures of `samples`, which took `wall` together where that is known.
    pub fn of(samples: &[Sample], wall: Option<Duration>) -> Self {
        let answered = || samples.iter().filter(|sample| sample.error.is_none());
        let timed: Vec<&Sample> = answered().filter(|sample| sample.attempts > 0).collect();
        Self {
            samples: samples.len() as u64,
            errors: (samples.len() - answered().count()) as u64,
            cached: (answered().count() - timed.len()) as u64,
            latency: timed.iter().map(|sample| sample.latency.as_secs_f64()).collect(),
            time_to_first_token: timed.iter().filter_map(|sample| sample.time_to_first_token).map(|time| time.as_secs_f64()).collect(),
            time_per_output_token: timed.iter().filter_map(|sample| time_per_output_token(sample)).collect(),
            usage: samples.iter().map(|sample| sample.usage).sum(),
            generated: timed.iter().map(|sample| sample.usage).sum(),
            cost: samples.iter().map(|sample| sample.cost).sum(),
            wall,
        }
    }

    /// Answers that were not from the cache, over the wall time; `None` where that is unknown or zero.
    pub fn requests_per_second(&self) -> Option<f64> {
        self.per_second(self.latency.values().len() as f64)
    }

    /// Tokens that were written and not from the cache, over the wall time; `None` where that is unknown or zero.
    pub fn output_tokens_per_second(&self) -> Option<f64> {
        self.per_second(self.generated.completion_tokens as f64)
    }

    /// Dollars that a sample cost; `None` without samples.
    pub fn cost_per_sample(&self) -> Option<f64> {
        self.cost_per(self.samples)
    }

    /// Dollars that a right answer cost, wrong ones paid for; `None` where none of them is `right`.
    pub fn cost_per_right(&self, right: u64) -> Option<f64> {
        self.cost_per(right)
    }

    fn per_second(&self, count: f64) -> Option<f64> {
        let seconds = self.wall?.as_secs_f64();
        (seconds > 0.0).then(|| count / seconds)
    }

    fn cost_per(&self, count: u64) -> Option<f64> {
        (count > 0).then(|| self.cost.micros() as f64 / 1e6 / count as f64)
    }
}

impl Latencies {
    /// The times in seconds, the shortest first: what an interval of a percentile is drawn from.
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    /// The mean; `None` without times.
    pub fn mean(&self) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.0.iter().sum::<f64>() / self.0.len() as f64)
    }

    /// The interval of the percentile `percent` between two of the times, whose ranks are `n p ± z √(n p (1 - p))` (Conover, "Practical
    /// nonparametric statistics", 1999, section 3.2): whatever the times' distribution. `None` where the times are too few to bound it: of p99
    /// at 95 % fewer than some four hundred.
    ///
    /// # Panics
    /// Where `confidence` is not between 0 and 1, both exclusive.
    pub fn percentile_interval(&self, percent: f64, confidence: f64) -> Option<Interval> {
        let (n, share) = (self.0.len() as f64, percent / 100.0);
        if !(share > 0.0 && share < 1.0) {
            return None;
        }
        let half = normal::critical(confidence) * (n * share * (1.0 - share)).sqrt();
        // Ranks count from 1.
        let (low, high) = ((n * share - half).floor(), (n * share + half).ceil());
        let at = |rank: f64| (rank >= 1.0).then(|| self.0.get(rank as usize - 1).copied()).flatten();
        Some(Interval { low: at(low)?, high: at(high)? })
    }

    /// The percentile `percent`, from 0 to 100, on the straight line between the two times next to it (type 7 of Hyndman and Fan 1996, as in
    /// `NumPy`); `None` without times and for what is no percentage.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        let last = self.0.len().checked_sub(1).filter(|_| (0.0..=100.0).contains(&percent))?;
        let place = percent / 100.0 * last as f64;
        let (below, above) = (self.0[place.floor() as usize], self.0[place.ceil() as usize]);
        Some(below + (above - below) * place.fract())
    }

    /// The usual percentiles; `None` without times. Of few times the high ones are little but the slowest.
    pub fn percentiles(&self) -> Option<Percentiles> {
        let [p50, p90, p95, p99] = [50.0, 90.0, 95.0, 99.0].map(|percent| self.percentile(percent));
        Some(Percentiles { p50: p50?, p90: p90?, p95: p95?, p99: p99? })
    }
}

/// Times in any order. What is not finite is left out.
impl FromIterator<f64> for Latencies {
    fn from_iter<I: IntoIterator<Item = f64>>(seconds: I) -> Self {
        let mut seconds: Vec<f64> = seconds.into_iter().filter(|seconds| seconds.is_finite()).collect();
        seconds.sort_by(f64::total_cmp);
        Self(seconds)
    }
}

impl From<Vec<f64>> for Latencies {
    fn from(seconds: Vec<f64>) -> Self {
        seconds.into_iter().collect()
    }
}

impl From<Latencies> for Vec<f64> {
    fn from(latencies: Latencies) -> Self {
        latencies.0
    }
}

/// In seconds; `None` for answers of fewer than two tokens, without TTFT, or with one after the end.
fn time_per_output_token(sample: &Sample) -> Option<f64> {
    let rest = sample.latency.checked_sub(sample.time_to_first_token?)?;
    let tokens = sample.usage.completion_tokens.checked_sub(1).filter(|tokens| *tokens > 0)?;
    Some(rest.as_secs_f64() / tokens as f64)
}
