//! Attention as one operation: scores, softmax and the mix of values of one sequence stay in the cache of one core.

mod bias;
mod fused_qkv;
mod mask;
mod prefill;
mod sequence;

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;
use rayon::prelude::*;

use self::bias::Bias;
pub use self::fused_qkv::{attend_rows, self_attention};
pub use self::mask::AttentionMask;
use self::prefill::Prefill;
use self::sequence::{Sequence, Sizes};
use crate::host::{self, HostOp, in_order, run, tensor, values};
use crate::softmax::{ScoreSettings, attention_weights};

/// Heads up to this width go through [`flash`](crate::flash).
const WIDEST: usize = 256;

/// `softmax(scale Q K^T + mask) V` of `heads` queries over `kv_heads` keys and values; query head `i` reads key head
/// `i / (heads / kv_heads)`. The mask gets no gradient.
///
/// On the host it is [`flash`](crate::flash): memory grows with the number of tokens alone
/// ([Dao 2023](https://arxiv.org/abs/2307.08691)), and a mask that is not a bias takes none. With a gradient it runs on a core for each
/// sequence and keeps the weights for the way back.
///
/// # Shapes
/// - query: `[batch, queries, heads, head_dim]`, key and value: `[batch or 1, keys, kv_heads, head_dim]`
/// - output: `[batch, queries, heads, head_dim]`
///
/// # Panics
/// Where the sizes do not fit each other.
pub fn attention([query, key, value]: [Tensor<4>; 3], mask: &AttentionMask, settings: ScoreSettings) -> Tensor<4> {
    let ([batch, queries, heads, width], [sources, keys, kv_heads, _]) = (query.dims(), key.dims());
    let gradient = query.device().is_autodiff();
    let filled = !query.dims().contains(&0) && !key.dims().contains(&0);
    let on_host = filled && sources == batch && host::takes(&query);
    if on_host && !gradient && width <= WIDEST {
        return run::ternary((query, key, value), Prefill::new(mask, settings));
    }
    let bias = mask.bias([queries, keys], &query.device());
    if on_host && gradient && settings.softcap == 0.0 {
        let bias = bias.map(|bias| Bias::new(host::detached(bias)));
        return run::ternary((query, key, value), Attention { bias, scale: settings.scale as f32, group: heads / kv_heads });
    }
    mix_values(attention_weights(attention_scores(query, key), bias, settings), value)
}

/// `Q K^T` in each head; keys of a batch of 1 serve all queries.
///
/// # Shapes
/// - query: `[batch, queries, heads, head_dim]`, key: `[batch or 1, keys, kv_heads, head_dim]`
/// - output: `[batch, heads, queries, keys]`
///
/// # Panics
/// Where the sizes do not fit each other.
pub fn attention_scores(query: Tensor<4>, key: Tensor<4>) -> Tensor<4> {
    let ([batch, queries, heads, width], [_, keys, kv_heads, _]) = (query.dims(), key.dims());
    assert!(kv_heads > 0 && heads.is_multiple_of(kv_heads), "{kv_heads} key heads do not divide {heads} heads");
    // The queries of a key head's group stand as rows below each other, so that keys are read once and never copied.
    let query = query.swap_dims(1, 2).reshape([batch, kv_heads, heads / kv_heads * queries, width]);
    query.matmul(key.swap_dims(1, 2).swap_dims(2, 3)).reshape([batch, heads, queries, keys])
}

/// Values mixed by attention weights; values of a batch of 1 serve all.
///
/// # Shapes
/// - weights: `[batch, heads, queries, keys]`, value: `[batch or 1, keys, kv_heads, head_dim]`
/// - output: `[batch, queries, heads, head_dim]`
///
/// # Panics
/// Where the sizes do not fit each other.
pub fn mix_values(weights: Tensor<4>, value: Tensor<4>) -> Tensor<4> {
    let ([batch, heads, queries, keys], [_, _, kv_heads, width]) = (weights.dims(), value.dims());
    let weights = weights.reshape([batch, kv_heads, heads / kv_heads * queries, keys]);
    weights.matmul(value.swap_dims(1, 2)).reshape([batch, heads, queries, width]).swap_dims(1, 2)
}

#[derive(Clone, Debug)]
struct Attention {
    bias: Option<Bias>,
    scale: f32,
    /// Query heads that read one key head.
    group: usize,
}

impl Attention {
    /// The output and the weights, `[batch, heads, queries, keys]`.
    fn run(&self, [query, key, value]: [&FlexTensor; 3]) -> (FlexTensor, FlexTensor) {
        let sizes = Sizes::of(query, key);
        let batch = query.shape()[0];
        let mut weights = vec![0.0; batch * sizes.heads * sizes.scores()];
        let mut output = vec![0.0; values(query).len()];
        let sequences = sequences(sizes, [query, key, value].map(values));
        weights
            .par_chunks_mut(sizes.heads * sizes.scores())
            .zip(output.par_chunks_mut(sizes.queries * sizes.heads * sizes.width))
            .zip(sequences)
            .enumerate()
            .for_each(|(index, ((weights, output), sequence))| self.attend(sizes, index, sequence, weights, output));
        (tensor(output, query.shape()), tensor(weights, [batch, sizes.heads, sizes.queries, sizes.keys].into()))
    }
}

/// The sequences of a batch.
fn sequences(sizes: Sizes, [query, key, value]: [&[f32]; 3]) -> Vec<Sequence<'_>> {
    let (queries, keys) = (sizes.queries * sizes.heads * sizes.width, sizes.keys * sizes.kv_heads * sizes.width);
    let pairs = key.chunks_exact(keys).zip(value.chunks_exact(keys));
    query.chunks_exact(queries).zip(pairs).map(|(query, (key, value))| Sequence { query, key, value }).collect()
}

impl HostOp<3> for Attention {
    fn forward(&self, inputs: [FlexTensor; 3]) -> FlexTensor {
        let [query, key, value] = inputs.map(in_order);
        self.run([&query, &key, &value]).0
    }

    fn forward_keeping(&self, inputs: [FlexTensor; 3]) -> (FlexTensor, Vec<FlexTensor>) {
        let mut kept = inputs.map(in_order).to_vec();
        let (output, weights) = self.run([&kept[0], &kept[1], &kept[2]]);
        kept.push(weights);
        (output, kept)
    }

    fn backward(&self, kept: Vec<FlexTensor>, gradient: FlexTensor, _wanted: [bool; 3]) -> [Option<FlexTensor>; 3] {
        let [query, key, value, weights] = [0, 1, 2, 3].map(|part: usize| &kept[part]);
        let sizes = Sizes::of(query, key);
        let [mut dq, mut dk, mut dv] = [query, key, value].map(|x| vec![0.0_f32; values(x).len()]);
        let (queries, keys) = (sizes.queries * sizes.heads * sizes.width, sizes.keys * sizes.kv_heads * sizes.width);
        let places = dq.par_chunks_mut(queries).zip(dk.par_chunks_mut(keys)).zip(dv.par_chunks_mut(keys));
        let given = values(&gradient).par_chunks(queries).zip(values(weights).par_chunks(sizes.heads * sizes.scores()));
        places.zip(given).zip(sequences(sizes, [query, key, value].map(values))).enumerate().for_each(
            |(index, ((((dq, dk), dv), (gradient, weights)), sequence))| {
                self.pull_back(sizes, index, sequence, weights, gradient, [dq, dk, dv]);
            },
        );
        [Some(tensor(dq, query.shape())), Some(tensor(dk, key.shape())), Some(tensor(dv, value.shape()))]
    }
}
