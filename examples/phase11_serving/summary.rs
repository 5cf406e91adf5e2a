//! Figures of a load, with the names of vLLM's `bench serve`.

use std::time::Duration;

use serde::Serialize;

use crate::args::Slo;
use crate::measure::{Measured, Seen};

/// Mean, spread and tail of one time, in milliseconds.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Times {
    pub(crate) mean: f64,
    pub(crate) median: f64,
    pub(crate) std: f64,
    pub(crate) p99: f64,
    #[serde(skip)]
    pub(crate) sorted: Vec<f64>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) completed: usize,
    pub(crate) refused: usize,
    /// Seconds.
    pub(crate) duration: f64,
    pub(crate) total_input_tokens: usize,
    pub(crate) total_output_tokens: usize,
    /// Requests a second.
    pub(crate) request_throughput: f64,
    /// Requests a second that keep to all bounds that were asked for.
    pub(crate) request_goodput: Option<f64>,
    /// Tokens a second.
    pub(crate) output_throughput: f64,
    pub(crate) total_token_throughput: f64,
    pub(crate) ttft_ms: Times,
    pub(crate) tpot_ms: Times,
    pub(crate) itl_ms: Times,
    pub(crate) e2el_ms: Times,
    pub(crate) preemptions: u64,
    /// Share of looked-up prompt tokens that were found in the cache.
    pub(crate) prefix_cache_hit_rate: f64,
    pub(crate) peak_kv_usage: f64,
}

impl Summary {
    pub(crate) fn of(measured: &Measured, goodput: &[Slo], stats: &jarre_serving::SchedulerStats) -> Self {
        let done: Vec<&Seen> = measured.requests.iter().filter(|seen| seen.done && !seen.tokens.is_empty()).collect();
        let seconds = measured.duration.as_secs_f64().max(f64::MIN_POSITIVE);
        let (input, output) = (done.iter().map(|seen| seen.input).sum(), done.iter().map(|seen| seen.tokens.len()).sum());
        let good = done.iter().filter(|seen| goodput.iter().all(|slo| keeps(seen, *slo))).count();
        let gaps = |seen: &&Seen| seen.tokens.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect::<Vec<_>>();
        Self {
            completed: done.len(),
            refused: measured.refused,
            duration: seconds,
            total_input_tokens: input,
            total_output_tokens: output,
            request_throughput: done.len() as f64 / seconds,
            request_goodput: (!goodput.is_empty()).then_some(good as f64 / seconds),
            output_throughput: output as f64 / seconds,
            total_token_throughput: (input + output) as f64 / seconds,
            ttft_ms: Times::of(done.iter().map(|seen| ttft(seen))),
            tpot_ms: Times::of(done.iter().filter_map(|seen| tpot(seen))),
            itl_ms: Times::of(done.iter().flat_map(gaps)),
            e2el_ms: Times::of(done.iter().map(|seen| e2el(seen))),
            preemptions: stats.preemptions,
            prefix_cache_hit_rate: stats.prefix_cache_hits as f64 / stats.prefix_cache_queries.max(1) as f64,
            peak_kv_usage: measured.peak_kv_usage,
        }
    }
}

fn ttft(seen: &Seen) -> Duration {
    seen.tokens.first().copied().unwrap_or_default()
}

fn e2el(seen: &Seen) -> Duration {
    seen.tokens.last().copied().unwrap_or_default()
}

/// The mean time of a token after the first; none where there is no second.
fn tpot(seen: &Seen) -> Option<Duration> {
    let gaps = u32::try_from(seen.tokens.len()).ok()?.checked_sub(1)?;
    e2el(seen).saturating_sub(ttft(seen)).checked_div(gaps)
}

fn keeps(seen: &Seen, slo: Slo) -> bool {
    match slo {
        Slo::Ttft(bound) => ttft(seen) <= bound,
        Slo::Tpot(bound) => tpot(seen).unwrap_or_default() <= bound,
        Slo::E2el(bound) => e2el(seen) <= bound,
    }
}

impl Times {
    fn of(times: impl Iterator<Item = Duration>) -> Self {
        let mut sorted: Vec<f64> = times.map(|time| time.as_secs_f64() * 1e3).collect();
        sorted.sort_by(f64::total_cmp);
        if sorted.is_empty() {
            return Self::default();
        }
        let count = sorted.len() as f64;
        let mean = sorted.iter().sum::<f64>() / count;
        let std = (sorted.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / count).sqrt();
        Self { mean, median: quantile(&sorted, 0.5), std, p99: quantile(&sorted, 0.99), sorted }
    }
}

/// Between the two nearest, as numpy does it.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    low + (high - low) * place.fract()
}
