use super::{Bits, PackedLayer, expect, groups_of, indexed, neighbours, whole_words};
use crate::error::Result;

/// What a file of GPTQ says of all its layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GptqFormat {
    /// Bits of a code.
    pub bits: Bits,
    /// Whether zero points are stored as they are (`checkpoint_format` `gptq_v2`); the first version stores them less 1.
    pub second: bool,
}

/// A layer of GPTQ's layout with `c` codes in a word, 8 or 4: `qweight [k / c, n]` with the codes of `c` inputs, `qzeros [k / group, n / c]` with those of
/// `c` outputs (the last word may be part full), `scales [k / group, n]`, and `g_idx [k]`, the group of each input, where groups are not neighbours; `n`
/// outputs of `k` inputs.
///
/// # Errors
/// [`Error::Checkpoint`](crate::Error::Checkpoint) where a tensor has another number of values than `[n, k]` and the scales make it, or an input belongs
/// to a group that is not there.
pub fn gptq(
    qweight: &[i32],
    qzeros: &[i32],
    scales: &[f32],
    g_idx: Option<&[i32]>,
    [n, k]: [usize; 2],
    GptqFormat { bits, second }: GptqFormat,
) -> Result<PackedLayer> {
    let per_word = bits.per_word();
    let (words, groups) = (whole_words(k, bits)?, groups_of(scales, n)?);
    let zero_words = n.div_ceil(per_word);
    expect("qweight", qweight.len(), words.saturating_mul(n))?;
    expect("qzeros", qzeros.len(), groups * zero_words)?;
    let group_of = match g_idx {
        None => neighbours(k, groups)?,
        Some(g_idx) => indexed("g_idx", g_idx, k, groups)?,
    };
    let code = |output: usize, input: usize| bits.code(qweight[input / per_word * n + output], input % per_word);
    let codes = (0..n).flat_map(|output| (0..k).map(move |input| code(output, input))).collect();
    let of_groups = || (0..n).flat_map(|output| (0..groups).map(move |group| (output, group)));
    let stored = |output: usize, group: usize| bits.code(qzeros[group * zero_words + output / per_word], output % per_word);
    let zeros = of_groups().map(|(output, group)| u16::from(stored(output, group)) + u16::from(!second)).collect();
    let scales = of_groups().map(|(output, group)| scales[group * n + output]).collect();
    Ok(PackedLayer { bits, outputs: n, group_of, groups, codes, scales, zeros, zero_point: true })
}
