use super::{CODES, PackedLayer, code, expect, groups_of, neighbours, whole_words};
use crate::error::{Error, Result};
use crate::int4::Grid;

/// A layer of GPTQ's layout: `qweight [k / 8, n]` with the codes of eight inputs in a word, `qzeros [k / group, n / 8]` with those of eight outputs (the
/// last word may be part full), `scales [k / group, n]`, and `g_idx [k]`, the group of each input, where groups are not neighbours; `n` outputs of
/// `k` inputs. Files of the first version store zero points less 1; `second` is for those of `checkpoint_format` `gptq_v2`.
///
/// # Errors
/// [`Error::Checkpoint`] where a tensor has another number of values than `[n, k]` and the scales make it, or an input belongs to a group that is not
/// there.
pub fn gptq(
    qweight: &[i32],
    qzeros: &[i32],
    scales: &[f32],
    g_idx: Option<&[i32]>,
    [n, k]: [usize; 2],
    second: bool,
) -> Result<PackedLayer> {
    let (words, groups) = (whole_words(k)?, groups_of(scales, n)?);
    let zero_words = n.div_ceil(CODES);
    expect("qweight", qweight.len(), words.saturating_mul(n))?;
    expect("qzeros", qzeros.len(), groups * zero_words)?;
    let group_of = match g_idx {
        None => neighbours(k, groups)?,
        Some(g_idx) => {
            expect("g_idx", g_idx.len(), k)?;
            let of = |&group: &i32| u32::try_from(group).ok().filter(|&group| (group as usize) < groups);
            let outside = || Error::Checkpoint { tensor: "g_idx", found: k, expected: groups };
            g_idx.iter().map(|group| of(group).ok_or_else(outside)).collect::<Result<_>>()?
        }
    };
    let codes = (0..n).flat_map(|output| (0..k).map(move |input| code(qweight[input / CODES * n + output], input % CODES))).collect();
    let stored = |output: usize, group: usize| code(qzeros[group * zero_words + output / CODES], output % CODES);
    let grid = |output, group| Grid { scale: scales[group * n + output], zero: stored(output, group) + u8::from(!second) };
    let grid = (0..n).flat_map(|output| (0..groups).map(move |group| grid(output, group))).collect();
    Ok(PackedLayer { outputs: n, group_of, groups, codes, grid, zero_point: true })
}
