use burn::tensor::{Bool, Device, Tensor, TensorData};
use jarre_kernels::{AttentionMask, on_host};

use super::sequences::Sequences;

/// Which keys a query may see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Visibility {
    /// No key that comes after the query.
    pub causal: bool,
    /// Only that many of the newest keys, the query's own counted.
    pub window: Option<usize>,
}

/// What is added to the scores of queries and keys: 0 where a query sees a key, minus infinity where not, and a distance term where
/// the model has one.
#[derive(Clone, Debug)]
pub struct AttentionBias {
    mask: AttentionMask,
    queries: usize,
    keys: usize,
    device: Device,
}

impl AttentionBias {
    /// The bias of `queries` over their own keys, or over the `past` cached tokens of each row and their own after them; nothing
    /// where every query sees every key.
    ///
    /// A query in the padding sees the first key, so that its row stays finite.
    pub(crate) fn new(queries: &Sequences, past: &[usize], visibility: Visibility, slopes: &[f32], device: &Device) -> Option<Self> {
        let cached = past.iter().any(|&past| past > 0);
        let same = queries.is_uniform() && past.windows(2).all(|pair| pair[0] == pair[1]);
        let rows = if same { 1 } else { queries.batch() };
        let keys = past.iter().zip(queries.tokens()).map(|(past, tokens)| past + tokens.end).max().unwrap_or(0);
        if let Some(mask) = rule(queries, same, visibility, slopes, device) {
            let sees_all = queries.seq() == 1 && visibility.window.is_none();
            return (!sees_all).then(|| Self { mask, queries: queries.seq(), keys, device: device.clone() });
        }
        let heads = slopes.len().max(1);
        let mut values = Vec::with_capacity(rows * heads * queries.seq() * keys);
        for (row, &past) in past.iter().enumerate().take(rows) {
            let place = Place { queries, row, past, visibility, cached };
            for head in 0..heads {
                place.fill(slopes.get(head).copied(), keys, &mut values);
            }
        }
        let says_nothing = values.iter().all(|&value| value == 0.0);
        let shape = [rows, heads, queries.seq(), keys];
        (!says_nothing).then(|| Self::of(Tensor::from_data(TensorData::new(values, shape), device)))
    }

    /// A mask made elsewhere: `hidden [batch or 1, heads or 1, queries, keys]`, true where a query must not see a key.
    ///
    /// A query that sees no key at all gets weights that are not numbers.
    pub fn from_mask(hidden: Tensor<4, Bool>) -> Self {
        Self::of(Tensor::zeros(hidden.shape(), &hidden.device()).mask_fill(hidden, f32::NEG_INFINITY))
    }

    fn of(values: Tensor<4>) -> Self {
        let [_, _, queries, keys] = values.dims();
        Self { queries, keys, device: values.device(), mask: AttentionMask::Bias(values) }
    }

    /// The bias of encoders and of attention to an encoder: `queries` rows see the keys that are tokens of `keys`.
    pub(crate) fn of_keys(queries: usize, keys: &Sequences, device: &Device) -> Option<Self> {
        if keys.is_uniform() {
            return None;
        }
        let value = |tokens: &std::ops::Range<usize>, key: usize| if tokens.contains(&key) { 0.0 } else { f32::NEG_INFINITY };
        let row = |tokens: &std::ops::Range<usize>| (0..keys.seq()).map(|key| value(tokens, key)).collect::<Vec<f32>>();
        let values: Vec<f32> = keys.tokens().iter().flat_map(row).collect();
        let values = Tensor::<4>::from_data(TensorData::new(values, [keys.batch(), 1, 1, keys.seq()]), device);
        Some(Self::of(values.expand([keys.batch(), 1, queries, keys.seq()])))
    }

    /// `[batch or 1, heads or 1, queries, keys]`.
    pub fn values(&self) -> Tensor<4> {
        let values = self.mask.bias([self.queries, self.keys], &self.device);
        values.unwrap_or_else(|| Tensor::zeros([1, 1, self.queries, self.keys], &self.device))
    }

    /// The same as kernels take it.
    pub(crate) fn mask(&self) -> &AttentionMask {
        &self.mask
    }
}

/// The mask as a rule that takes no memory, where the kernels of the host follow one: all rows alike, none with padding, documents or slopes.
fn rule(queries: &Sequences, same: bool, visibility: Visibility, slopes: &[f32], device: &Device) -> Option<AttentionMask> {
    let followed = same && visibility.causal && slopes.is_empty() && on_host(device) && !device.is_autodiff();
    let whole = followed && queries.tokens().iter().all(|tokens| *tokens == (0..queries.seq())) && !queries.has_documents();
    whole.then_some(AttentionMask::Causal { window: visibility.window })
}

/// One row of a batch, in one head.
struct Place<'a> {
    queries: &'a Sequences,
    row: usize,
    past: usize,
    visibility: Visibility,
    cached: bool,
}

impl Place<'_> {
    /// Appends `[queries, keys]`.
    fn fill(&self, slope: Option<f32>, keys: usize, values: &mut Vec<f32>) {
        let tokens = &self.queries.tokens()[self.row];
        for query in 0..self.queries.seq() {
            let start = values.len();
            values.resize(start + keys, f32::NEG_INFINITY);
            let row = &mut values[start..];
            if !tokens.contains(&query) {
                row[0] = 0.0;
                continue;
            }
            for key in self.seen(query, keys) {
                let hidden = !self.cached && self.queries.document(self.row, key) != self.queries.document(self.row, query);
                if !hidden {
                    let distance = (self.past + query) as f32 - key as f32;
                    row[key] = slope.map_or(0.0, |slope| -slope * distance.abs());
                }
            }
        }
    }

    /// Keys that a query may see by its place; a key of the past stands before those of the batch.
    fn seen(&self, query: usize, keys: usize) -> std::ops::Range<usize> {
        let tokens = &self.queries.tokens()[self.row];
        let own = self.past + query;
        let end = if self.visibility.causal { own + 1 } else { (self.past + tokens.end).min(keys) };
        let first = if self.past > 0 { 0 } else { tokens.start };
        let start = self.visibility.window.map_or(first, |window| first.max((own + 1).saturating_sub(window)));
        start..end
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(bias: &AttentionBias, row: usize) -> Vec<Vec<bool>> {
        let [_, _, _, keys] = bias.values().dims();
        let values: Vec<f32> = bias.values().slice_dim(0, row..row + 1).into_data().try_into_vec().unwrap();
        values.chunks_exact(keys).map(|row| row.iter().map(|value| *value == 0.0).collect()).collect()
    }

    const CAUSAL: Visibility = Visibility { causal: true, window: None };

    #[test]
    fn one_query_that_sees_all_needs_no_bias() {
        let one = Sequences::right_padded(&[&[1], &[2]], 0);
        assert!(AttentionBias::new(&one, &[3, 3], CAUSAL, &[], &Device::default()).is_none());
        assert!(AttentionBias::new(&one, &[3, 2], CAUSAL, &[], &Device::default()).is_some());
    }

    #[test]
    fn distances_fall_by_the_slope_of_the_head() {
        let two = Sequences::right_padded(&[&[1, 2]], 0);
        let bias = AttentionBias::new(&two, &[1], CAUSAL, &[0.5, 0.25], &Device::default()).unwrap();
        let values: Vec<f32> = bias.values().into_data().try_into_vec().unwrap();
        let hidden = f32::NEG_INFINITY;
        assert_eq!(values, [-0.5, 0.0, hidden, -1.0, -0.5, 0.0, -0.25, 0.0, hidden, -0.5, -0.25, 0.0]);
    }

    proptest! {
        #[test]
        fn masks_agree_with_the_rule_token_by_token(
            lengths in prop::collection::vec(1_usize..6, 1..4),
            past in prop::collection::vec(0_usize..5, 4),
            window in prop::option::of(1_usize..5),
            causal: bool,
        ) {
            let rows: Vec<Vec<u32>> = lengths.iter().map(|&length| vec![1; length]).collect();
            let rows: Vec<&[u32]> = rows.iter().map(Vec::as_slice).collect();
            let queries = Sequences::right_padded(&rows, 0);
            let past = &past[..rows.len()];
            let visibility = Visibility { causal, window };
            let Some(bias) = AttentionBias::new(&queries, past, visibility, &[], &Device::default()) else { return Ok(()) };
            let [batch, _, _, keys] = bias.values().dims();
            for row in 0..batch {
                for (query, shown) in shown(&bias, row).iter().enumerate().take(lengths[row]) {
                    for (key, &shown) in shown.iter().enumerate() {
                        let own = past[row] + query;
                        let near = window.is_none_or(|window| key + window > own);
                        let expected = key < past[row] + lengths[row] && (!causal || key <= own) && near;
                        prop_assert_eq!(shown, expected, "row {} query {} key {} of {}", row, query, key, keys);
                    }
                }
            }
        }
    }

    #[test]
    fn tokens_see_their_own_document_only() {
        let packed = Sequences::packed(vec![1; 4], 4, Some(vec![0, 0, 1, 1]));
        let bias = AttentionBias::new(&packed, &[0], CAUSAL, &[], &Device::default()).unwrap();
        let expected = [[true, false, false, false], [true, true, false, false], [false, false, true, false], [false, false, true, true]];
        assert_eq!(shown(&bias, 0), expected);
    }
}
