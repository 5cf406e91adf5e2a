//! Figures of a load, with the names of vLLM's `bench serve`.

use std::time::Duration;

use serde::Serialize;

use super::args::Slo;
use super::load::Load;
use super::measured::{Measured, Seen};

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

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Summary {
    pub(crate) completed: usize,
    pub(crate) refused: usize,
    /// Requests that failed otherwise; an engine in this process has none.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) failed: usize,
    /// Requests of a trace that were shortened to fit, and those that did not come.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) cut: usize,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) skipped: usize,
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
    /// From sending a request to its refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refusal_ms: Option<Times>,
    #[serde(flatten)]
    pub(crate) cache: Option<Cache>,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Cache {
    pub(crate) preemptions: u64,
    /// Share of looked-up prompt tokens that were found in the cache.
    pub(crate) prefix_cache_hit_rate: f64,
    pub(crate) peak_kv_usage: f64,
}

impl Summary {
    /// Of what was planned, what was seen of it.
    pub(super) fn of(load: &Load, measured: &Measured, goodput: &[Slo]) -> Self {
        let done: Vec<&Seen> = measured.requests.iter().filter(|seen| seen.done && !seen.pieces.is_empty()).collect();
        let seconds = measured.duration.as_secs_f64().max(f64::MIN_POSITIVE);
        let (input, output): (usize, usize) = (done.iter().map(|seen| seen.input).sum(), done.iter().map(|seen| seen.output).sum());
        let good = done.iter().filter(|seen| goodput.iter().all(|slo| keeps(seen, *slo))).count();
        let gaps = |seen: &&Seen| seen.pieces.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect::<Vec<_>>();
        Self {
            completed: done.len(),
            refused: measured.refused,
            failed: measured.failures.len(),
            cut: load.cut,
            skipped: load.skipped,
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
            refusal_ms: (!measured.refusals.is_empty()).then(|| Times::of(measured.refusals.iter().copied())),
            cache: measured.counts.map(|counts| Cache {
                preemptions: counts.preemptions,
                prefix_cache_hit_rate: counts.prefix_cache_hits as f64 / counts.prefix_cache_queries.max(1) as f64,
                peak_kv_usage: counts.peak_kv_usage,
            }),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

fn ttft(seen: &Seen) -> Duration {
    seen.pieces.first().copied().unwrap_or_default()
}

fn e2el(seen: &Seen) -> Duration {
    seen.pieces.last().copied().unwrap_or_default()
}

/// The mean time of a token after the first; none where there is no second.
fn tpot(seen: &Seen) -> Option<Duration> {
    let gaps = u32::try_from(seen.output).ok()?.checked_sub(1)?;
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
    pub(crate) fn of(times: impl Iterator<Item = Duration>) -> Self {
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

    /// 0 where there are none.
    pub(crate) fn max(&self) -> f64 {
        self.sorted.last().copied().unwrap_or_default()
    }
}

/// Between the two nearest, as numpy does it.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    low + (high - low) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(input: usize, output: usize, pieces: &[u64]) -> Seen {
        Seen { input, output, pieces: pieces.iter().map(|&at| Duration::from_millis(at)).collect(), done: true }
    }

    #[test]
    fn figures_are_as_vllm_defines_them() {
        let unfinished = Seen { done: false, ..seen(100, 2, &[5, 6]) };
        let measured = Measured {
            requests: vec![seen(10, 3, &[100, 150, 220]), seen(20, 1, &[400]), seen(30, 5, &[50, 50, 90]), unfinished],
            refused: 2,
            refusals: [3, 5].map(Duration::from_millis).to_vec(),
            failures: vec!["it broke off".to_owned()],
            duration: Duration::from_secs(2),
            counts: None,
        };
        let bounds = [Slo::Ttft(Duration::from_millis(100)), Slo::Tpot(Duration::from_millis(59))];
        let summary = Summary::of(&Load { skipped: 4, ..Load::default() }, &measured, &bounds);
        assert_eq!((summary.completed, summary.refused, summary.failed, summary.skipped), (3, 2, 1, 4));
        assert_eq!((summary.total_input_tokens, summary.total_output_tokens), (60, 9));
        let throughputs = [summary.request_throughput, summary.output_throughput, summary.total_token_throughput];
        for (found, expected) in throughputs.into_iter().zip([1.5, 4.5, 34.5]) {
            assert!((found - expected).abs() < 1e-9);
        }
        // 120 ms over two tokens is 60 ms, which is late; the one of 40 ms over four tokens is good, and that of one token comes too late.
        assert_eq!(summary.request_goodput, Some(0.5));
        assert_eq!(summary.ttft_ms.sorted, [50.0, 100.0, 400.0]);
        assert_eq!(summary.tpot_ms.sorted, [10.0, 60.0]);
        assert_eq!(summary.itl_ms.sorted, [0.0, 40.0, 50.0, 70.0]);
        assert_eq!(summary.e2el_ms.sorted, [90.0, 220.0, 400.0]);
        assert!((summary.ttft_ms.p99 - 394.0).abs() < 1e-9 && (summary.refusal_ms.unwrap().max() - 5.0).abs() < 1e-9);
    }

    /// `numpy.quantile([1, 2, 4, 8], q)`.
    #[test]
    fn quantiles_are_numpys() {
        for (share, expected) in [(0.0, 1.0), (0.5, 3.0), (0.9, 6.8), (0.99, 7.88), (1.0, 8.0)] {
            assert!((quantile(&[1.0, 2.0, 4.0, 8.0], share) - expected).abs() < 1e-12);
        }
    }
}
