//! Time and memory of one precision, in a process that runs nothing else.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use jarre_core::{Clock, SystemClock};
use jarre_serving::{EngineConfig, EngineCore, Output, PagedRunner, Request, RequestStats, SamplingParams, SchedulerConfig};
use jarre_transformer::paged::PagedDecoder;
use serde::{Deserialize, Serialize};

use super::precision::Precision;
use crate::args::KvKind;
use crate::{model, resident};

const BLOCK: usize = 16;

/// Prompts that are answered one by one, for latencies.
const SINGLE: usize = 16;

#[derive(Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) model: Option<PathBuf>,
    pub(super) precision: Precision,
    pub(super) kv_cache_dtype: KvKind,
    pub(super) prompts: Vec<Vec<u32>>,
    pub(super) answer_len: usize,
    pub(super) concurrency: usize,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Cost {
    /// Median milliseconds to the first token, and from one token to the next, of requests that are alone.
    pub(super) ttft_ms: f64,
    pub(super) tpot_ms: Option<f64>,
    /// Tokens written a second by as many requests at a time as were asked for.
    pub(super) throughput: f64,
    /// Memory while answers are written, and the most that it was, loading and packing included; only Linux tells.
    pub(super) resident_bytes: Option<u64>,
    pub(super) peak_bytes: Option<u64>,
}

/// Loads the model, answers, and looks at the process.
pub(super) fn measure(job: &Job) -> Result<Cost> {
    let clock = SystemClock::new();
    let mut core = engine(job)?;
    let prompts = |count: usize| job.prompts.iter().cycle().take(count);
    // Wakes threads and touches weights before anything is measured.
    answer(&mut core, prompts(1), 2, 1, &clock)?;
    let single = answer(&mut core, prompts(SINGLE.min(job.prompts.len())), job.answer_len, 1, &clock)?.0;
    let requests = job.prompts.len().max(2 * job.concurrency);
    let (all, duration) = answer(&mut core, prompts(requests), job.answer_len, job.concurrency, &clock)?;
    let tokens: u64 = all.iter().map(|stats| stats.usage.completion_tokens).sum();
    let between = single.iter().filter_map(|stats| stats.time_per_output_token(job.answer_len));
    Ok(Cost {
        ttft_ms: median(single.iter().map(RequestStats::time_to_first_token)).unwrap_or(f64::NAN),
        tpot_ms: median(between),
        throughput: tokens as f64 / duration.as_secs_f64(),
        resident_bytes: resident::now(),
        peak_bytes: resident::peak(),
    })
}

/// An engine that shares no prefixes, as prompts come more than once.
fn engine(job: &Job) -> Result<EngineCore<PagedRunner>> {
    let opened = model::load(job.model.as_deref(), None)?;
    let tokenizer = Arc::clone(opened.tokenizer());
    let causal = job.precision.of(opened.causal())?;
    drop(opened);
    let longest = job.prompts.iter().map(Vec::len).max().unwrap_or(1) + job.answer_len;
    let decoder = PagedDecoder::new(causal.decoder(), longest)?;
    let blocks = job.concurrency * (longest.div_ceil(BLOCK) + 1) + 1;
    let config = EngineConfig {
        scheduler: SchedulerConfig::new(longest).with_max_num_seqs(job.concurrency).with_max_num_batched_tokens(512.max(job.concurrency)),
        prefix_caching: false,
        max_n: 1,
        grammar_timeout: Duration::from_secs(5),
    };
    let runner = PagedRunner::new(decoder, blocks, BLOCK, job.kv_cache_dtype.into());
    Ok(EngineCore::new(runner, tokenizer, causal.eos(), &config)?)
}

/// Answers prompts, `streams` at a time, each of `length` tokens; and how long that took.
fn answer<'a>(
    core: &mut EngineCore<PagedRunner>,
    mut prompts: impl Iterator<Item = &'a Vec<u32>>,
    length: usize,
    streams: usize,
    clock: &dyn Clock,
) -> Result<(Vec<RequestStats>, Duration)> {
    let begin = clock.now();
    let (mut done, mut open) = (Vec::new(), 0);
    loop {
        while open < streams
            && let Some(prompt) = prompts.next()
        {
            let request = Request::new(prompt.clone()).with_sampling(SamplingParams::greedy());
            core.add(request.with_max_tokens(length).with_ignore_eos(true), clock.now())?;
            open += 1;
        }
        if open == 0 {
            return Ok((done, clock.now().saturating_sub(begin)));
        }
        for (_, output) in core.step(&|| clock.now()) {
            match output {
                Output::Done(stats) => {
                    done.push(stats);
                    open -= 1;
                }
                Output::Failed(error) => return Err(error.into()),
                _ => {}
            }
        }
    }
}

/// Milliseconds.
fn median(times: impl Iterator<Item = Duration>) -> Option<f64> {
    let mut times: Vec<f64> = times.map(|time| time.as_secs_f64() * 1e3).collect();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_as_many_and_as_long_as_asked_for() {
        let job = Job {
            model: None,
            precision: Precision::Int8,
            kv_cache_dtype: KvKind::Bf16,
            prompts: vec![vec![5, 6, 7], vec![8, 9, 10], vec![11, 12, 13]],
            answer_len: 4,
            concurrency: 2,
        };
        let mut core = engine(&job).unwrap();
        let (done, duration) = answer(&mut core, job.prompts.iter(), 4, 2, &SystemClock::new()).unwrap();
        assert_eq!(done.len(), 3);
        assert!(done.iter().all(|stats| stats.usage.completion_tokens == 4) && core.is_idle() && duration > Duration::ZERO);
        let cost = measure(&job).unwrap();
        assert!(cost.ttft_ms > 0.0 && cost.tpot_ms.is_some_and(|time| time > 0.0) && cost.throughput > 0.0);
    }
}
