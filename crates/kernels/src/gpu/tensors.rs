//! The operations on burn's tensors: kernels on `CubeCL` devices, tensor operations elsewhere and where gradients are tracked.

use burn::tensor::{Int, Tensor};

use super::codes::CodeFormat;
use super::extension;
use super::fallback;
use super::paged_launch::PagedSettings;

/// `x W^T` with weights in signed bytes, four to a word, the first in the lowest bits.
///
/// # Shapes
/// - x: `[m, k]`, codes: `[n, k / 4]`, scales: `[n]`
/// - output: `[m, n]`
///
/// # Panics
/// Where shapes do not fit.
pub fn w8a16_linear(x: Tensor<2>, codes: Tensor<2, Int>, scales: Tensor<1>) -> Tensor<2> {
    product(x, codes, scales.unsqueeze_dim(1), None, CodeFormat::Int8)
}

/// `x W^T` with weights in four bits, eight to a word, the first in the lowest bits: `(code - zero) scale`, with a `zero` of 8 unless
/// groups have their own, in units of codes.
///
/// # Shapes
/// - x: `[m, k]`, codes: `[n, k / 8]`, scales and zeros: `[n, k / group]`
/// - output: `[m, n]`
///
/// # Panics
/// Where shapes do not fit, or groups are no multiple of 8.
pub fn w4a16_linear(x: Tensor<2>, codes: Tensor<2, Int>, scales: Tensor<2>, zeros: Option<Tensor<2>>) -> Tensor<2> {
    let ([_, k], [_, groups]) = (x.dims(), scales.dims());
    assert!(groups > 0 && k.is_multiple_of(groups), "{groups} groups in {k} inputs");
    let format = CodeFormat::Int4 { group: k / groups, zeros: zeros.is_some() };
    product(x, codes, scales, zeros, format)
}

/// Attention of one query a sequence over keys and values in blocks, and the logarithms of the scores' sums of exponentials.
///
/// A sequence without positions gives zeros and `f32::MIN`. Keys and values that do not lie in order are copied first.
///
/// # Shapes
/// - q: `[sequences, heads, d]`, keys and values: `[blocks, block_size, kv_heads, d]`
/// - block_tables: `[sequences, max_blocks]`, of which entries past a sequence's length are not looked at; context_lens: `[sequences]`
/// - output: `[sequences, heads, d]` and f32 `[sequences, heads]`
///
/// # Panics
/// Where shapes do not fit.
pub fn paged_decode(
    q: Tensor<3>,
    keys: Tensor<4>,
    values: Tensor<4>,
    block_tables: Tensor<2, Int>,
    context_lens: Tensor<1, Int>,
    settings: PagedSettings,
) -> (Tensor<3>, Tensor<2>) {
    if extension::has_kernels(&q.device()) {
        return extension::paged(q, [keys, values], block_tables, context_lens, settings);
    }
    fallback::paged(q, [keys, values], block_tables, context_lens, settings)
}

fn product(x: Tensor<2>, words: Tensor<2, Int>, scales: Tensor<2>, zeros: Option<Tensor<2>>, format: CodeFormat) -> Tensor<2> {
    if extension::has_kernels(&x.device()) {
        return extension::packed_product(x, words, scales, zeros, format);
    }
    fallback::packed_product(x, words, scales, zeros, format)
}
