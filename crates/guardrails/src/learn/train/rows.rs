use super::{Example, TrainConfig};
use crate::learn::{
    FeatureHook,
    vector::{Counts, IDF_STEPS, Reader},
};

/// The vectors of the examples, without what is 0, and a constant 1 at the end of each.
pub(super) struct Rows {
    entries: Vec<(u32, f32)>,
    ends: Vec<usize>,
    /// How many columns are buckets.
    pub(super) buckets: usize,
    /// All columns: buckets, numbers of the hook, the constant.
    pub(super) columns: usize,
}

impl Rows {
    pub(super) fn read(reader: &Reader, examples: &[Example]) -> Self {
        let buckets = reader.idf.len();
        let columns = buckets + reader.standard.len() + 1;
        let mut rows = Self { entries: Vec::new(), ends: Vec::with_capacity(examples.len()), buckets, columns };
        for example in examples {
            reader.read(&example.text, |at, value| rows.entries.push((at as u32, value)));
            rows.entries.push((columns as u32 - 1, 1.0));
            rows.ends.push(rows.entries.len());
        }
        rows
    }

    pub(super) fn count(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn row(&self, at: usize) -> &[(u32, f32)] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.entries[start..self.ends[at]]
    }
}

/// How the texts of `examples` are best read: rare n-grams weigh more, and numbers of the hook are standardised.
pub(super) fn reader(config: &TrainConfig, hook: Option<FeatureHook>, examples: &[Example]) -> Reader {
    let standard = hook.as_ref().map_or_else(Vec::new, |hook| standard(hook, examples));
    Reader { ngrams: config.ngrams, bits: config.bits, idf: idf(config, examples), hook, standard }
}

/// `ln((1 + texts) / (1 + texts with it)) + 1`, texts by their weight, in steps.
fn idf(config: &TrainConfig, examples: &[Example]) -> Vec<u8> {
    let mut texts = vec![(0_usize, 0.0_f64); 1 << config.bits];
    for example in examples {
        Counts::of(config.ngrams, config.bits, &example.text).drain(|bucket, _| {
            let (count, weight) = &mut texts[bucket];
            *count += 1;
            *weight += f64::from(example.weight);
        });
    }
    let all: f64 = examples.iter().map(|example| f64::from(example.weight)).sum();
    let steps = |weight: f64| ((((1.0 + all) / (1.0 + weight)).ln() + 1.0) * f64::from(IDF_STEPS)).round().clamp(1.0, 255.0) as u8;
    texts.iter().map(|&(count, weight)| if count < config.least_texts.max(1) { 0 } else { steps(weight) }).collect()
}

/// Mean and inverse deviation of each number; 0 for the latter where a number is always the same.
fn standard(hook: &FeatureHook, examples: &[Example]) -> Vec<(f32, f32)> {
    let mut sums = vec![(0.0_f64, 0.0_f64); hook.names().len()];
    let mut all = 0.0;
    for example in examples {
        let weight = f64::from(example.weight);
        all += weight;
        for ((sum, squares), value) in sums.iter_mut().zip(hook.read(&example.text)) {
            let value = f64::from(value);
            *sum += weight * value;
            *squares += weight * value * value;
        }
    }
    let moments = |(sum, squares): (f64, f64)| {
        let mean = sum / all;
        let deviation = (squares / all - mean * mean).max(0.0).sqrt();
        let inverse = if deviation > 1e-6 { deviation.recip() } else { 0.0 };
        (mean as f32, inverse as f32)
    };
    sums.into_iter().map(moments).collect()
}
