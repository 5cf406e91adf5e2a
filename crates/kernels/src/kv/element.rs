//! How a number of the cache is kept.

use super::simd::Widen;

/// Adding `1.5 * 2^23` rounds a small number to the nearest integer, ties to even, which then stands in its low bits.
const ROUND: f32 = 12_582_912.0;

/// The bits of a bfloat16, the upper half of an f32.
pub(super) type Bf16 = u16;

/// A number of the cache, which vectors of f32 are widened from.
pub(super) trait Element: Copy + Default + Send + Sync {
    /// Whether a row has a scale.
    const SCALED: bool;

    /// Writes a row and gives back its scale, 1 where there is none.
    fn encode(row: &[f32], out: &mut [Self]) -> f32;

    fn decode(self, scale: f32) -> f32;

    /// The first numbers of a slice that has enough of them, without their scale.
    fn load<S: Widen>(simd: S, values: &[Self]) -> S::Vector;
}

impl Element for f32 {
    const SCALED: bool = false;

    fn encode(row: &[f32], out: &mut [Self]) -> f32 {
        out.copy_from_slice(row);
        1.0
    }

    fn decode(self, _scale: f32) -> f32 {
        self
    }

    #[inline(always)]
    fn load<S: Widen>(simd: S, values: &[Self]) -> S::Vector {
        simd.load(values)
    }
}

impl Element for Bf16 {
    const SCALED: bool = false;

    fn encode(row: &[f32], out: &mut [Self]) -> f32 {
        out.iter_mut().zip(row).for_each(|(out, x)| *out = bf16(*x));
        1.0
    }

    fn decode(self, _scale: f32) -> f32 {
        f32::from_bits(u32::from(self) << 16)
    }

    #[inline(always)]
    fn load<S: Widen>(simd: S, values: &[Self]) -> S::Vector {
        simd.load_bf16(values)
    }
}

/// The nearest bfloat16, ties to even; no number stays none.
fn bf16(x: f32) -> Bf16 {
    let bits = x.to_bits();
    let rounded = bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16;
    if x.is_nan() { (bits >> 16 | 0x40) as u16 } else { rounded as u16 }
}

impl Element for i8 {
    const SCALED: bool = true;

    /// The scale is `max |x| / 127`; NaN where a value is not finite.
    fn encode(row: &[f32], out: &mut [Self]) -> f32 {
        let largest = f32::from_bits(row.iter().fold(0, |largest, x| largest.max(x.abs().to_bits())));
        let inverse = 127.0 / largest;
        if !largest.is_finite() || !inverse.is_finite() {
            out.fill(0);
            return if largest.is_finite() { 0.0 } else { f32::NAN };
        }
        out.iter_mut().zip(row).for_each(|(out, x)| *out = (x * inverse + ROUND).to_bits() as i8);
        largest / 127.0
    }

    fn decode(self, scale: f32) -> f32 {
        f32::from(self) * scale
    }

    #[inline(always)]
    fn load<S: Widen>(simd: S, values: &[Self]) -> S::Vector {
        simd.load_i8(values)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// No other bfloat16 is nearer: its error is at most half of the distance between neighbours.
        #[test]
        fn bf16_is_the_nearest(bits in any::<u32>()) {
            let x = f32::from_bits(bits);
            let kept = bf16(x).decode(1.0);
            prop_assert_eq!(x.is_nan(), kept.is_nan());
            if x.is_finite() && kept.is_finite() {
                let next = f32::from_bits(kept.abs().to_bits() + 0x1_0000);
                prop_assert!((f64::from(x) - f64::from(kept)).abs() <= (f64::from(next) - f64::from(kept.abs())) / 2.0);
            }
        }

        #[test]
        fn integers_are_within_half_a_scale(row in prop::collection::vec(-1e3_f32..1e3, 1..40)) {
            let mut out = vec![0_i8; row.len()];
            let scale = i8::encode(&row, &mut out);
            for (out, x) in out.iter().zip(&row) {
                prop_assert!((out.decode(scale) - x).abs() <= scale * 0.5001);
            }
        }
    }

    #[test]
    fn ties_of_bf16_go_to_even() {
        let bits = [0x3f80_8000, 0x3f81_8000, 0x7f7f_ffff, 0xff80_0000].map(|bits| bf16(f32::from_bits(bits)));
        assert_eq!(bits, [0x3f80, 0x3f82, 0x7f80, 0xff80]);
    }
}
