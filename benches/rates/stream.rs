//! How fast weights that do not fit a cache go by: products of a few rows beside a loop that reads as much memory, in turn.
//!
//! `cargo run --example stream_rate [-- --json]`
//!
//! Layers of 16,384 x 4,096 weights, at least 1.6 GB of each kind so that no cache of a server holds them. The loop runs on all threads, reads
//! four places in turn, and adds numbers up; the median of seven rounds counts, and both sides run in each round.

use std::time::Instant;

use jarre_kernels::packed::{Epilogue, Int4Weights, Int8Weights, Pool};
use jarre_kernels::{Bf16Weights, Inputs, PackedWeights};

const N: usize = 16_384;
const K: usize = 4_096;
const BYTES: usize = 1_600_000_000;
const ROUNDS: usize = 7;
/// Numbers of a task of the loop and of a cache line, and places that it reads in turn.
const CHUNK: usize = 1 << 18;
const LINE: usize = 8;
const STREAMS: usize = 4;

type Pack = fn(&[f32]) -> PackedWeights;

fn main() {
    let json = std::env::args().any(|argument| argument == "--json");
    let kinds: [(&str, Pack); 4] = [
        ("int8", |values| Int8Weights::quantize(values, N, K).into()),
        ("int4 g32", |values| Int4Weights::quantize(values, N, K, 32).into()),
        ("int4 g128", |values| Int4Weights::quantize(values, N, K, 128).into()),
        ("bf16", |values| Bf16Weights::new(values, [N, K]).into()),
    ];
    let memory = vec![1_u64; BYTES / size_of::<u64>()];
    let mut rows = Vec::new();
    for (name, pack) in kinds {
        let values: Vec<f32> = (0..N * K).map(|i| ((i as u32).wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 23) as f32 - 1.0).collect();
        let first = pack(&values);
        let mut layers = vec![first];
        while layers.iter().map(PackedWeights::bytes).sum::<usize>() < BYTES {
            layers.push(layers[0].clone());
        }
        for m in [1, 8, 32] {
            rows.push(measure(name, &layers, m, &memory));
        }
    }
    if json {
        println!("{}", serde_json::Value::from(rows.iter().map(Row::json).collect::<Vec<_>>()));
        return;
    }
    println!("{} threads, weights of {:.1} GB", Pool::global().threads(), BYTES as f64 / 1e9);
    for row in &rows {
        let Row { name, m, bandwidth, roof, .. } = row;
        println!(
            "{name:10} m {m:2}  {bandwidth:5.1} GB/s beside {roof:5.1} of reading: {:.2}  {:6.0} GOP/s",
            bandwidth / roof,
            row.operations
        );
    }
}

struct Row {
    name: &'static str,
    m: usize,
    /// GB/s of weights read.
    bandwidth: f64,
    /// GB/s of the sum in the same rounds.
    roof: f64,
    /// GOP/s.
    operations: f64,
}

impl Row {
    fn json(&self) -> serde_json::Value {
        let round = |x: f64| (x * 100.0).round() / 100.0;
        serde_json::json!({ "case": format!("read bandwidth {} m {}", self.name, self.m), "ours": round(self.bandwidth),
                            "peer": round(self.roof), "ratio": round(self.bandwidth / self.roof), "gops": self.operations.round() })
    }
}

fn measure(name: &'static str, layers: &[PackedWeights], m: usize, memory: &[u64]) -> Row {
    let (x, mut out) = (vec![0.5_f32; m * K], vec![0.0; m * N]);
    let (mut products, mut sums) = (Vec::new(), Vec::new());
    for _ in 0..=ROUNDS {
        products.push(seconds(|| layers.iter().for_each(|layer| layer.matmul(Inputs::Int8, &x, &mut out, &Epilogue::default()))));
        sums.push(seconds(|| assert_eq!(sum(memory), memory.len() as u64)));
    }
    let bytes: usize = layers.iter().map(PackedWeights::bytes).sum();
    let product = median(products);
    let operations = 2.0 * (m * N * K * layers.len()) as f64 / product / 1e9;
    Row { name, m, bandwidth: bytes as f64 / product / 1e9, roof: size_of_val(memory) as f64 / median(sums) / 1e9, operations }
}

/// The sum of all numbers, on all threads. Each reads several places in turn, so that more memory is on its way than one stream asks for.
fn sum(memory: &[u64]) -> u64 {
    let mut sums = vec![0_u64; memory.len().div_ceil(CHUNK)];
    Pool::global().edit_chunks(&mut sums, 1, |index, sum| {
        let chunk = &memory[index * CHUNK..memory.len().min((index + 1) * CHUNK)];
        let streams: [&[u64]; STREAMS] =
            std::array::from_fn(|stream| &chunk[chunk.len() * stream / STREAMS..chunk.len() * (stream + 1) / STREAMS]);
        let lines = streams.map(|stream| stream.as_chunks::<LINE>());
        let mut sums = [0_u64; LINE];
        for line in 0..lines.iter().map(|(lines, _)| lines.len()).max().unwrap_or(0) {
            for line in lines.iter().filter_map(|(lines, _)| lines.get(line)) {
                sums.iter_mut().zip(line).for_each(|(sum, number)| *sum = sum.wrapping_add(*number));
            }
        }
        sum[0] = sums.iter().sum::<u64>() + lines.iter().flat_map(|(_, rest)| *rest).sum::<u64>();
    });
    sums.iter().sum()
}

#[expect(clippy::disallowed_methods, reason = "the program measures time")]
fn seconds(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_secs_f64()
}

/// Of all but the first, which warms up.
fn median(mut times: Vec<f64>) -> f64 {
    let mut times = times.split_off(1);
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
