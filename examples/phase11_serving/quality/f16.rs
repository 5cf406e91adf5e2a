//! A model whose parameters are rounded to half precision (IEEE 754 binary16) and stay in f32: what a checkpoint in f16 holds.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use jarre_transformer::{CausalModel, Device};

/// `model` with every parameter rounded to the nearest number of half precision, ties to even.
pub(super) fn rounded(model: &CausalModel) -> Result<CausalModel> {
    let folder = tempfile::tempdir().context("no folder for the rounded weights")?;
    model.save_pretrained(folder.path())?;
    round_file(&folder.path().join("model.safetensors"))?;
    Ok(CausalModel::from_folder(folder.path(), &Device::default())?)
}

/// Rounds all numbers of a safetensors file of f32: behind the length of the header, in eight bytes, and the header there are numbers alone.
fn round_file(path: &Path) -> Result<()> {
    let mut bytes = fs::read(path)?;
    let (length, rest) = bytes.split_first_chunk_mut::<8>().context("a safetensors file begins with eight bytes")?;
    let header = usize::try_from(u64::from_le_bytes(*length))?;
    ensure!(header <= rest.len(), "a header of {header} bytes in a file that ends before");
    let (numbers, odd) = rest[header..].as_chunks_mut::<4>();
    ensure!(odd.is_empty(), "the weights are no numbers of four bytes");
    for number in numbers {
        let rounded = round(f32::from_le_bytes(*number));
        ensure!(rounded.is_finite(), "a weight is beyond 65504, the largest number of f16");
        *number = rounded.to_le_bytes();
    }
    fs::write(path, bytes)?;
    Ok(())
}

/// The nearest number of half precision, ties to even; infinite from 65520 on.
fn round(x: f32) -> f32 {
    /// The smallest normal number, and the distance of numbers below it.
    const NORMAL: f32 = 1.0 / 16_384.0;
    const STEP: f32 = 1.0 / 16_777_216.0;
    if x.abs() < NORMAL {
        return (x / STEP).round_ties_even() * STEP;
    }
    if x.abs() >= 65_520.0 || x.is_nan() {
        return if x.is_nan() { x } else { f32::INFINITY.copysign(x) };
    }
    // Ten of 23 bits of the fraction stay; a carry moves on into the exponent.
    let bits = x.to_bits();
    f32::from_bits((bits + 0xfff + (bits >> 13 & 1)) & !0x1fff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_as_the_standard_says() {
        let step = 2.0_f32.powi(-10);
        let smallest = 2.0_f32.powi(-24);
        for (x, expected) in [
            (1.0, 1.0),
            (1.0 + 0.5 * step, 1.0),
            (1.0 + 0.500_1 * step, 1.0 + step),
            (1.0 + 1.5 * step, 1.0 + 2.0 * step),
            (2.0 - 0.25 * step, 2.0),
            (0.1, 0.099_975_586),
            (-65_504.0, -65_504.0),
            (65_519.0, 65_504.0),
            (65_520.0, f32::INFINITY),
            (-1e9, f32::NEG_INFINITY),
            (0.5 * smallest, 0.0),
            (1.5 * smallest, 2.0 * smallest),
            (-0.7 * smallest, -smallest),
            (2.0_f32.powi(-14) - 0.25 * smallest, 2.0_f32.powi(-14)),
        ] {
            assert_eq!(round(x).to_bits(), expected.to_bits() | (x.to_bits() & 0x8000_0000), "{x} gives {}", round(x));
        }
        assert!(round(f32::NAN).is_nan());
    }

    #[test]
    fn rounding_keeps_what_is_rounded_and_the_header() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.safetensors");
        let header = br#"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
        let file = |numbers: [f32; 2]| {
            [&(header.len() as u64).to_le_bytes()[..], header, &numbers[0].to_le_bytes(), &numbers[1].to_le_bytes()].concat()
        };
        fs::write(&path, file([0.1, 3.0])).unwrap();
        round_file(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), file([0.099_975_586, 3.0]));
        round_file(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), file([0.099_975_586, 3.0]));
        fs::write(&path, file([1e6, 0.0])).unwrap();
        assert!(round_file(&path).is_err());
    }
}
