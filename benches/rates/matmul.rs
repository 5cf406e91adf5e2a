//! Times products with packed weights when asked: lines `int8|int4|int4g128|bf16|f32 m n k` on standard input, seconds on standard output.
//!
//! `benches/peers/matmul.py` runs it in turn with torch.

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::time::Instant;

use jarre_kernels::packed::{Epilogue, Int4Weights, Int8Weights};
use jarre_kernels::{Bf16Weights, Inputs, PackedWeights};

/// Operations that an answer is the mean over, at least.
const ENOUGH: usize = 10_000_000_000;

fn main() -> std::io::Result<()> {
    let mut kept = HashMap::new();
    let mut answers = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut words = line.split_whitespace();
        let kind = words.next().unwrap_or_default().to_owned();
        let sizes: Vec<usize> = words.filter_map(|word| word.parse().ok()).collect();
        let wrong = || std::io::Error::other(format!("`{line}` is not `int8|int4|int4g128|bf16 m n k`"));
        let [m, n, k] = sizes[..] else { return Err(wrong()) };
        let weights = match kept.entry((kind.clone(), n, k)) {
            std::collections::hash_map::Entry::Occupied(kept) => kept.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => place.insert(pack(&kind, n, k).ok_or_else(wrong)?),
        };
        writeln!(answers, "{}", time(weights, [m, n, k]))?;
        answers.flush()?;
    }
    Ok(())
}

fn pack(kind: &str, n: usize, k: usize) -> Option<PackedWeights> {
    let values = noise(n * k);
    Some(match kind {
        "int8" => Int8Weights::quantize(&values, n, k).into(),
        "int4" => Int4Weights::quantize(&values, n, k, 32).into(),
        "int4g128" => Int4Weights::quantize(&values, n, k, 128).into(),
        "bf16" => Bf16Weights::new(&values, [n, k]).into(),
        _ => return None,
    })
}

/// Seconds of a product, rounding of the inputs included.
#[expect(clippy::disallowed_methods, reason = "the program measures time")]
fn time(weights: &PackedWeights, [m, n, k]: [usize; 3]) -> f64 {
    let (x, mut out) = (noise(m * k), vec![0.0; m * n]);
    let mut run = || weights.matmul(Inputs::Int8, &x, &mut out, &Epilogue::default());
    run();
    let repeats = (ENOUGH / (2 * m * n * k)).clamp(1, 200);
    let started = Instant::now();
    (0..repeats).for_each(|_| run());
    started.elapsed().as_secs_f64() / repeats as f64
}

fn noise(count: usize) -> Vec<f32> {
    (0..count).map(|i| ((i as u32).wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 23) as f32 - 1.0).collect()
}
