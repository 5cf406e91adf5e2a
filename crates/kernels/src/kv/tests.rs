//! Attention over a cache against three loops over f64, and against itself with other batches, chunks, blocks and threads.

use proptest::prelude::*;

use super::cache_tests::kinds;
use super::{KvCache, KvShape, KvType, Partial, RaggedBatch, Settings, merge_partials, ragged_attention, ragged_attention_in};
use crate::flash::Team;
use crate::samples::{noise, pools};

fn teams(pool: usize) -> Vec<Team<'static>> {
    Team::available(&pools()[pool])
}

/// Sequences, all of whose positions are written, to blocks in any order; everything else of the cache is NaN.
#[derive(Clone, Debug)]
struct Case {
    kind: KvType,
    block_size: usize,
    kv_heads: usize,
    group: usize,
    width: usize,
    /// Queries, and positions before them.
    lengths: Vec<(usize, usize)>,
    settings: Settings,
    seed: u64,
}

impl Case {
    fn strategy() -> impl Strategy<Value = Case> {
        let queries = prop_oneof![Just(0_usize), Just(1), 2_usize..70];
        let before = prop_oneof![2 => 0_usize..70, 1 => 400_usize..1600];
        let width = prop_oneof![Just(16_usize), Just(64), 1_usize..40, 1_usize..=256];
        let shape = (kinds(), prop_oneof![Just(16_usize), 1_usize..40, Just(3000)], 1_usize..3, 1_usize..9, width);
        let settings = (
            prop_oneof![Just(0.0_f32), 1_f32..30.0],
            prop::option::of(prop_oneof![1_usize..50, 300_usize..700]),
            prop_oneof![3 => 0.1_f32..2.0, 1 => Just(30.0_f32)],
        );
        (shape, prop::collection::vec((queries, before), 0..4), settings, any::<u64>()).prop_map(|(shape, lengths, settings, seed)| {
            let (kind, block_size, kv_heads, group, width) = shape;
            let (softcap, window, scale) = settings;
            let settings = Settings { scale: scale / (width as f32).sqrt(), softcap, window };
            Case { kind, block_size, kv_heads, group, width, lengths, settings, seed }
        })
    }

    fn heads(&self) -> usize {
        self.kv_heads * self.group
    }

    fn contexts(&self) -> Vec<usize> {
        self.lengths.iter().map(|(queries, before)| queries + before).collect()
    }

    /// A cache and the blocks of each sequence; `salt` changes which blocks.
    fn cache(&self, salt: u64) -> (KvCache, Vec<Vec<u32>>) {
        let counts: Vec<usize> = self.contexts().iter().map(|context| context.div_ceil(self.block_size)).collect();
        let blocks = counts.iter().sum::<usize>() + 2;
        let mut order: Vec<u32> = (0..blocks as u32).collect();
        let keys = noise(blocks, self.seed ^ salt);
        order.sort_by(|&a, &b| keys[a as usize].total_cmp(&keys[b as usize]));
        let shape = KvShape { blocks, block_size: self.block_size, kv_heads: self.kv_heads, head_dim: self.width };
        let mut cache = KvCache::new(shape, self.kind);
        let token = self.kv_heads * self.width;
        let slots: Vec<usize> = (0..blocks * self.block_size).collect();
        let nothing = vec![f32::NAN; slots.len() * token];
        cache.write(&slots, &nothing, &nothing);
        let mut tables = Vec::new();
        for (index, (context, count)) in self.contexts().into_iter().zip(counts).enumerate() {
            let table: Vec<u32> = order.drain(..count).collect();
            let slot = |position: usize| table[position / self.block_size] as usize * self.block_size + position % self.block_size;
            let [keys, values] = [1, 2].map(|side| noise(context * token, self.seed ^ (side + 8 * index as u64)));
            cache.write(&(0..context).map(slot).collect::<Vec<_>>(), &keys, &values);
            tables.push(table);
        }
        (cache, tables)
    }

    /// Queries of a sequence, `[queries, heads, width]`.
    fn queries(&self, index: usize) -> Vec<f32> {
        noise(self.lengths[index].0 * self.heads() * self.width, self.seed ^ (0x1000 + index as u64)).iter().map(|x| x * 3.0).collect()
    }

    /// Results of whole sequences with their logarithms.
    fn run(&self, team: Team<'_>, salt: u64) -> (Vec<f32>, Vec<f32>) {
        let (cache, tables) = self.cache(salt);
        let queries: Vec<f32> = (0..self.lengths.len()).flat_map(|index| self.queries(index)).collect();
        let lengths: Vec<usize> = self.lengths.iter().map(|(queries, _)| *queries).collect();
        let tables: Vec<&[u32]> = tables.iter().map(Vec::as_slice).collect();
        attend(team, &cache, &queries, &lengths, &tables, &self.contexts(), self.settings)
    }

    /// What [`run`](Self::run) is to give, and how large the terms of a score are together.
    fn naive(&self) -> (Vec<f64>, Vec<f64>, f64) {
        let (cache, tables) = self.cache(0);
        let (mut out, mut sums, mut size) = (Vec::new(), Vec::new(), 1.0_f64);
        for (index, context) in self.contexts().into_iter().enumerate() {
            let table = &tables[index];
            let slot = |position: usize| table[position / self.block_size] as usize * self.block_size + position % self.block_size;
            let (keys, values) = cache.read(&(0..context).map(slot).collect::<Vec<_>>());
            for (row, query) in self.queries(index).chunks_exact(self.width).enumerate() {
                let (position, kv_head) = (self.lengths[index].1 + row / self.heads(), row % self.heads() / self.group);
                let first = self.settings.window.map_or(0, |window| (position + 1).saturating_sub(window));
                let place = |key: usize| (key * self.kv_heads + kv_head) * self.width;
                let mut score = |key: usize| {
                    let terms = query.iter().zip(&keys[place(key)..]).map(|(q, k)| f64::from(*q) * f64::from(*k));
                    let (scale, softcap) = (f64::from(self.settings.scale), f64::from(self.settings.softcap));
                    size = size.max(terms.clone().map(f64::abs).sum::<f64>() * scale).max(softcap);
                    let score = terms.sum::<f64>() * scale;
                    if softcap > 0.0 { softcap * (score / softcap).tanh() } else { score }
                };
                let scores: Vec<f64> = (first..=position).map(&mut score).collect();
                let largest = scores.iter().fold(f64::NEG_INFINITY, |largest, score| largest.max(*score));
                let total: f64 = scores.iter().map(|score| (score - largest).exp()).sum();
                let mut mix = vec![0.0; self.width];
                for (key, score) in (first..).zip(&scores) {
                    let weight = (score - largest).exp() / total;
                    mix.iter_mut().zip(&values[place(key)..]).for_each(|(mix, v)| *mix += weight * f64::from(*v));
                }
                out.extend(mix);
                sums.push(largest + total.ln());
            }
        }
        (out, sums, size)
    }
}

fn attend(
    team: Team<'_>,
    cache: &KvCache,
    queries: &[f32],
    lengths: &[usize],
    tables: &[&[u32]],
    contexts: &[usize],
    settings: Settings,
) -> (Vec<f32>, Vec<f32>) {
    let mut starts = vec![0];
    starts.extend(lengths.iter().scan(0, |sum, length| {
        *sum += length;
        Some(*sum)
    }));
    let batch = RaggedBatch { query_starts: &starts, block_tables: tables, context_lens: contexts };
    let mut out = vec![f32::NAN; queries.len()];
    let mut sums = vec![f32::NAN; queries.len() / cache.shape().head_dim];
    ragged_attention_in(team, cache, queries, &batch, settings, &mut out, Some(&mut sums));
    (out, sums)
}

fn close(given: &[f32], expected: &[f64], bound: f64) -> Result<(), TestCaseError> {
    prop_assert_eq!(given.len(), expected.len());
    for (index, (&given, &expected)) in given.iter().zip(expected).enumerate() {
        prop_assert!((f64::from(given) - expected).abs() < bound, "{given} instead of {expected} at {index}, {bound}");
    }
    Ok(())
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Scores are rounded relative to the size of their terms, which the bound allows for.
    #[test]
    fn attention_agrees_with_three_loops(case in Case::strategy()) {
        let (out, sums, size) = case.naive();
        let bound = 1e-5 + 1e-6 * size;
        for team in teams(1) {
            let (given, given_sums) = case.run(team, 0);
            close(&given, &out, bound)?;
            close(&given_sums, &sums, bound)?;
        }
    }

    #[test]
    fn results_do_not_depend_on_threads_or_blocks(case in Case::strategy()) {
        for level in 0..teams(0).len() {
            let [alone, two, five] = [0, 1, 2].map(|pool| case.run(teams(pool)[level], pool as u64));
            prop_assert_eq!(bits(&alone.0), bits(&two.0));
            prop_assert_eq!(bits(&alone.0), bits(&five.0));
            prop_assert_eq!(bits(&alone.1), bits(&five.1));
        }
    }

    /// Every sequence alone, and every sequence in two chunks, gives what it gives whole beside the others.
    #[test]
    fn results_do_not_depend_on_batch_or_chunks(case in Case::strategy(), cut in any::<usize>()) {
        let (cache, tables) = case.cache(0);
        let row = case.heads() * case.width;
        for team in teams(1) {
            let together = bits(&case.run(team, 0).0);
            let mut first = 0;
            for (index, (queries, before)) in case.lengths.iter().copied().enumerate() {
                let cut = cut % (queries + 1);
                let run = |from: usize, to: usize| {
                    let part = &case.queries(index)[from * row..to * row];
                    bits(&attend(team, &cache, part, &[to - from], &[&tables[index]], &[before + to], case.settings).0)
                };
                let expected = &together[first * row..(first + queries) * row];
                prop_assert_eq!(&run(0, queries), expected);
                prop_assert_eq!(&run(0, cut), &expected[..cut * row]);
                prop_assert_eq!(&run(cut, queries), &expected[cut * row..]);
                first += queries;
            }
        }
    }

    /// Two halves of the keys, each a sequence of its own, joined.
    #[test]
    fn partial_results_join_to_the_whole(case in Case::strategy(), context in 2_usize..900, cut in any::<usize>()) {
        let case = Case { lengths: vec![(1, context - 1)], block_size: 1, settings: Settings { window: None, ..case.settings }, ..case };
        let (cache, tables) = case.cache(0);
        let (cut, queries, team) = (1 + cut % (context - 1), case.queries(0), teams(1)[0]);
        let run = |blocks: &[u32]| attend(team, &cache, &queries, &[1], &[blocks], &[blocks.len()], case.settings);
        let [first, second] = [&tables[0][..cut], &tables[0][cut..]].map(run);
        let nothing = (vec![f32::NAN; queries.len()], vec![f32::NEG_INFINITY; case.heads()]);
        let partials = [&first, &nothing, &second].map(|(out, log_sums)| Partial { out, log_sums });
        let (mut out, mut sums) = (vec![f32::NAN; queries.len()], vec![f32::NAN; case.heads()]);
        merge_partials(&partials, &mut out, &mut sums);
        let (expected, expected_sums, size) = case.naive();
        close(&out, &expected, 1e-5 + 2e-6 * size)?;
        close(&sums, &expected_sums, 1e-5 + 2e-6 * size)?;
        merge_partials(&partials[1..2], &mut out, &mut sums);
        prop_assert_eq!(bits(&out), bits(&vec![0.0; queries.len()]));
        prop_assert_eq!(bits(&sums), bits(&nothing.1));
    }
}

/// Equal scores mix values equally: position `i` gives the mean of `0..=i`, or of the last three with a window.
#[test]
fn equal_scores_mix_values_equally() {
    let shape = KvShape { blocks: 300, block_size: 7, kv_heads: 1, head_dim: 1 };
    for kind in [KvType::F32, KvType::Bf16] {
        let mut cache = KvCache::new(shape, kind);
        let values: Vec<f32> = (0..2000).map(|position| (position % 128) as f32).collect();
        cache.write(&(0..2000).collect::<Vec<_>>(), &vec![0.0; 2000], &values);
        let table: Vec<u32> = (0..300).collect();
        let batch = RaggedBatch { query_starts: &[0, 2000], block_tables: &[&table], context_lens: &[2000] };
        let mut out = vec![0.0; 2000];
        ragged_attention(&cache, &vec![1.0; 2000], &batch, Settings { window: Some(3), ..Settings::default() }, &mut out, None);
        for (position, out) in out.iter().enumerate() {
            let seen = &values[(position + 1).saturating_sub(3)..=position];
            assert!((out - seen.iter().sum::<f32>() / seen.len() as f32).abs() < 1e-4, "{position}: {out}");
        }
    }
}

/// Blocks that no query of a windowed sequence sees may have gone to others, or nowhere.
#[test]
fn blocks_before_the_window_are_not_looked_at() {
    let mut cache = KvCache::new(KvShape { blocks: 1, block_size: 16, kv_heads: 1, head_dim: 1 }, KvType::F32);
    cache.write(&(0..16).collect::<Vec<_>>(), &[0.0; 16], &[2.0; 16]);
    let mut table = vec![u32::MAX; 100];
    table.push(0);
    let batch = RaggedBatch { query_starts: &[0, 4], block_tables: &[&table], context_lens: &[1612] };
    let mut out = [0.0; 4];
    ragged_attention(&cache, &[1.0; 4], &batch, Settings { window: Some(9), ..Settings::default() }, &mut out, None);
    assert_eq!(bits(&out), bits(&[2.0; 4]));
}

#[test]
fn a_query_that_is_no_number_shows_in_its_row_only() {
    let case = Case {
        kind: KvType::Bf16,
        block_size: 16,
        kv_heads: 1,
        group: 2,
        width: 24,
        lengths: vec![(9, 700)],
        settings: Settings::default(),
        seed: 5,
    };
    let (cache, tables) = case.cache(0);
    let mut queries = case.queries(0);
    queries[7 * 24 + 3] = f32::NAN;
    for team in teams(1) {
        let (out, _) = attend(team, &cache, &queries, &[9], &[&tables[0]], &[709], case.settings);
        for (row, out) in out.chunks_exact(24).enumerate() {
            assert!(out.iter().all(|x| x.is_nan() == (row == 7)), "{row}: {out:?}");
        }
    }
}

fn refused(query_starts: &[usize], table: &[u32], context: usize, window: Option<usize>) {
    let cache = KvCache::new(KvShape { blocks: 4, block_size: 2, kv_heads: 1, head_dim: 1 }, KvType::F32);
    let tokens = query_starts[query_starts.len() - 1];
    let batch = RaggedBatch { query_starts, block_tables: &[table], context_lens: &[context] };
    let settings = Settings { window, ..Settings::default() };
    ragged_attention(&cache, &vec![0.0; tokens], &batch, settings, &mut vec![0.0; tokens], None);
}

#[test]
#[should_panic(expected = "a window of 0 keys")]
fn a_window_of_nothing_is_refused() {
    refused(&[0, 1], &[0], 1, Some(0));
}

#[test]
#[should_panic(expected = "sequence 0 has 3 queries in a context of 2")]
fn more_queries_than_positions_are_refused() {
    refused(&[0, 3], &[0, 1], 2, None);
}

#[test]
#[should_panic(expected = "block 1 of sequence 0 is 4; the cache has 4")]
fn a_block_beyond_the_cache_is_refused() {
    refused(&[0, 1], &[0, 4], 3, None);
}

#[test]
#[should_panic(expected = "sequence 0 has 1 blocks, and its 3 positions need 2")]
fn missing_blocks_are_refused() {
    refused(&[0, 1], &[0], 3, None);
}
