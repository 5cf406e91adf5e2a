use super::half_at;

const LEN: usize = 32;
const HALF: usize = LEN / 2;
const Q5_0: usize = 2 + 4 + HALF;
const Q5_1: usize = 2 + 2 + 4 + HALF;

pub(super) fn dequantize_q5_0(block: &[u8; Q5_0], out: &mut [f32; LEN]) {
    let scale = half_at(block);
    for (to, quant) in out.iter_mut().zip(quants(&block[2..])) {
        *to = scale * (f32::from(quant) - 16.0);
    }
}

pub(super) fn dequantize_q5_1(block: &[u8; Q5_1], out: &mut [f32; LEN]) {
    let (scale, least) = (half_at(block), half_at(&block[2..]));
    for (to, quant) in out.iter_mut().zip(quants(&block[4..])) {
        *to = scale * f32::from(quant) + least;
    }
}

/// Integers from 0 to 31: their fifth bits in 4 bytes, then the lower ones, of elements `j` and `j + 16` in byte `j`.
fn quants(bytes: &[u8]) -> [u8; LEN] {
    let (fifth, lower) = bytes.split_at(4);
    let fifth = |place: usize| ((fifth[place / 8] >> (place % 8)) & 1) << 4;
    std::array::from_fn(|place| if place < HALF { lower[place] & 15 } else { lower[place - HALF] >> 4 } | fifth(place))
}
