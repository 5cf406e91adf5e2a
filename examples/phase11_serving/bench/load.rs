//! Requests and when they come.

use std::time::Duration;

use anyhow::Result;
use jarre_serving::{Request, SamplingParams};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::args::{BenchArgs, Lengths};
use super::arrivals::Arrivals;
use super::replay;

/// A request and when it comes, from the beginning on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Planned {
    pub(crate) at: Duration,
    pub(crate) prompt: Vec<u32>,
    /// Tokens of the answer.
    pub(crate) output: usize,
}

impl Planned {
    /// As an engine takes it.
    pub(crate) fn into_request(self) -> Request {
        Request::new(self.prompt).with_sampling(SamplingParams::greedy()).with_max_tokens(self.output).with_ignore_eos(true)
    }
}

/// What a model takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) vocab_size: usize,
    /// Tokens of prompt and answer together at most, where it is known.
    pub(crate) max_len: usize,
}

/// What comes, and what of a trace does not.
#[derive(Debug, Default)]
pub(crate) struct Load {
    pub(crate) requests: Vec<Planned>,
    /// Requests of the trace that were shortened to fit.
    pub(crate) cut: usize,
    /// Those that did not come.
    pub(crate) skipped: usize,
}

/// The load of the `round`th rate. Prompts of two rounds have nothing in common, so that none finds another's in a cache.
pub(crate) fn plan(args: &BenchArgs, round: usize, seed: u64, room: Room) -> Result<Load> {
    if let Some(path) = &args.trace.trace {
        return replay::plan(&args.trace, path, args.num_prompts, seed, room);
    }
    let arrivals = Arrivals::new(args.request_rate[round], args.burstiness, seed);
    let prompts = Prompts::new(args.lengths, seed.wrapping_add(round as u64), room.vocab_size);
    let requests = arrivals.zip(prompts).map(|(at, (prompt, output))| Planned { at, prompt, output });
    Ok(Load { requests: requests.take(args.num_prompts).collect(), ..Load::default() })
}

/// Prompts of random tokens, and how long their answers are. Never ends.
pub(crate) struct Prompts {
    rng: Pcg64,
    lengths: Lengths,
    prefix: Vec<u32>,
    vocab_size: usize,
}

impl Prompts {
    pub(crate) fn new(lengths: Lengths, seed: u64, vocab_size: usize) -> Self {
        let mut rng = Pcg64::seed_from_u64(seed);
        Self { prefix: tokens(&mut rng, lengths.prefix_len, vocab_size), rng, lengths, vocab_size }
    }
}

impl Iterator for Prompts {
    type Item = (Vec<u32>, usize);

    fn next(&mut self) -> Option<Self::Item> {
        let Lengths { input_len, output_len, range_ratio, .. } = self.lengths;
        let input = length(&mut self.rng, input_len, range_ratio);
        let output = length(&mut self.rng, output_len, range_ratio).max(1);
        let own = tokens(&mut self.rng, input.max(usize::from(self.prefix.is_empty())), self.vocab_size);
        Some(([&self.prefix[..], &own].concat(), output))
    }
}

pub(super) fn tokens(rng: &mut Pcg64, count: usize, vocab_size: usize) -> Vec<u32> {
    (0..count).map(|_| rng.random_range(0..vocab_size as u32)).collect()
}

/// Between a share of the longest and the longest.
fn length(rng: &mut Pcg64, longest: usize, ratio: f64) -> usize {
    rng.random_range((longest as f64 * ratio) as usize..=longest)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn prompts_share_their_beginning_and_nothing_else() {
        let lengths = Lengths { input_len: 40, prefix_len: 10, output_len: 8, range_ratio: 0.5, seed: None };
        let prompts: Vec<(Vec<u32>, usize)> = Prompts::new(lengths, 5, 1000).take(200).collect();
        for (prompt, output) in &prompts {
            assert!((30..=50).contains(&prompt.len()) && (4..=8).contains(output));
            assert_eq!(prompt[..10], prompts[0].0[..10]);
            assert!(prompt.iter().all(|&token| token < 1000));
        }
        assert!(prompts.windows(2).all(|pair| pair[0].0[10..14] != pair[1].0[10..14]));
        let spread: HashSet<usize> = prompts.iter().map(|(prompt, _)| prompt.len()).collect();
        assert!(spread.len() > 15);
        let (other, _) = Prompts::new(lengths, 6, 1000).next().unwrap();
        assert_ne!(other[..10], prompts[0].0[..10]);
    }

    #[test]
    fn a_prompt_is_never_empty() {
        let lengths = Lengths { input_len: 1, prefix_len: 0, output_len: 1, range_ratio: 0.0, seed: None };
        assert!(Prompts::new(lengths, 0, 2).take(100).all(|(prompt, output)| prompt.len() == 1 && output == 1));
    }
}
