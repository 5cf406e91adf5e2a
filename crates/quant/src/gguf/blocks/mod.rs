//! The block formats of ggml, one family a file. All scales are binary16, all numbers little-endian.
//!
//! Products and sums are in `f32` and in the order of ggml's reference, so that values agree bit by bit.

mod float;
mod k_quants;
mod q4;
mod q5;
mod q8;

pub use q4::Q4_0Blocks;
pub use q8::Q8_0Blocks;

use super::TensorType;

/// Appends the values of whole blocks to `out`.
pub(super) fn dequantize(tensor_type: TensorType, bytes: &[u8], out: &mut Vec<f32>) {
    match tensor_type {
        TensorType::F32 => each(bytes, out, |value, [to]| *to = f32::from_le_bytes(*value)),
        TensorType::F16 => each(bytes, out, |half, [to]| *to = float::f16_to_f32(u16::from_le_bytes(*half))),
        TensorType::BF16 => each(bytes, out, |half, [to]| *to = float::bf16_to_f32(u16::from_le_bytes(*half))),
        TensorType::Q8_0 => each(bytes, out, q8::dequantize_q8_0),
        TensorType::Q4_0 => each(bytes, out, q4::dequantize_q4_0),
        TensorType::Q4_1 => each(bytes, out, q4::dequantize_q4_1),
        TensorType::Q5_0 => each(bytes, out, q5::dequantize_q5_0),
        TensorType::Q5_1 => each(bytes, out, q5::dequantize_q5_1),
        TensorType::Q4K => each(bytes, out, k_quants::dequantize_q4_k),
        TensorType::Q5K => each(bytes, out, k_quants::dequantize_q5_k),
        TensorType::Q6K => each(bytes, out, k_quants::dequantize_q6_k),
    }
}

/// A value that a type cannot hold.
#[derive(Debug, PartialEq)]
pub(super) struct Unfit {
    /// Its position among the values, or that of the first of its block.
    pub(super) index: usize,
    pub(super) reason: String,
}

/// Appends the blocks of values to `out`; `None` for types that are only read.
///
/// The number of values is a multiple of the block.
pub(super) fn quantize(tensor_type: TensorType, values: &[f32], out: &mut Vec<u8>) -> Option<Result<(), Unfit>> {
    match tensor_type {
        TensorType::F32 => out.extend(values.iter().flat_map(|value| value.to_le_bytes())),
        TensorType::F16 => return Some(narrow(values, out, float::f32_to_f16, float::f16_to_f32)),
        TensorType::BF16 => return Some(narrow(values, out, float::f32_to_bf16, float::bf16_to_f32)),
        TensorType::Q8_0 => return Some(quantize_each(values, out, q8::quantize_q8_0)),
        TensorType::Q4_0 => return Some(quantize_each(values, out, q4::quantize_q4_0)),
        _ => return None,
    }
    Some(Ok(()))
}

fn each<const B: usize, const N: usize>(bytes: &[u8], out: &mut Vec<f32>, block: impl Fn(&[u8; B], &mut [f32; N])) {
    for chunk in bytes.as_chunks().0 {
        let mut values = [0.0; N];
        block(chunk, &mut values);
        out.extend_from_slice(&values);
    }
}

fn narrow(values: &[f32], out: &mut Vec<u8>, to: fn(f32) -> u16, from: fn(u16) -> f32) -> Result<(), Unfit> {
    for (index, &value) in values.iter().enumerate() {
        let half = to(value);
        if value.is_finite() && !from(half).is_finite() {
            return Err(Unfit { index, reason: format!("{value} is too large for the type; choose F32") });
        }
        out.extend(half.to_le_bytes());
    }
    Ok(())
}

fn quantize_each<const B: usize, const N: usize>(
    values: &[f32],
    out: &mut Vec<u8>,
    block: impl Fn(&[f32; N]) -> (f32, [u8; B]),
) -> Result<(), Unfit> {
    for (number, chunk) in values.as_chunks::<N>().0.iter().enumerate() {
        if let Some(place) = chunk.iter().position(|value| !value.is_finite()) {
            return Err(Unfit { index: number * N + place, reason: format!("{} cannot be quantised", chunk[place]) });
        }
        let (scale, quants) = block(chunk);
        let half = float::f32_to_f16(scale);
        if !float::f16_to_f32(half).is_finite() {
            let reason = format!("the scale {scale} of its block is too large for binary16; choose F32 or BF16");
            return Err(Unfit { index: number * N, reason });
        }
        out.extend(half.to_le_bytes());
        out.extend(quants);
    }
    Ok(())
}

/// The binary16 at the beginning of some bytes.
fn half_at(bytes: &[u8]) -> f32 {
    float::f16_to_f32(u16::from_le_bytes([bytes[0], bytes[1]]))
}

/// One over a scale, and 0 where that is infinite: quotients by such a scale vanish anyway once it is rounded to binary16.
fn inverse(scale: f32) -> f32 {
    let inverse = 1.0 / scale;
    if inverse.is_finite() { inverse } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantized(one: TensorType, values: &[f32]) -> Result<Vec<u8>, Unfit> {
        let mut bytes = Vec::new();
        quantize(one, values, &mut bytes).unwrap().map(|()| bytes)
    }

    #[test]
    fn what_a_type_cannot_hold_is_named() {
        let mut values = vec![1.0; 64];
        values[40] = f32::NAN;
        for one in [TensorType::Q8_0, TensorType::Q4_0] {
            assert_eq!(quantized(one, &values).unwrap_err().index, 40);
        }
        assert_eq!(quantized(TensorType::F16, &values).unwrap().len(), 128);
        values[40] = 1e30;
        for one in [TensorType::Q8_0, TensorType::Q4_0] {
            assert_eq!(quantized(one, &values).unwrap_err().index, 32);
        }
        assert_eq!(quantized(TensorType::F16, &values).unwrap_err().index, 40);
        assert_eq!(quantized(TensorType::BF16, &values).unwrap().len(), 128);
        assert!(quantize(TensorType::Q6K, &[0.0; 256], &mut Vec::new()).is_none());
    }

    #[test]
    fn scales_that_vanish_leave_zeros() {
        for one in [TensorType::Q8_0, TensorType::Q4_0] {
            let bytes = quantized(one, &[f32::from_bits(3); 32]).unwrap();
            let mut values = Vec::new();
            dequantize(one, &bytes, &mut values);
            assert_eq!(values, [0.0; 32]);
        }
    }
}
