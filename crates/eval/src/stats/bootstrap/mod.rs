//! Bootstrap intervals.

mod bca;
mod estimate;
mod mean;
mod quantiles;
mod ratio;
mod resample;
mod statistic;

pub use estimate::BootstrapEstimate;
pub use mean::{MeanEstimate, PairedDifference};
pub use quantiles::Percentiles;

use std::{num::NonZeroUsize, thread};

use super::interval::check_confidence;

/// Bootstrap intervals: of means, of differences of paired means, and of any other statistic.
///
/// A resample draws as many items as there are, with replacement, and takes the statistic again; the spread of these figures is the
/// uncertainty that comes from having asked these items and not others. A paired comparison resamples items, never the two sides
/// apart, so that what makes an item hard for both cancels out.
///
/// Results depend on the values, their order, the seed and the number of resamples, and on nothing else: each resample has a random
/// stream of its own, so that the number of threads makes no difference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    resamples: NonZeroUsize,
    confidence: f64,
    seed: u64,
    threads: Option<NonZeroUsize>,
}

impl Default for Bootstrap {
    /// 10,000 resamples, 95 % confidence.
    fn default() -> Self {
        let resamples = NonZeroUsize::new(10_000).expect("ten thousand is not zero");
        Self { resamples, confidence: 0.95, seed: 0, threads: None }
    }
}

impl Bootstrap {
    /// Draws `resamples` resamples; the bounds of an interval wander by about 1 % of its width at 10,000.
    pub fn with_resamples(mut self, resamples: NonZeroUsize) -> Self {
        self.resamples = resamples;
        self
    }

    /// The share of repetitions that an interval should cover.
    ///
    /// # Panics
    /// Where `confidence` is not between 0 and 1, both exclusive.
    pub fn with_confidence(mut self, confidence: f64) -> Self {
        check_confidence(confidence);
        self.confidence = confidence;
        self
    }

    /// Seeds the resampling.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Uses this many threads rather than one a core; results stay the same.
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = Some(threads);
        self
    }

    fn tail(&self) -> f64 {
        (1.0 - self.confidence) / 2.0
    }

    /// `count` results of `job`, in order. A thread takes a run of neighbours and a `scratch` of its own.
    fn in_parallel<T: Send, S>(&self, count: usize, scratch: impl Fn() -> S + Sync, job: impl Fn(usize, &mut S) -> T + Sync) -> Vec<T> {
        let threads = self.threads.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
        let share = count.div_ceil(threads.get()).max(1);
        let (scratch, job) = (&scratch, &job);
        thread::scope(|scope| {
            let runs: Vec<_> = (0..count)
                .step_by(share)
                .map(|start| {
                    scope.spawn(move || {
                        let mut scratch = scratch();
                        (start..count.min(start + share)).map(|place| job(place, &mut scratch)).collect::<Vec<T>>()
                    })
                })
                .collect();
            runs.into_iter().flat_map(|run| run.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        })
    }
}
