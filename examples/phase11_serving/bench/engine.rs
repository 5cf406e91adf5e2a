//! An engine of this process under load.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use indicatif::ProgressBar;
use jarre_core::{Clock, SystemClock};
use jarre_serving::{EngineCore, Error, Output, PagedRunner, Request, RequestKey, SchedulerStats};

use super::Target;
use super::args::BenchArgs;
use super::load::{Planned, Room};
use super::measured::{Counts, Measured, Seen};
use crate::model;

pub(super) struct InProcess {
    core: EngineCore<PagedRunner>,
    clock: SystemClock,
    vocab_size: usize,
}

impl InProcess {
    /// An engine with the model that was asked for, its threads awake and its weights touched.
    pub(super) fn open(args: &BenchArgs) -> Result<Self> {
        let opened = model::open(&args.model)?;
        let mut options = model::options(&args.model)?;
        if args.trace.trace.is_none() && args.request_rate.iter().any(|rate| rate.is_infinite()) {
            options.max_waiting = options.max_waiting.max(args.num_prompts);
        }
        let vocab_size = opened.causal().config().vocab_size;
        let mut engine = Self { core: opened.engine(&options)?, clock: SystemClock::new(), vocab_size };
        engine.warm_up()?;
        Ok(engine)
    }

    fn warm_up(&mut self) -> Result<()> {
        self.core.add(Request::new([0; 8]).with_max_tokens(2).with_cache_salt("warm-up"), self.clock.now())?;
        while !self.core.is_idle() {
            self.core.step(&|| self.clock.now());
        }
        Ok(())
    }
}

impl Target for InProcess {
    fn room(&self) -> Room {
        Room { vocab_size: self.vocab_size, max_len: self.core.max_len() }
    }

    fn drive(&mut self, plan: Vec<Planned>, stop: &AtomicBool, bar: &ProgressBar) -> Result<Measured> {
        let before = counts(&self.core.stats(), 0.0);
        let begin = self.clock.now();
        let now = || self.clock.now().saturating_sub(begin);
        let mut plan = plan.into_iter().peekable();
        let mut measured = Measured::default();
        let mut peak_kv_usage: f64 = 0.0;
        let mut open: HashMap<RequestKey, (usize, Duration)> = HashMap::new();
        while (plan.peek().is_some() || !self.core.is_idle()) && !stop.load(Ordering::Relaxed) {
            while let Some(due) = plan.next_if(|planned| planned.at <= now()) {
                let (at, seen) = (due.at, Seen { input: due.prompt.len(), ..Seen::default() });
                match self.core.add(due.into_request(), at) {
                    Ok(key) => {
                        open.insert(key, (measured.requests.len(), at));
                        measured.requests.push(seen);
                    }
                    Err(Error::QueueFull { .. }) => measured.refused += 1,
                    Err(error) => return Err(error.into()),
                }
            }
            if self.core.is_idle() {
                let wait = plan.peek().map_or(Duration::ZERO, |planned| planned.at.saturating_sub(now()));
                std::thread::sleep(wait.min(Duration::from_millis(50)));
                continue;
            }
            for (key, output) in self.core.step(&now) {
                let (index, at) = open[&key];
                take(&mut measured.requests[index], output, now().saturating_sub(at), bar)?;
            }
            peak_kv_usage = peak_kv_usage.max(self.core.stats().kv_usage);
        }
        measured.duration = now();
        measured.counts = Some(counts(&self.core.stats(), peak_kv_usage).since(before));
        Ok(measured)
    }
}

fn counts(stats: &SchedulerStats, peak_kv_usage: f64) -> Counts {
    Counts {
        preemptions: stats.preemptions,
        prefix_cache_queries: stats.prefix_cache_queries,
        prefix_cache_hits: stats.prefix_cache_hits,
        peak_kv_usage,
    }
}

fn take(seen: &mut Seen, output: Output, now: Duration, bar: &ProgressBar) -> Result<()> {
    match output {
        Output::Chunk(chunk) => {
            seen.output += chunk.tokens.len();
            seen.pieces.extend(chunk.tokens.iter().map(|_| now));
        }
        Output::Done(_) => {
            seen.done = true;
            bar.inc(1);
        }
        Output::Failed(error) => return Err(error.into()),
        _ => {}
    }
    Ok(())
}
