//! Attention against three loops over f64, on every instruction set, for any number of threads, sequences and queries.

use std::ops::Range;

use proptest::prelude::*;

use super::{Batch, Bias, Heads, Mask, Settings, Team, attend, attend_batch};
use crate::linear::Precision;
use crate::samples::{noise, pools};

/// Everything that attention takes, owned.
#[derive(Clone, Debug)]
struct Case {
    query_starts: Vec<usize>,
    key_starts: Vec<usize>,
    heads: usize,
    kv_heads: usize,
    widths: [usize; 2],
    causal: bool,
    window: Option<usize>,
    seen: Vec<Range<usize>>,
    /// Heads that the bias has, and the share of it that is minus infinity.
    bias: Option<(usize, f32)>,
    settings: Settings,
    /// Queries are multiplied by it.
    size: f32,
    seed: u64,
}

/// Values between one head and the next.
const GAP: usize = 3;

impl Case {
    fn strategy() -> impl Strategy<Value = Case> {
        let length = || prop_oneof![0_usize..4, 0_usize..200];
        let width = || prop_oneof![1_usize..20, Just(32), Just(64), 1_usize..=256];
        let shape = (prop::collection::vec((length(), length()), 1..4), 1_usize..4, 1_usize..5, [width(), width()]);
        let mask = (
            any::<bool>(),
            prop::option::of(0_usize..150),
            prop::option::of((0_usize..50, 0_usize..250)),
            prop::option::of((any::<bool>(), 0_u8..=2)),
        );
        let settings =
            (prop_oneof![Just(0.0_f32), 1_f32..60.0], prop_oneof![3 => 1_f32..6.0, 1 => Just(1e4_f32), 1 => Just(0.0)], any::<u64>());
        let precision = prop_oneof![Just(Precision::F32), Just(Precision::Bf16)];
        (shape, mask, settings, precision).prop_map(
            |((lengths, kv_heads, group, widths), (causal, window, seen, bias), (softcap, size, seed), precision)| {
                let ends = |length: fn(&(usize, usize)) -> usize| {
                    let sums = lengths.iter().scan(0, |sum, lengths| {
                        *sum += length(lengths);
                        Some(*sum)
                    });
                    std::iter::once(0).chain(sums).collect::<Vec<_>>()
                };
                let heads = kv_heads * group;
                Case {
                    query_starts: ends(|lengths| lengths.0),
                    key_starts: ends(|lengths| lengths.1),
                    heads,
                    kv_heads,
                    widths,
                    causal,
                    window,
                    seen: seen.map(|(start, len)| vec![start..start + len; lengths.len()]).unwrap_or_default(),
                    bias: bias.map(|(each, hidden)| (if each { heads } else { 1 }, [0.0, 0.5, 1.0][usize::from(hidden)])),
                    settings: Settings { scale: 1.0 / (widths[0] as f32).sqrt(), softcap, precision },
                    size,
                    seed,
                }
            },
        )
    }

    fn tokens(&self) -> [usize; 2] {
        [&self.query_starts, &self.key_starts].map(|starts| starts.last().copied().unwrap_or(0))
    }

    /// Queries, keys and values, with gaps between heads.
    fn inputs(&self) -> [Vec<f32>; 3] {
        let ([q, k], [width, value_width]) = (self.tokens(), self.widths);
        let queries = noise(q * self.heads * (width + GAP), self.seed).into_iter().map(|x| x * self.size).collect();
        let keys = noise(k * self.kv_heads * (width + GAP), self.seed ^ 1);
        [queries, keys, noise(k * self.kv_heads * (value_width + GAP), self.seed ^ 2)]
    }

    fn longest(&self) -> [usize; 2] {
        [&self.query_starts, &self.key_starts].map(|starts| starts.windows(2).map(|ends| ends[1] - ends[0]).max().unwrap_or(0))
    }

    /// `[heads or 1, longest queries, longest keys]`, shared by the sequences. One of twenty rows is hidden as a whole.
    fn bias_values(&self) -> Vec<f32> {
        let [queries, keys] = self.longest();
        let (heads, hidden) = self.bias.unwrap_or((0, 0.0));
        let mut values = noise(heads * queries * keys, self.seed ^ 3);
        for (index, value) in values.iter_mut().enumerate() {
            let whole = keys > 0 && (index / keys) % 20 == 7;
            *value = if whole || value.abs() < hidden { f32::NEG_INFINITY } else { *value * 3.0 };
        }
        values
    }

    /// The outputs and the logarithms of sums.
    fn run(&self, team: Team<'_>) -> (Vec<f32>, Vec<f32>) {
        let ([q, k, v], [width, value_width], bias) = (self.inputs(), self.widths, self.bias_values());
        let heads = |x, heads, width| Heads::strided(x, [heads, width], [heads * (width + GAP), width + GAP]);
        let batch = Batch {
            queries: heads(&q, self.heads, width),
            keys: heads(&k, self.kv_heads, width),
            values: heads(&v, self.kv_heads, value_width),
            query_starts: &self.query_starts,
            key_starts: &self.key_starts,
        };
        let longest = self.longest();
        let bias = self.bias.map(|(heads, _)| Bias::dense(&bias, [1, heads, longest[0], longest[1]]));
        let mask = Mask { causal: self.causal, window: self.window, seen: &self.seen, bias };
        let rows = self.tokens()[0] * self.heads;
        let (mut out, mut sums) = (vec![f32::NAN; rows * value_width], vec![f32::NAN; rows]);
        attend_batch(team, &batch, &mask, self.settings, &mut out, Some(&mut sums));
        (out, sums)
    }

    fn sees(&self, query: usize, key: usize, [queries, keys]: [usize; 2]) -> bool {
        let distance = (query + keys) as i64 - queries as i64 - key as i64;
        let padding = self.seen.first().is_some_and(|seen| !seen.contains(&key));
        let beyond = self.window.is_some_and(|window| distance.abs() >= window as i64);
        !(padding || beyond || self.causal && distance < 0)
    }

    /// What [`run`](Self::run) is to give, and how large the terms of a score are together.
    fn naive(&self) -> (Vec<f64>, Vec<f64>, f64) {
        let ([q, k, v], [width, value_width], bias) = (self.inputs(), self.widths, self.bias_values());
        let (mut out, mut sums, mut size) = (Vec::new(), Vec::new(), 1.0_f64);
        let longest = self.longest();
        for (starts, key_starts) in self.query_starts.windows(2).zip(self.key_starts.windows(2)) {
            let sizes = [starts[1] - starts[0], key_starts[1] - key_starts[0]];
            for (query, head) in (0..sizes[0]).flat_map(|query| (0..self.heads).map(move |head| (query, head))) {
                let kv_head = head * self.kv_heads / self.heads;
                let q = &q[((starts[0] + query) * self.heads + head) * (width + GAP)..][..width];
                let row = |x: &[f32], key: usize, width: usize| -> Vec<f64> {
                    let first = ((key_starts[0] + key) * self.kv_heads + kv_head) * (width + GAP);
                    x[first..first + width].iter().map(|&x| f64::from(x)).collect()
                };
                let mut score = |key: usize| {
                    let dot: f64 = q.iter().zip(row(&k, key, width)).map(|(&q, k)| f64::from(q) * k).sum();
                    let (scale, softcap) = (f64::from(self.settings.scale), f64::from(self.settings.softcap));
                    let score = if softcap > 0.0 { softcap * (dot * scale / softcap).tanh() } else { dot * scale };
                    let terms = q.iter().zip(row(&k, key, width)).map(|(&q, k)| (f64::from(q) * k).abs());
                    size = size.max(terms.sum::<f64>() * scale).max(softcap);
                    let bias = self.bias.map_or(0.0, |(heads, _)| bias[((head % heads) * longest[0] + query) * longest[1] + key]);
                    score + f64::from(bias)
                };
                let seen = (0..sizes[1]).filter(|&key| self.sees(query, key, sizes));
                let scores: Vec<(usize, f64)> = seen.map(|key| (key, score(key))).filter(|(_, score)| score.is_finite()).collect();
                let largest = scores.iter().fold(f64::NEG_INFINITY, |largest, (_, score)| largest.max(*score));
                let total: f64 = scores.iter().map(|(_, score)| (score - largest).exp()).sum();
                let mut mix = vec![0.0; value_width];
                for (key, score) in &scores {
                    let weight = (score - largest).exp() / total;
                    mix.iter_mut().zip(row(&v, *key, value_width)).for_each(|(mix, v)| *mix += weight * v);
                }
                out.extend(mix);
                sums.push(largest + total.ln());
            }
        }
        (out, sums, size)
    }
}

fn close(given: &[f32], expected: &[f64], bound: f64) -> Result<(), TestCaseError> {
    prop_assert_eq!(given.len(), expected.len());
    for (index, (&given, &expected)) in given.iter().zip(expected).enumerate() {
        // Minus infinity is met exactly or not at all.
        let equal = f64::from(given).total_cmp(&expected).is_eq() || (f64::from(given) - expected).abs() < bound;
        prop_assert!(equal, "{given} instead of {expected} at {index}, {bound}");
    }
    Ok(())
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Scores are rounded relative to the size of their terms, which the bound allows for.
    #[test]
    fn attention_agrees_with_three_loops(mut case in Case::strategy()) {
        case.settings.precision = Precision::F32;
        let (out, sums, size) = case.naive();
        let bound = 1e-5 + 1e-6 * size;
        for team in Team::available(&pools()[1]) {
            let (given, given_sums) = case.run(team);
            close(&given, &out, bound)?;
            close(&given_sums, &sums, bound)?;
        }
    }

    /// Each factor is rounded by up to 2^-9 of it, and scores are in powers.
    #[test]
    fn attention_in_bf16_agrees_with_three_loops(mut case in Case::strategy()) {
        case.settings.precision = Precision::Bf16;
        case.size = case.size.min(2.0);
        let (out, sums, size) = case.naive();
        for team in Team::available(&pools()[1]) {
            let (given, given_sums) = case.run(team);
            close(&given, &out, (1.0 + size) / 64.0)?;
            close(&given_sums, &sums, (1.0 + size) / 64.0)?;
        }
    }

    #[test]
    fn results_do_not_depend_on_threads(case in Case::strategy()) {
        for level in 0..Team::available(&pools()[0]).len() {
            let results = pools().each_ref().map(|pool| case.run(Team::available(pool)[level]));
            prop_assert_eq!(bits(&results[0].0), bits(&results[1].0));
            prop_assert_eq!(bits(&results[0].0), bits(&results[2].0));
            prop_assert_eq!(bits(&results[0].1), bits(&results[2].1));
        }
    }

    /// The last queries of a causal sequence alone get what they get beside the others.
    #[test]
    fn results_do_not_depend_on_queries_beside(keys in 1_usize..300, last in 1_usize..40, group in 1_usize..4, window in prop::option::of(1_usize..90), bf16 in any::<bool>()) {
        let (width, last) = (17, last.min(keys));
        let x = [group, 1, 1].map(|heads| noise(keys * heads * width, keys as u64 + heads as u64));
        let mask = Mask { causal: true, window, ..Mask::default() };
        let settings = Settings { scale: 0.5, precision: if bf16 { Precision::Bf16 } else { Precision::F32 }, ..Settings::default() };
        for team in Team::available(&pools()[1]) {
            let run = |queries: usize| {
                let mut out = vec![0.0; queries * group * width];
                let batch = Batch {
                    queries: Heads::dense(&x[0][(keys - queries) * group * width..], group, width),
                    keys: Heads::dense(&x[1], 1, width),
                    values: Heads::dense(&x[2], 1, width),
                    query_starts: &[0, queries],
                    key_starts: &[0, keys],
                };
                attend_batch(team, &batch, &mask, settings, &mut out, None);
                bits(&out)
            };
            prop_assert_eq!(&run(keys)[(keys - last) * group * width..], &run(last));
        }
    }
}

#[test]
fn equal_scores_mix_values_equally() {
    let (queries, values) = ([0.0; 4], [1.0, 2.0, 3.0, 6.0]);
    let heads = |x| Heads::dense(x, 1, 1);
    let settings = Settings::default();
    let mut out = [0.0; 4];
    attend([heads(&queries), heads(&values), heads(&values)], [4, 4], &Mask::default(), settings, &mut out);
    assert_eq!(bits(&out), bits(&[3.0; 4]));
    attend([heads(&queries), heads(&values), heads(&values)], [4, 4], &Mask { causal: true, ..Mask::default() }, settings, &mut out);
    assert_eq!(bits(&out), bits(&[1.0, 1.5, 2.0, 3.0]));
}

#[test]
fn rows_that_see_nothing_are_zero() {
    let x = noise(6 * 5, 1);
    let heads = Heads::dense(&x, 1, 5);
    let (mut out, mut sums) = ([f32::NAN; 30], [f32::NAN; 6]);
    let batch = Batch { queries: heads, keys: heads, values: heads, query_starts: &[0, 6], key_starts: &[0, 4] };
    let mask = Mask { causal: true, ..Mask::default() };
    attend_batch(Team::new(&pools()[0]), &batch, &mask, Settings::default(), &mut out, Some(&mut sums));
    assert_eq!(bits(&out[..10]), bits(&[0.0; 10]));
    assert_eq!(bits(&sums[..2]), bits(&[f32::NEG_INFINITY; 2]));
    assert_eq!(bits(&out[10..15]), bits(&x[..5]));
}

#[test]
#[should_panic(expected = "beyond their inputs")]
fn sequences_beyond_their_inputs_are_refused() {
    let x = [0.0; 11];
    let heads = Heads::dense(&x, 1, 4);
    attend([heads; 3], [3, 3], &Mask::default(), Settings::default(), &mut [0.0; 12]);
}

#[test]
fn a_score_that_is_no_number_shows_in_its_row_only() {
    let mut queries = noise(70 * 8, 1);
    queries[8 * 33] = f32::NAN;
    let keys = noise(70 * 8, 2);
    for team in Team::available(&pools()[0]) {
        let mut out = vec![0.0; 70 * 8];
        let (queries, keys) = (Heads::dense(&queries, 1, 8), Heads::dense(&keys, 1, 8));
        let batch = Batch { queries, keys, values: keys, query_starts: &[0, 70], key_starts: &[0, 70] };
        attend_batch(team, &batch, &Mask::default(), Settings::default(), &mut out, None);
        for (row, out) in out.chunks_exact(8).enumerate() {
            assert!(out.iter().all(|x| x.is_nan() == (row == 33)), "{row}: {out:?}");
        }
    }
}
