use super::{CODES, PackedLayer, code, expect, groups_of, neighbours};
use crate::error::Result;
use crate::int4::Grid;

/// A layer of compressed-tensors' format `pack-quantized` in four bits: `weight_packed [n, k / 8]` with the codes of eight inputs in a word, 8 above
/// their values, `weight_scale [n, k / group]` (or `[n, 1]`), and, where groups have zero points, `weight_zero_point [n / 8, k / group]` with those of
/// eight outputs in a word; `n` outputs of `k` inputs. Last words may be part full.
///
/// # Errors
/// [`Error::Checkpoint`](crate::Error::Checkpoint) where a tensor has another number of values than `[n, k]` and the scales make it.
pub fn compressed_tensors(packed: &[i32], scales: &[f32], zero_points: Option<&[i32]>, [n, k]: [usize; 2]) -> Result<PackedLayer> {
    let (words, groups) = (k.div_ceil(CODES), groups_of(scales, n)?);
    expect("weight_packed", packed.len(), n.saturating_mul(words))?;
    if let Some(zero_points) = zero_points {
        expect("weight_zero_point", zero_points.len(), n.div_ceil(CODES) * groups)?;
    }
    // The file is as long as its sizes say, so what is made from them is not out of proportion.
    let group_of = neighbours(k, groups)?;
    let codes = (0..n).flat_map(|output| (0..k).map(move |input| code(packed[output * words + input / CODES], input % CODES))).collect();
    let zero = |output: usize, group: usize| zero_points.map_or(8, |zeros| code(zeros[output / CODES * groups + group], output % CODES));
    let grid = |output: usize, group: usize| Grid { scale: scales[output * groups + group], zero: zero(output, group) };
    let grid = (0..n).flat_map(|output| (0..groups).map(move |group| grid(output, group))).collect();
    Ok(PackedLayer { outputs: n, group_of, groups, codes, grid, zero_point: zero_points.is_some() })
}
