//! Which keys a query sees, and what is added to its scores.

use std::ops::Range;

/// Which keys a query sees. Nothing of the size of the scores is made for it.
///
/// Of a sequence of `q` queries and `k` keys, the last query stands at the last key: query `i` stands at key `i + k - q`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mask<'a> {
    /// A query sees no key after its own.
    pub causal: bool,
    /// A query sees fewer than this many keys away from its own: with `causal`, its own key and the `window - 1` before it; without, as many
    /// after it too.
    pub window: Option<usize>,
    /// For each sequence the keys that are no padding, counted from the sequence's first; empty where all are seen.
    pub seen: &'a [Range<usize>],
    /// What is added to scores after scaling and capping; keys with minus infinity are hidden.
    pub bias: Option<Bias<'a>>,
}

/// What is added to the score of key `k` for query `q` in head `h` of sequence `s`:
/// `values[s * strides[0] + h * strides[1] + q * strides[2] + k]`. A stride of 0 shares values.
#[derive(Clone, Copy, Debug)]
pub struct Bias<'a> {
    /// The values.
    pub values: &'a [f32],
    /// From one sequence, head and query to the next.
    pub strides: [usize; 3],
}

impl<'a> Bias<'a> {
    /// `values [sequences or 1, heads or 1, queries, keys]`.
    pub fn dense(values: &'a [f32], [sequences, heads, queries, keys]: [usize; 4]) -> Self {
        let stride = |count: usize, stride: usize| if count == 1 { 0 } else { stride };
        Self { values, strides: [stride(sequences, heads * queries * keys), stride(heads, queries * keys), keys] }
    }

    /// The biases of one query from key 0 on.
    pub(super) fn row(&self, sequence: usize, head: usize, query: usize) -> &'a [f32] {
        let first = sequence * self.strides[0] + head * self.strides[1] + query * self.strides[2];
        self.values.get(first..).unwrap_or_default()
    }
}

impl Mask<'_> {
    /// Keys that query `query` of sequence `sequence` sees, minus infinities of the bias apart.
    pub(super) fn range(&self, sequence: usize, query: usize, [queries, keys]: [usize; 2]) -> Range<usize> {
        let seen = self.seen.get(sequence).cloned().unwrap_or(0..keys);
        // Where there are more queries than keys the first ones stand before key 0.
        let (position, keys) = ((query + keys) as isize - queries as isize, keys as isize);
        let reach = self.window.map_or(isize::MAX / 2, |window| window.min(isize::MAX as usize / 2) as isize);
        let end = if self.causal { position + 1 } else { position.saturating_add(reach) };
        let [first, end] = [position - reach + 1, end].map(|key| key.clamp(0, keys) as usize);
        let range = first.max(seen.start)..end.min(seen.end).min(keys as usize);
        if range.is_empty() { 0..0 } else { range }
    }
}
