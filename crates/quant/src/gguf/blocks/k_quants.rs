//! Blocks of 256 with scales in two stages: binary16 for the block, integers of 6 or 8 bits for its groups.

use super::half_at;

const LEN: usize = 256;
const GROUP: usize = 32;
const SCALES: usize = 12;
const Q4_K: usize = 2 + 2 + SCALES + LEN / 2;
const Q5_K: usize = 2 + 2 + SCALES + LEN / 8 + LEN / 2;
const Q6_K: usize = LEN / 2 + LEN / 4 + LEN / 16 + 2;

pub(super) fn dequantize_q4_k(block: &[u8; Q4_K], out: &mut [f32; LEN]) {
    let (head, quants) = block.split_at(4 + SCALES);
    for (group, to) in out.as_chunks_mut::<GROUP>().0.iter_mut().enumerate() {
        let (scale, least) = scale_and_minimum(head, group);
        for (place, to) in to.iter_mut().enumerate() {
            *to = scale * f32::from(nibble(quants, group, place)) - least;
        }
    }
}

pub(super) fn dequantize_q5_k(block: &[u8; Q5_K], out: &mut [f32; LEN]) {
    let (head, rest) = block.split_at(4 + SCALES);
    let (fifth, quants) = rest.split_at(LEN / 8);
    for (group, to) in out.as_chunks_mut::<GROUP>().0.iter_mut().enumerate() {
        let (scale, least) = scale_and_minimum(head, group);
        for (place, to) in to.iter_mut().enumerate() {
            let quant = nibble(quants, group, place) | (((fifth[place] >> group) & 1) << 4);
            *to = scale * f32::from(quant) - least;
        }
    }
}

pub(super) fn dequantize_q6_k(block: &[u8; Q6_K], out: &mut [f32; LEN]) {
    let (lower, rest) = block.split_at(LEN / 2);
    let (upper, rest) = rest.split_at(LEN / 4);
    let (scales, scale) = rest.split_at(LEN / 16);
    let scale = half_at(scale);
    for (index, to) in out.iter_mut().enumerate() {
        // Two halves of four groups of 32; in a half, groups 0 and 1 are the lower nibbles of 64 bytes and groups 2 and 3 the upper ones,
        // and byte `place` of the upper bits has two bits for each group.
        let (half, group, place) = (index / 128, index / 32 % 4, index % 32);
        let low = (lower[64 * half + 32 * (group % 2) + place] >> (4 * (group / 2))) & 15;
        let high = (upper[32 * half + place] >> (2 * group)) & 3;
        let quant = f32::from(low | (high << 4)) - 32.0;
        *to = (scale * f32::from(scales[index / 16].cast_signed())) * quant;
    }
}

/// The lower four bits of an element: pairs of groups share 32 bytes, the first in the lower nibbles.
fn nibble(quants: &[u8], group: usize, place: usize) -> u8 {
    (quants[GROUP * (group / 2) + place] >> (4 * (group % 2))) & 15
}

/// Scale and minimum of a group of 32: those of the block times integers of 6 bits.
///
/// The integers of the first four groups are the lower six bits of bytes 0 to 3 (scales) and 4 to 7 (minima). Those of the last four have
/// their lower four bits in the nibbles of bytes 8 to 11, scale before minimum, and their upper two in the upper bits of bytes 0 to 7.
fn scale_and_minimum(head: &[u8], group: usize) -> (f32, f32) {
    let packed = &head[4..];
    let (scale, least) = if group < 4 {
        (packed[group] & 63, packed[group + 4] & 63)
    } else {
        let (lower, scale_top, least_top) = (packed[group + 4], packed[group - 4] >> 6, packed[group] >> 6);
        ((lower & 15) | (scale_top << 4), (lower >> 4) | (least_top << 4))
    };
    (half_at(head) * f32::from(scale), half_at(&head[2..]) * f32::from(least))
}
