//! Times attention when asked: lines `causal|full batch tokens heads width f32|bf16` on standard input, seconds on standard output.
//!
//! `benches/peers/attention.py` runs it in turn with torch. With `--peak` it attends once to as many tokens as the next argument says and
//! prints by how many KiB that raised the peak of memory, inputs and output left out.

use std::io::{BufRead, Write};
use std::time::Instant;

use jarre_kernels::Precision;
use jarre_kernels::flash::{Batch, Heads, Mask, Settings, Team, attend_batch};
use jarre_kernels::packed::Pool;

/// Seconds that an answer is the mean over, about.
const ENOUGH: f64 = 0.2;

struct Case {
    causal: bool,
    batch: usize,
    tokens: usize,
    heads: usize,
    width: usize,
    precision: Precision,
}

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, tokens] = &arguments[..]
        && flag == "--peak"
    {
        return peak(tokens.parse().map_err(std::io::Error::other)?);
    }
    let mut answers = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut words = line.split_whitespace();
        let causal = words.next() == Some("causal");
        let precision = if line.ends_with("bf16") { Precision::Bf16 } else { Precision::F32 };
        let sizes: Vec<usize> = words.filter_map(|word| word.parse().ok()).collect();
        let [batch, tokens, heads, width] = sizes[..] else {
            return Err(std::io::Error::other(format!("`{line}` is not `causal|full batch tokens heads width f32|bf16`")));
        };
        writeln!(answers, "{}", time(&Case { causal, batch, tokens, heads, width, precision }))?;
        answers.flush()?;
    }
    Ok(())
}

impl Case {
    fn values(&self) -> Vec<f32> {
        (0..3 * self.batch * self.tokens * self.heads * self.width)
            .map(|i| ((i as u32).wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 23) as f32 - 1.0)
            .collect()
    }

    /// Attention with query, key and value side by side in `values`, as one product gives them.
    fn attend(&self, values: &[f32], out: &mut [f32]) {
        let row = self.heads * self.width;
        let part = |index: usize| Heads::strided(&values[index * row..], [self.heads, self.width], [3 * row, self.width]);
        let starts: Vec<usize> = (0..=self.batch).map(|sequence| sequence * self.tokens).collect();
        let batch = Batch { queries: part(0), keys: part(1), values: part(2), query_starts: &starts, key_starts: &starts };
        let mask = Mask { causal: self.causal, ..Mask::default() };
        let settings = Settings { scale: (self.width as f32).sqrt().recip(), precision: self.precision, ..Settings::default() };
        attend_batch(Team::new(Pool::global()), &batch, &mask, settings, out, None);
    }
}

#[expect(clippy::disallowed_methods, reason = "the program measures time")]
fn time(case: &Case) -> f64 {
    let values = case.values();
    let mut out = vec![0.0; values.len() / 3];
    case.attend(&values, &mut out);
    let (started, mut count) = (Instant::now(), 0);
    while count == 0 || started.elapsed().as_secs_f64() < ENOUGH {
        case.attend(&values, &mut out);
        count += 1;
    }
    started.elapsed().as_secs_f64() / f64::from(count)
}

fn peak(tokens: usize) -> std::io::Result<()> {
    let case = Case { causal: true, batch: 1, tokens, heads: 12, width: 64, precision: Precision::F32 };
    let values = case.values();
    let mut out = vec![1.0; values.len() / 3];
    let before = high_water()?;
    case.attend(&values, &mut out);
    println!("{}", high_water()? - before);
    Ok(())
}

/// The peak of memory in KiB, as Linux tells.
fn high_water() -> std::io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).ok_or_else(|| std::io::Error::other("no VmHWM in /proc"))
}
