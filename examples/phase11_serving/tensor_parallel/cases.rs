//! What a runner is timed with.

use std::time::Instant;

use anyhow::Result;
use jarre_transformer::paged::PagedBatch;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::rank::{BLOCK, Case, Runner, Work};

/// Texts of random tokens that stand side by side in the cache.
struct Streams {
    texts: Vec<Vec<u32>>,
    tables: Vec<Vec<u32>>,
}

/// Every case, and the logits after each of the last steps.
pub(super) fn run(runner: &mut Runner, work: &Work, vocab_size: usize) -> Result<(Vec<Case>, Vec<f32>)> {
    let one = Streams::new(1, work.max_len(), vocab_size);
    one.read(runner, 0..work.prompt.min(8))?;
    let mut logits = Vec::new();
    let name = format!("prefill {}", work.prompt);
    let mut cases = vec![repeat(runner, work, &name, work.prompt, &mut |runner| {
        logits = one.read(runner, 0..work.prompt)?;
        Ok(())
    })?];
    for &count in &work.streams {
        let streams = Streams::new(count, work.max_len(), vocab_size);
        streams.read(runner, 0..work.context)?;
        let mut last = Vec::new();
        let name = format!("decode {count}");
        cases.push(repeat(runner, work, &name, count * work.steps, &mut |runner| {
            for step in 0..work.steps {
                last = streams.read(runner, work.context + step..work.context + step + 1)?;
            }
            Ok(())
        })?);
        logits.extend(last);
    }
    Ok((cases, logits))
}

/// The run of median duration.
fn repeat(runner: &mut Runner, work: &Work, name: &str, tokens: usize, once: &mut dyn FnMut(&mut Runner) -> Result<()>) -> Result<Case> {
    let mut cases = Vec::new();
    for _ in 0..work.repeats.max(1) {
        let (before, begun) = (runner.communication(), Instant::now());
        once(runner)?;
        let (seconds, after) = (begun.elapsed().as_secs_f64(), runner.communication());
        cases.push(Case {
            name: name.to_owned(),
            tokens,
            seconds,
            communicating: after.spent.saturating_sub(before.spent).as_secs_f64(),
            waiting: after.waited.saturating_sub(before.waited).as_secs_f64(),
            bytes_sent: after.bytes_sent - before.bytes_sent,
        });
    }
    cases.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    Ok(cases.swap_remove(cases.len() / 2))
}

impl Streams {
    fn new(count: usize, len: usize, vocab_size: usize) -> Self {
        let mut rng = Pcg64::seed_from_u64(count as u64);
        let blocks = len.div_ceil(BLOCK) as u32;
        let mut text = || (0..len).map(|_| rng.random_range(0..vocab_size as u32)).collect();
        Self {
            texts: (0..count).map(|_| text()).collect(),
            tables: (0..count as u32).map(|i| (i * blocks..(i + 1) * blocks).collect()).collect(),
        }
    }

    /// Reads these positions of every stream in one step; logits after the last of each.
    fn read(&self, runner: &mut Runner, range: std::ops::Range<usize>) -> Result<Vec<f32>> {
        let tokens: Vec<u32> = self.texts.iter().flat_map(|text| &text[range.clone()]).copied().collect();
        let query_starts: Vec<usize> = (0..=self.texts.len()).map(|stream| stream * range.len()).collect();
        let tables: Vec<&[u32]> = self.tables.iter().map(Vec::as_slice).collect();
        let batch = PagedBatch {
            tokens: &tokens,
            query_starts: &query_starts,
            context_lens: &vec![range.end; self.texts.len()],
            block_tables: &tables,
            adapters: &[],
            outputs: &query_starts[1..].iter().map(|end| end - 1).collect::<Vec<_>>(),
        };
        Ok(runner.step(&batch)?)
    }
}
