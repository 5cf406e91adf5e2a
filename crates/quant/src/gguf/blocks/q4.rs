use super::{half_at, inverse};

const LEN: usize = 32;
const HALF: usize = LEN / 2;
const Q4_0: usize = 2 + HALF;
const Q4_1: usize = 2 + 2 + HALF;

/// A `Q4_0` tensor in parts: element `i` is `scales[i / 32]` times an integer from -8 to 7.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Q4_0Blocks {
    /// One for each block of 32 elements, in order.
    pub scales: Vec<f32>,
    /// 16 bytes for each block, as in the file: byte `j` of a block has element `j` in its lower half and element `j + 16` in its upper one,
    /// both plus 8.
    pub nibbles: Vec<u8>,
}

impl Q4_0Blocks {
    /// The integers from -8 to 7, one for each element, in order.
    pub fn quants(&self) -> impl Iterator<Item = i8> {
        let signed = |nibble: u8| nibble.cast_signed() - 8;
        self.nibbles.as_chunks::<HALF>().0.iter().flat_map(move |block| {
            let lower = block.iter().map(move |byte| signed(byte & 15));
            lower.chain(block.iter().map(move |byte| signed(byte >> 4)))
        })
    }

    /// Appends whole blocks.
    pub(in crate::gguf) fn extend(&mut self, bytes: &[u8]) {
        for block in bytes.as_chunks::<Q4_0>().0 {
            self.scales.push(half_at(block));
            self.nibbles.extend_from_slice(&block[2..]);
        }
    }
}

pub(super) fn dequantize_q4_0(block: &[u8; Q4_0], out: &mut [f32; LEN]) {
    let scale = half_at(block);
    for (place, byte) in block[2..].iter().enumerate() {
        out[place] = scale * (f32::from(byte & 15) - 8.0);
        out[place + HALF] = scale * (f32::from(byte >> 4) - 8.0);
    }
}

pub(super) fn dequantize_q4_1(block: &[u8; Q4_1], out: &mut [f32; LEN]) {
    let (scale, least) = (half_at(block), half_at(&block[2..]));
    for (place, byte) in block[4..].iter().enumerate() {
        out[place] = scale * f32::from(byte & 15) + least;
        out[place + HALF] = scale * f32::from(byte >> 4) + least;
    }
}

/// The scale, which maps the value of the largest magnitude to -8, and the quotients plus 8, rounded half up and capped at 15.
pub(super) fn quantize_q4_0(values: &[f32; LEN]) -> (f32, [u8; HALF]) {
    let extreme = values.iter().fold(values[0], |extreme, &value| if value.abs() > extreme.abs() { value } else { extreme });
    let scale = extreme / -8.0;
    let inverse = inverse(scale);
    let quant = |value: f32| ((value * inverse + 8.5) as u8).min(15);
    (scale, std::array::from_fn(|place| quant(values[place]) | (quant(values[place + HALF]) << 4)))
}
