//! An engine under load: what comes when.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use indicatif::ProgressBar;
use jarre_core::Clock;
use jarre_serving::{EngineCore, Error, Output, PagedRunner, RequestKey};

use crate::load::Planned;

/// The times of one request, from when it was to come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) input: usize,
    /// When each token was there.
    pub(crate) tokens: Vec<Duration>,
    pub(crate) done: bool,
}

/// All requests, and how long it took until the last answer was there.
pub(crate) struct Measured {
    pub(crate) requests: Vec<Seen>,
    pub(crate) refused: usize,
    pub(crate) duration: Duration,
    pub(crate) peak_kv_usage: f64,
}

/// Lets planned requests come when it is their time, whether or not others are answered, until all are answered or `stop` is raised.
pub(crate) fn drive(
    core: &mut EngineCore<PagedRunner>,
    plan: Vec<Planned>,
    clock: &dyn Clock,
    stop: &AtomicBool,
    bar: &ProgressBar,
) -> Result<Measured> {
    let begin = clock.now();
    let now = || clock.now().saturating_sub(begin);
    let mut plan = plan.into_iter().peekable();
    let mut measured = Measured { requests: Vec::new(), refused: 0, duration: Duration::ZERO, peak_kv_usage: 0.0 };
    let mut open: HashMap<RequestKey, (usize, Duration)> = HashMap::new();
    while (plan.peek().is_some() || !core.is_idle()) && !stop.load(Ordering::Relaxed) {
        while let Some(due) = plan.next_if(|planned| planned.at <= now()) {
            let seen = Seen { input: due.request.prompt.len(), ..Seen::default() };
            match core.add(due.request, due.at) {
                Ok(key) => {
                    open.insert(key, (measured.requests.len(), due.at));
                    measured.requests.push(seen);
                }
                Err(Error::QueueFull { .. }) => measured.refused += 1,
                Err(error) => return Err(error.into()),
            }
        }
        if core.is_idle() {
            let wait = plan.peek().map_or(Duration::ZERO, |planned| planned.at.saturating_sub(now()));
            std::thread::sleep(wait.min(Duration::from_millis(50)));
            continue;
        }
        for (key, output) in core.step(&now) {
            let (index, at) = open[&key];
            take(&mut measured.requests[index], output, now().saturating_sub(at), bar)?;
        }
        measured.peak_kv_usage = measured.peak_kv_usage.max(core.stats().kv_usage);
    }
    measured.duration = now();
    Ok(measured)
}

fn take(seen: &mut Seen, output: Output, now: Duration, bar: &ProgressBar) -> Result<()> {
    match output {
        Output::Chunk(chunk) => seen.tokens.extend(chunk.tokens.iter().map(|_| now)),
        Output::Done(_) => {
            seen.done = true;
            bar.inc(1);
        }
        Output::Failed(error) => return Err(error.into()),
        _ => {}
    }
    Ok(())
}
