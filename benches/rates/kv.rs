//! How fast attention reads a cache: one query over a long context, beside a loop that only reads as many bytes.
//!
//! `cargo run --example kv_rate`, or `-- decode` or `-- prefill` for one half of it.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use jarre_kernels::kv::{KvCache, KvShape, KvType, RaggedBatch, Settings, ragged_attention};
use jarre_kernels::packed::Pool;

/// Positions of the context, or of what is before a chunk.
const CONTEXT: usize = 16 * 1024;
const KV_HEADS: usize = 8;
const ROUNDS: usize = 30;

fn main() {
    println!("{} threads, context {CONTEXT}, {KV_HEADS} key heads", Pool::global().threads());
    let only = std::env::args().nth(1);
    let wanted = |half: &str| only.as_deref().is_none_or(|only| only == half);
    for (head_dim, group) in [(128, 4), (128, 8), (64, 4), (80, 4)] {
        for kind in [KvType::F32, KvType::Bf16, KvType::Int8].into_iter().filter(|_| wanted("decode")) {
            decode(kind, head_dim, group);
        }
    }
    for kind in [KvType::F32, KvType::Bf16, KvType::Int8].into_iter().filter(|_| wanted("prefill")) {
        prefill(kind, 128, 4, [512, 4096], 0.1);
        // A few units apart, as scores of trained models are, and far apart.
        for scale in [0.1, 10.0] {
            prefill(kind, 64, 3, [512, 512], scale);
        }
    }
}

/// A cache and the block table of one sequence.
fn cache(kind: KvType, head_dim: usize, block_size: usize, context: usize) -> (KvCache, Vec<u32>) {
    let blocks = context.div_ceil(block_size);
    let mut cache = KvCache::new(KvShape { blocks, block_size, kv_heads: KV_HEADS, head_dim }, kind);
    for first in (0..context).step_by(1024) {
        let slots: Vec<usize> = (first..context.min(first + 1024)).collect();
        let values: Vec<f32> = (0..slots.len() * KV_HEADS * head_dim).map(|i| (i as f32 * 0.37).sin()).collect();
        cache.write(&slots, &values, &values);
    }
    // An odd factor shuffles any power of two of blocks.
    let table = (0..blocks).map(|block| (block * 4_099 % blocks) as u32).collect();
    (cache, table)
}

fn decode(kind: KvType, head_dim: usize, group: usize) {
    let (paged, table) = cache(kind, head_dim, 16, CONTEXT);
    let (whole, one) = cache(kind, head_dim, CONTEXT, CONTEXT);
    let bytes = paged.bytes_per_block() * table.len();
    let memory = vec![1_u64; bytes / 8];
    let queries = vec![0.1; KV_HEADS * group * head_dim];
    let mut out = vec![0.0; queries.len()];
    let mut attend = |cache: &KvCache, table: &[u32]| {
        let batch = RaggedBatch { query_starts: &[0, 1], block_tables: &[table], context_lens: &[CONTEXT] };
        ragged_attention(cache, &queries, &batch, Settings { scale: 0.1, ..Settings::default() }, &mut out, None);
    };
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        times[0].push(seconds(|| read(&memory)));
        times[1].push(seconds(|| attend(&paged, &table)));
        times[2].push(seconds(|| attend(&whole, &one)));
    }
    // The fastest of each: other programs only add to a time.
    let [read, paged, whole] = times.map(|times| bytes as f64 / least(times) / 1e9);
    println!(
        "decode {kind:?} head_dim {head_dim} group {group} ({} MB): read {read:.1} GB/s, paged {paged:.1} ({:.0} %), contiguous {whole:.1}; paged/contiguous {:.3}",
        bytes / 1_000_000,
        100.0 * paged / read,
        paged / whole
    );
}

fn prefill(kind: KvType, head_dim: usize, group: usize, [queries, context]: [usize; 2], scale: f32) {
    let (cache, table) = cache(kind, head_dim, 16, context);
    let q: Vec<f32> = (0..queries * KV_HEADS * group * head_dim).map(|i| (i as f32 * 0.73).sin()).collect();
    let mut out = vec![0.0; q.len()];
    let batch = RaggedBatch { query_starts: &[0, queries], block_tables: &[&table], context_lens: &[context] };
    let run = |_| seconds(|| ragged_attention(&cache, &q, &batch, Settings { scale, ..Settings::default() }, &mut out, None));
    let time = least((0..9).map(run).collect());
    let pairs = queries * (context - queries) + queries * (queries + 1) / 2;
    let operations = 4 * pairs * head_dim * KV_HEADS * group;
    println!(
        "prefill {kind:?} {queries} of {context}, head_dim {head_dim} group {group}, scale {scale}: {:.1} ms, {:.1} GFLOP/s",
        1e3 * time,
        operations as f64 / time / 1e9
    );
}

/// Adds up memory on all threads.
fn read(memory: &[u64]) {
    let (chunk, total) = (1 << 15, AtomicU64::new(0));
    Pool::global().run(memory.len().div_ceil(chunk), |index| {
        let part = &memory[index * chunk..memory.len().min((index + 1) * chunk)];
        let mut lanes = [0_u64; 32];
        for values in part.chunks_exact(32) {
            lanes.iter_mut().zip(values).for_each(|(lane, value)| *lane ^= *value);
        }
        total.fetch_xor(lanes.into_iter().fold(0, |a, b| a ^ b), Ordering::Relaxed);
    });
    black_box(total);
}

#[expect(clippy::disallowed_methods, reason = "the program measures time")]
fn seconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

fn least(times: Vec<f64>) -> f64 {
    times.into_iter().fold(f64::INFINITY, f64::min)
}
