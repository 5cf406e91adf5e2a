use std::{cell::Cell, sync::LazyLock};

use super::{FeatureHook, Ngrams};

thread_local! {
    /// The table of the last text that this thread read, emptied: a new one costs more than a short text.
    static TABLE: Cell<Vec<u16>> = const { Cell::new(Vec::new()) };
}

/// What an n-gram weighs that occurs so often, up to 255 times.
static WEIGHTS: LazyLock<[f32; 256]> = LazyLock::new(|| std::array::from_fn(|count| sublinear(count as u16)));

/// How texts become vectors: counted n-grams in hashed buckets, weighed, and the numbers of a hook.
///
/// An n-gram that occurs `c` times weighs `(1 + ln c) * idf`; the n-grams of a text together have length 1 (sublinear tf-idf, L2). The
/// numbers of a hook are standardised, at most 4 deviations from their mean, and follow the buckets.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    pub(super) ngrams: Ngrams,
    /// The binary logarithm of the number of buckets.
    pub(super) bits: u32,
    /// For each bucket 16 times its inverse document frequency, 0 for one that is not looked at.
    pub(super) idf: Vec<u8>,
    pub(super) hook: Option<FeatureHook>,
    /// Mean and inverse deviation of the numbers of the hook.
    pub(super) standard: Vec<(f32, f32)>,
}

/// Steps of an idf a unit.
pub(super) const IDF_STEPS: f32 = 16.0;

impl Reader {
    /// The vector of `text`: each place once.
    pub(super) fn read(&self, text: &str, mut each: impl FnMut(usize, f32)) {
        let mut places = Vec::new();
        let unit = self.weigh(text, |bucket, weight| places.push((bucket, weight)));
        for (bucket, weight) in places {
            each(bucket, weight * unit);
        }
        self.numbers(text, each);
    }

    /// The weight of each bucket before the n-grams have length 1, and by what to multiply them so that they have.
    pub(super) fn weigh(&self, text: &str, mut each: impl FnMut(usize, f32)) -> f32 {
        let (mut squares, often) = (0.0, &*WEIGHTS);
        Counts::of(self.ngrams, self.bits, text).drain(|bucket, count| {
            let idf = self.idf[bucket];
            if idf > 0 {
                let weight = often.get(usize::from(count)).copied().unwrap_or_else(|| sublinear(count)) * f32::from(idf);
                squares += weight * weight;
                each(bucket, weight);
            }
        });
        if squares > 0.0 { squares.sqrt().recip() } else { 0.0 }
    }

    /// The numbers of the hook, at their places behind the buckets.
    pub(super) fn numbers(&self, text: &str, each: impl FnMut(usize, f32)) {
        if let Some(hook) = &self.hook {
            self.standardised(hook.read(text), each);
        }
    }

    /// What the hook read, at the places behind the buckets.
    pub(super) fn standardised(&self, values: Vec<f32>, mut each: impl FnMut(usize, f32)) {
        for (at, (value, (mean, inverse))) in values.into_iter().zip(&self.standard).enumerate() {
            each(self.idf.len() + at, ((value - mean) * inverse).clamp(-4.0, 4.0));
        }
    }
}

/// The bucket of an n-gram with this hash, of 2 to the power of `bits`.
pub(super) fn bucket(hash: u64, bits: u32) -> u32 {
    (hash >> (64 - bits)) as u32
}

/// The n-grams of a text, by bucket.
pub(super) struct Counts {
    /// Up to 65,535.
    table: Vec<u16>,
    /// The buckets that are not empty, in the order of the text.
    seen: Vec<u32>,
}

impl Counts {
    pub(super) fn of(ngrams: Ngrams, bits: u32, text: &str) -> Self {
        let mut counts = Self { table: TABLE.take(), seen: Vec::new() };
        counts.table.resize(1 << bits, 0);
        ngrams.visit_blocks(text, |hashes| counts.add(hashes, bits));
        counts
    }

    fn add(&mut self, hashes: &[u64], bits: u32) {
        let mut filled = self.seen.len();
        self.seen.resize(filled + hashes.len(), 0);
        for &hash in hashes {
            let bucket = bucket(hash, bits);
            let count = &mut self.table[bucket as usize];
            // No branch, for no processor can foretell which n-grams are new.
            self.seen[filled] = bucket;
            filled += usize::from(*count == 0);
            *count = count.saturating_add(1);
        }
        self.seen.truncate(filled);
    }

    /// Hands each bucket that is not empty to `each`, with what it counted, and leaves the table to the next text.
    pub(super) fn drain(mut self, mut each: impl FnMut(usize, u16)) {
        for bucket in self.seen {
            each(bucket as usize, std::mem::take(&mut self.table[bucket as usize]));
        }
        TABLE.set(self.table);
    }
}

fn sublinear(count: u16) -> f32 {
    1.0 + f32::from(count).ln()
}
