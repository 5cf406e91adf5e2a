//! Requests and when they come.

use std::time::Duration;

use anyhow::{Result, ensure};
use jarre_serving::{Request, SamplingParams};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use crate::args::BenchArgs;

/// A request and when it comes, from the beginning on.
pub(crate) struct Planned {
    pub(crate) at: Duration,
    pub(crate) request: Request,
}

/// Prompts of random tokens that come with exponential gaps: a Poisson process.
pub(crate) fn plan(args: &BenchArgs, vocab_size: usize) -> Result<Vec<Planned>> {
    ensure!(args.request_rate > 0.0, "--request-rate has to be above 0");
    ensure!((0.0..=1.0).contains(&args.range_ratio), "--range-ratio has to be between 0 and 1");
    ensure!(args.input_len + args.prefix_len > 0 && args.output_len > 0, "prompts and answers have at least one token");
    let mut rng = Pcg64::seed_from_u64(args.seed);
    let prefix = tokens(&mut rng, args.prefix_len, vocab_size);
    let mut at = 0.0;
    let mut request = || {
        let input = length(&mut rng, args.input_len, args.range_ratio);
        let output = length(&mut rng, args.output_len, args.range_ratio).max(1);
        let prompt = [prefix.clone(), tokens(&mut rng, input.max(usize::from(prefix.is_empty())), vocab_size)].concat();
        let request = Request::new(prompt).with_sampling(SamplingParams::greedy()).with_max_tokens(output).with_ignore_eos(true);
        let planned = Planned { at: Duration::from_secs_f64(at), request };
        if args.request_rate.is_finite() {
            at -= (1.0 - rng.random::<f64>()).ln() / args.request_rate;
        }
        planned
    };
    Ok((0..args.num_prompts).map(|_| request()).collect())
}

fn tokens(rng: &mut Pcg64, count: usize, vocab_size: usize) -> Vec<u32> {
    (0..count).map(|_| rng.random_range(0..vocab_size as u32)).collect()
}

/// Between a share of the longest and the longest.
fn length(rng: &mut Pcg64, longest: usize, ratio: f64) -> usize {
    rng.random_range((longest as f64 * ratio) as usize..=longest)
}
