//! The same operations in burn's own, for devices without kernels, and as a twin to test them against.

use burn::tensor::{Bool, DType, Int, Tensor};

use super::codes::CodeFormat;
use super::paged_launch::PagedSettings;

pub(super) fn packed_product(
    x: Tensor<2>,
    words: Tensor<2, Int>,
    scales: Tensor<2>,
    zeros: Option<Tensor<2>>,
    format: CodeFormat,
) -> Tensor<2> {
    let dtype = x.dtype();
    let ([n, groups], [_, count]) = (scales.dims(), words.dims());
    let codes: Tensor<2> = decode(words, format).cast(dtype);
    let codes = codes.reshape([n, groups, count * format.per_word() / groups]);
    let codes = match zeros {
        Some(zeros) => codes - zeros.cast(dtype).unsqueeze_dim(2),
        None => codes - format.middle(),
    };
    let weights: Tensor<2> = (codes * scales.cast(dtype).unsqueeze_dim(2)).reshape([n, count * format.per_word()]);
    x.matmul(weights.transpose())
}

/// Codes `[n, k]`, 0 or more, of words `[n, k / codes per word]`.
fn decode(words: Tensor<2, Int>, format: CodeFormat) -> Tensor<2> {
    let [n, count] = words.dims();
    let mask = (1_i64 << format.bits()) - 1;
    let code = |index: usize| words.clone().bitwise_right_shift_scalar((index * format.bits()) as i64).bitwise_and_scalar(mask);
    let codes: Tensor<3, Int> = Tensor::stack((0..format.per_word()).map(code).collect(), 2);
    codes.bitwise_xor_scalar(i64::from(format.flip())).float().reshape([n, count * format.per_word()])
}

pub(super) fn paged(
    q: Tensor<3>,
    [keys, values]: [Tensor<4>; 2],
    block_tables: Tensor<2, Int>,
    context_lens: Tensor<1, Int>,
    settings: PagedSettings,
) -> (Tensor<3>, Tensor<2>) {
    let ([sequences, heads, d], [_, _, kv_heads, _]) = (q.dims(), keys.dims());
    let dtype = q.dtype();
    let [keys, values] = [keys, values].map(|cache| gather(cache, block_tables.clone()).cast(DType::F32));
    let q = q.cast(DType::F32).reshape([sequences, kv_heads, heads / kv_heads, d]);
    let mut scores = q.matmul(keys.swap_dims(2, 3)) * settings.scale;
    if let Some(cap) = settings.softcap {
        scores = (scores / cap).tanh() * cap;
    }
    let hidden = hidden(context_lens, scores.dims(), settings.window);
    let scores = scores.mask_fill(hidden.clone(), f32::MIN);
    let high = scores.clone().max_dim(3);
    let weights = (scores - high.clone()).exp().mask_fill(hidden, 0.0);
    let total = weights.clone().sum_dim(3);
    // Without positions the sum is 0, of which the quotient should be 0 and the logarithm add nothing.
    let total = total.clone() + total.equal_elem(0.0).float();
    let out = weights.matmul(values) / total.clone();
    let lse = high + total.log();
    (out.reshape([sequences, heads, d]).cast(dtype), lse.reshape([sequences, heads]))
}

/// Blocks of `[blocks, block_size, kv_heads, d]` in the order of tables: `[sequences, kv_heads, positions, d]`.
fn gather(cache: Tensor<4>, tables: Tensor<2, Int>) -> Tensor<4> {
    let ([blocks, block_size, kv_heads, d], [sequences, max_blocks]) = (cache.dims(), tables.dims());
    let indices = tables.clamp(0, blocks as i64 - 1).reshape([sequences * max_blocks]);
    cache.select(0, indices).reshape([sequences, max_blocks * block_size, kv_heads, d]).swap_dims(1, 2)
}

/// Which positions of scores `[sequences, kv_heads, queries, positions]` a sequence does not have, or its query does not see.
fn hidden(context_lens: Tensor<1, Int>, shape: [usize; 4], window: Option<usize>) -> Tensor<4, Bool> {
    let (sequences, positions) = (shape[0], shape[3]);
    let device = context_lens.device();
    let lengths = context_lens.cast(DType::I32).reshape([sequences, 1, 1, 1]).expand(shape);
    let indices = Tensor::<1, Int>::arange(0..positions as i64, &device).cast(DType::I32).reshape([1, 1, 1, positions]).expand(shape);
    let past = indices.clone().greater_equal(lengths.clone());
    let Some(window) = window else { return past };
    past.bool_or(indices.lower(lengths - window.min(positions) as i64))
}
