use super::{Bits, PackedLayer, expect, groups_of, indexed, neighbours};
use crate::error::{Error, Result};
use crate::int4::{Grid, Int4Groups};

/// Codes of a word of four bits each.
const CODES: usize = 8;

/// A layer of compressed-tensors' format `pack-quantized` with `c` codes in a word, 8 or 4: `weight_packed [n, k / c]` with the codes of `c` inputs, half
/// their number above their values, `weight_scale [n, k / group]` (or `[n, 1]`), and, where groups have zero points, `weight_zero_point [n / c, k / group]`
/// with those of `c` outputs in a word; `n` outputs of `k` inputs. Last words may be part full. `weight_g_idx [k]` is the group of each input, where
/// groups are not neighbours; the tool writes -1 for all inputs where they are.
///
/// # Errors
/// [`Error::Checkpoint`] where a tensor has another number of values than `[n, k]` and the scales make it, or an input belongs to a group that is not
/// there.
pub fn compressed_tensors(
    packed: &[i32],
    scales: &[f32],
    zero_points: Option<&[i32]>,
    g_idx: Option<&[i32]>,
    [n, k]: [usize; 2],
    bits: Bits,
) -> Result<PackedLayer> {
    let per_word = bits.per_word();
    let (words, groups) = (k.div_ceil(per_word), groups_of(scales, n)?);
    expect("weight_packed", packed.len(), n.saturating_mul(words))?;
    if let Some(zero_points) = zero_points {
        expect("weight_zero_point", zero_points.len(), n.div_ceil(per_word) * groups)?;
    }
    // The file is as long as its sizes say, so what is made from them is not out of proportion.
    let group_of = match g_idx {
        Some(g_idx) if g_idx.iter().any(|&group| group != -1) => indexed("weight_g_idx", g_idx, k, groups)?,
        unset => {
            expect("weight_g_idx", unset.map_or(k, <[i32]>::len), k)?;
            neighbours(k, groups)?
        }
    };
    let code = |output: usize, input: usize| bits.code(packed[output * words + input / per_word], input % per_word);
    let codes = (0..n).flat_map(|output| (0..k).map(move |input| code(output, input))).collect();
    let zeros = match zero_points {
        None => vec![bits.middle(); n * groups],
        Some(stored) => {
            let zero = |output: usize, group: usize| bits.code(stored[output / per_word * groups + group], output % per_word).into();
            (0..n).flat_map(|output| (0..groups).map(move |group| zero(output, group))).collect()
        }
    };
    Ok(PackedLayer { bits, outputs: n, group_of, groups, codes, scales: scales.to_vec(), zeros, zero_point: zero_points.is_some() })
}

/// The tensors that [`compressed_tensors`] reads, row-major.
///
/// ```
/// use jarre_quant::checkpoint::PackQuantized;
/// use jarre_quant::{Grid, Int4Groups, Int4Scheme};
///
/// let grid = vec![Grid { scale: 0.5, zero: 8 }];
/// let groups = Int4Groups::from_parts(vec![0, 1, 2, 3, 4, 5, 6, 7], grid, 8, Int4Scheme::symmetric(8))?;
/// assert_eq!(PackQuantized::of(&groups)?.weight_packed, [0x7654_3210]);
/// # Ok::<(), jarre_quant::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PackQuantized {
    /// `[n, ceil(k / 8)]`.
    pub weight_packed: Vec<i32>,
    /// `[n, k / group]`.
    pub weight_scale: Vec<f32>,
    /// `[ceil(n / 8), k / group]`, where groups have zero points.
    pub weight_zero_point: Option<Vec<i32>>,
}

impl PackQuantized {
    /// Those of a layer of `n` outputs and `k` inputs. Last words are filled up with zeros.
    ///
    /// # Errors
    /// [`Error::Code`] where a zero point is above 15, as files of GPTQ may hold it.
    pub fn of(layer: &Int4Groups) -> Result<Self> {
        let (scheme, grid) = (layer.scheme(), layer.grid());
        let groups = layer.columns() / scheme.group;
        let weight_packed = layer.codes().chunks_exact(layer.columns()).flat_map(|row| row.chunks(CODES).map(word)).collect();
        let weight_zero_point = if scheme.zero_point { Some(zero_words(grid, groups)?) } else { None };
        Ok(Self { weight_packed, weight_scale: grid.iter().map(|grid| grid.scale).collect(), weight_zero_point })
    }
}

/// Zero points `[n, groups]` with those of eight outputs in a word.
fn zero_words(grid: &[Grid], groups: usize) -> Result<Vec<i32>> {
    if let Some(beyond) = grid.iter().find(|grid| grid.zero > 15) {
        return Err(Error::Code { what: "zero point", found: beyond.zero });
    }
    let eight = |outputs: &[Grid], group: usize| {
        let zeros: Vec<u8> = outputs.chunks_exact(groups).map(|output| output[group].zero).collect();
        word(&zeros)
    };
    Ok(grid.chunks(CODES * groups).flat_map(|outputs| (0..groups).map(move |group| eight(outputs, group))).collect())
}

/// Up to eight codes, the first one lowest.
fn word(codes: &[u8]) -> i32 {
    codes.iter().enumerate().fold(0_u32, |word, (place, &code)| word | u32::from(code) << (4 * place)).cast_signed()
}
