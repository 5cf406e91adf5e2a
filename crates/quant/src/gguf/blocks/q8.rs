use super::{half_at, inverse};

const LEN: usize = 32;
const BYTES: usize = 2 + LEN;

/// A `Q8_0` tensor in parts: element `i` is `scales[i / 32] * quants[i]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Q8_0Blocks {
    /// One for each block of 32 elements, in order.
    pub scales: Vec<f32>,
    /// One for each element, in order.
    pub quants: Vec<i8>,
}

impl Q8_0Blocks {
    /// Appends whole blocks.
    pub(in crate::gguf) fn extend(&mut self, bytes: &[u8]) {
        for block in bytes.as_chunks::<BYTES>().0 {
            self.scales.push(half_at(block));
            self.quants.extend(block[2..].iter().map(|byte| byte.cast_signed()));
        }
    }
}

pub(super) fn dequantize_q8_0(block: &[u8; BYTES], out: &mut [f32; LEN]) {
    let scale = half_at(block);
    for (to, byte) in out.iter_mut().zip(&block[2..]) {
        *to = scale * f32::from(byte.cast_signed());
    }
}

/// The scale, which maps the largest magnitude to 127, and the quotients, rounded half away from zero.
pub(super) fn quantize_q8_0(values: &[f32; LEN]) -> (f32, [u8; LEN]) {
    let largest = values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let scale = largest / 127.0;
    let inverse = inverse(scale);
    (scale, values.map(|value| ((value * inverse).round() as i8).cast_unsigned()))
}
