use cubecl::client::Client;

use super::paged_launch::{PagedCache, PagedSettings, PagedShape, paged_decode_attention, paged_decode_in_spans};
use super::testing::{Random, assert_close, client, download, upload};

/// A batch in host memory.
struct Case {
    shape: PagedShape,
    settings: PagedSettings,
    q: Vec<f32>,
    keys: Vec<f32>,
    values: Vec<f32>,
    tables: Vec<u32>,
    lengths: Vec<u32>,
}

impl Case {
    /// Blocks are dealt in random order; entries of tables past a sequence's length are far outside of the cache.
    fn new(random: &mut Random, shape: PagedShape, settings: PagedSettings, lengths: &[u32]) -> Self {
        let PagedShape { sequences, heads, kv_heads, d, block_size, max_blocks } = shape;
        let blocks = sequences * max_blocks + 1;
        let mut free: Vec<u32> = (0..blocks as u32).collect();
        let mut tables = vec![u32::MAX; sequences * max_blocks];
        for (row, length) in tables.chunks_exact_mut(max_blocks).zip(lengths) {
            for entry in &mut row[..(*length as usize).div_ceil(block_size)] {
                *entry = free.swap_remove(random.below(free.len()));
            }
        }
        let cache = blocks * block_size * kv_heads * d;
        let (q, keys, values) = (random.floats(sequences * heads * d), random.floats(cache), random.floats(cache));
        Self { shape, settings, q, keys, values, tables, lengths: lengths.to_vec() }
    }

    fn random(random: &mut Random, settings: PagedSettings) -> Self {
        let kv_heads = 1 + random.below(3);
        let shape = PagedShape {
            sequences: 1 + random.below(4),
            heads: kv_heads * (1 + random.below(6)),
            kv_heads,
            d: 4 * (1 + random.below(33)),
            block_size: 1 + random.below(20),
            max_blocks: 1 + random.below(20),
        };
        let longest = shape.block_size * shape.max_blocks;
        let lengths: Vec<u32> = (0..shape.sequences).map(|_| random.below(longest + 1) as u32).collect();
        Self::new(random, shape, settings, &lengths)
    }

    /// The row of keys or values of a position.
    fn row(&self, sequence: usize, position: usize, kv_head: usize) -> usize {
        let block = self.tables[sequence * self.shape.max_blocks + position / self.shape.block_size] as usize;
        (block * self.shape.block_size + position % self.shape.block_size) * self.shape.kv_heads + kv_head
    }

    fn head(&self, sequence: usize, head: usize) -> (Vec<f32>, f32) {
        let PagedShape { heads, kv_heads, d, .. } = self.shape;
        let length = self.lengths[sequence] as usize;
        let start = length.saturating_sub(self.settings.window.unwrap_or(usize::MAX));
        let query = &self.q[(sequence * heads + head) * d..][..d];
        let rows: Vec<usize> = (start..length).map(|position| self.row(sequence, position, head / (heads / kv_heads))).collect();
        let scores: Vec<f64> = rows.iter().map(|row| self.score(query, &self.keys[row * d..][..d])).collect();
        if scores.is_empty() {
            return (vec![0.0; d], f32::MIN);
        }
        let high = scores.iter().copied().fold(f64::MIN, f64::max);
        let total: f64 = scores.iter().map(|score| (score - high).exp()).sum();
        let mix = |dim: usize| {
            rows.iter().zip(&scores).map(|(row, score)| (score - high).exp() / total * f64::from(self.values[row * d + dim])).sum::<f64>()
        };
        ((0..d).map(|dim| mix(dim) as f32).collect(), (high + total.ln()) as f32)
    }

    fn score(&self, query: &[f32], key: &[f32]) -> f64 {
        let dot: f64 = query.iter().zip(key).map(|(q, k)| f64::from(*q) * f64::from(*k)).sum();
        let score = dot * f64::from(self.settings.scale);
        self.settings.softcap.map_or(score, |cap| f64::from(cap) * (score / f64::from(cap)).tanh())
    }

    fn wanted(&self) -> (Vec<f32>, Vec<f32>) {
        let heads = self.shape.heads;
        let (out, lse): (Vec<_>, Vec<_>) = (0..self.shape.sequences * heads).map(|row| self.head(row / heads, row % heads)).unzip();
        (out.concat(), lse)
    }

    fn cache(&self, client: &Client) -> PagedCache {
        PagedCache {
            keys: upload(client, &self.keys),
            values: upload(client, &self.values),
            block_tables: upload(client, &self.tables),
            context_lens: upload(client, &self.lengths),
        }
    }

    fn check(&self, client: &Client, spans: usize) {
        let name = format!("{:?} {:?} {:?} in {spans} spans", self.shape, self.settings, self.lengths);
        let q = upload(client, &self.q);
        let (out, lse) = paged_decode_in_spans(client, &q, &self.cache(client), self.shape, self.settings, spans);
        let (wanted, wanted_lse) = self.wanted();
        assert_close(&download(client, &out), &wanted, 1e-5, &name);
        for (found, wanted) in download::<f32>(client, &lse).iter().zip(&wanted_lse) {
            assert!((found - wanted).abs() <= 1e-4 * wanted.abs().max(1.0), "{name}: {found} for {wanted}");
        }
    }
}

const PLAIN: PagedSettings = PagedSettings { scale: 0.3, softcap: None, window: None };

#[test]
fn attention_is_that_over_gathered_positions() {
    let Some(client) = client() else { return };
    let mut random = Random(5);
    for index in 0..12 {
        let case = Case::random(&mut random, PLAIN);
        case.check(&client, 1 + index % 4);
    }
}

#[test]
fn scores_are_capped_and_windows_slide() {
    let Some(client) = client() else { return };
    let mut random = Random(6);
    for (softcap, window) in [(Some(0.5), None), (None, Some(1)), (None, Some(70)), (Some(2.0), Some(17))] {
        let case = Case::random(&mut random, PagedSettings { scale: 1.0, softcap, window });
        case.check(&client, 1);
        case.check(&client, 3);
    }
}

#[test]
fn lengths_around_rounds_and_spans() {
    let Some(client) = client() else { return };
    let shape = PagedShape { sequences: 7, heads: 4, kv_heads: 2, d: 64, block_size: 16, max_blocks: 20 };
    let case = Case::new(&mut Random(7), shape, PLAIN, &[0, 1, 63, 64, 65, 256, 320]);
    for spans in [1, 2, 5, 40] {
        case.check(&client, spans);
    }
}

#[test]
fn a_key_far_above_the_others_gives_its_value() {
    let Some(client) = client() else { return };
    let shape = PagedShape { sequences: 1, heads: 1, kv_heads: 1, d: 4, block_size: 4, max_blocks: 50 };
    let mut case = Case::new(&mut Random(8), shape, PagedSettings { scale: 100.0, ..PLAIN }, &[200]);
    case.q = vec![1.0, 0.0, 0.0, 0.0];
    let row = case.row(0, 150, 0);
    case.keys[row * 4] = 50.0;
    let (out, lse) = paged_decode_attention(&client, &upload(&client, &case.q), &case.cache(&client), shape, case.settings);
    assert_eq!(download::<f32>(&client, &out), case.values[row * 4..][..4]);
    assert_eq!(download::<f32>(&client, &lse), [5000.0]);
}

#[test]
fn caches_may_be_of_half_precision() {
    let Some(client) = client() else { return };
    let shape = PagedShape { sequences: 2, heads: 6, kv_heads: 2, d: 80, block_size: 8, max_blocks: 12 };
    let mut case = Case::new(&mut Random(9), shape, PLAIN, &[96, 41]);
    let half = |values: &[f32]| values.iter().copied().map(burn::tensor::f16::from_f32).collect::<Vec<_>>();
    let mut cache = case.cache(&client);
    (cache.keys, cache.values) = (upload(&client, &half(&case.keys)), upload(&client, &half(&case.values)));
    case.keys = half(&case.keys).into_iter().map(f32::from).collect();
    case.values = half(&case.values).into_iter().map(f32::from).collect();
    let (out, _) = paged_decode_in_spans(&client, &upload(&client, &case.q), &cache, shape, PLAIN, 2);
    assert_close(&download(&client, &out), &case.wanted().0, 1e-5, "half precision");
}
