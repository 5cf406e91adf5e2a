use super::{Bits, PackedLayer, expect, groups_of, neighbours, whole_words};
use crate::error::Result;

/// Codes of a word.
const CODES: usize = 8;

/// The output, of eight, whose code stands at each place of a word.
const ORDER: [usize; CODES] = [0, 2, 4, 6, 1, 3, 5, 7];

/// A layer of `AutoAWQ`'s GEMM layout in four bits: `qweight [k, n / 8]` with the codes of eight outputs in a word, `qzeros [k / group, n / 8]` likewise,
/// `scales [k / group, n]`; `n` outputs of `k` inputs.
///
/// # Errors
/// [`Error::Checkpoint`](crate::Error::Checkpoint) where a tensor has another number of values than `[n, k]` and the scales make it.
pub fn awq(qweight: &[i32], qzeros: &[i32], scales: &[f32], [n, k]: [usize; 2]) -> Result<PackedLayer> {
    let bits = Bits::Four;
    let (words, groups) = (whole_words(n, bits)?, groups_of(scales, n)?);
    expect("qweight", qweight.len(), k.saturating_mul(words))?;
    expect("qzeros", qzeros.len(), groups * words)?;
    let group_of = neighbours(k, groups)?;
    let place = |output: usize| ORDER.iter().position(|&of| of == output % CODES).unwrap_or_default();
    let at = |packed: &[i32], row: usize, output: usize| bits.code(packed[row * words + output / CODES], place(output));
    let codes = (0..n).flat_map(|output| (0..k).map(move |input| at(qweight, input, output))).collect();
    let of_groups = || (0..n).flat_map(|output| (0..groups).map(move |group| (output, group)));
    let zeros = of_groups().map(|(output, group)| at(qzeros, group, output).into()).collect();
    let scales = of_groups().map(|(output, group)| scales[group * n + output]).collect();
    Ok(PackedLayer { bits, outputs: n, group_of, groups, codes, scales, zeros, zero_point: true })
}
