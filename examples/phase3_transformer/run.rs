//! The steps that all trainings here share.

use std::time::Instant;

use anyhow::Result;
use jarre_transformer::collective::Communicator;
use jarre_transformer::corpus::{Batch, BatchSource};
use jarre_transformer::train::{Schedule, StepReport, Trainer};

/// Steps over which the rate of tokens is taken.
const RATE_WINDOW: u64 = 20;

/// A training and what it is fed with.
pub(crate) struct Run<'a> {
    pub(crate) trainer: Trainer,
    batches: &'a BatchSource,
    schedule: &'a Schedule,
    accumulate: u64,
    since: Instant,
    tokens: usize,
    rate: f64,
}

impl<'a> Run<'a> {
    pub(crate) fn new(trainer: Trainer, batches: &'a BatchSource, schedule: &'a Schedule, accumulate: usize) -> Self {
        Self { trainer, batches, schedule, accumulate: accumulate.max(1) as u64, since: Instant::now(), tokens: 0, rate: 0.0 }
    }

    /// The next step, and the tokens a second of the last ones.
    pub(crate) fn step(&mut self, workers: Option<&mut Communicator>) -> Result<(StepReport, f64)> {
        let step = self.trainer.steps();
        let numbers = step * self.accumulate..(step + 1) * self.accumulate;
        let batches: Vec<Batch> = numbers.map(|number| self.batches.batch(number)).collect::<Result<_, _>>()?;
        let report = self.trainer.step(&batches, self.schedule.lr(step), workers)?;
        self.tokens += report.tokens;
        if self.rate == 0.0 || report.step.is_multiple_of(RATE_WINDOW) {
            self.rate = self.tokens as f64 / self.since.elapsed().as_secs_f64().max(f64::EPSILON);
            (self.since, self.tokens) = (Instant::now(), 0);
        }
        Ok((report, self.rate))
    }
}

/// Mean loss over the first `count` batches of `validation`; nothing where there is no whole one.
pub(crate) fn validate(trainer: &Trainer, validation: &BatchSource, count: u64) -> Result<Option<f64>> {
    let count = count.min(validation.batches_per_epoch());
    let batches: Vec<Batch> = (0..count).map(|number| validation.batch(number)).collect::<Result<_, _>>()?;
    Ok(trainer.evaluate(&batches))
}
