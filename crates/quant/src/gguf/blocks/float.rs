//! Binary16 and bfloat16. Rounding is to the nearest, ties to even; what is not a number stays so.

const SIGN: u32 = 0x8000_0000;
const INFINITY: u32 = 0x7f80_0000;
/// 2^24: the subnormal numbers of binary16 are multiples of one over it.
const SUBNORMALS_IN_ONE: f32 = 16_777_216.0;
/// The difference between the exponents' biases, 127 - 15.
const BIAS: u32 = 112;

pub(super) fn f16_to_f32(half: u16) -> f32 {
    let wide = u32::from(half);
    let (exponent, fraction) = ((wide >> 10) & 0x1f, wide & 0x3ff);
    let magnitude = match exponent {
        0 => (fraction as f32 / SUBNORMALS_IN_ONE).to_bits(),
        31 => INFINITY | (fraction << 13),
        _ => ((exponent + BIAS) << 23) | (fraction << 13),
    };
    f32::from_bits(((wide << 16) & SIGN) | magnitude)
}

pub(super) fn f32_to_f16(value: f32) -> u16 {
    let magnitude = value.to_bits() & !SIGN;
    let half = match magnitude {
        0..0x3880_0000 => (f32::from_bits(magnitude) * SUBNORMALS_IN_ONE).round_ties_even() as u32,
        // From half the distance beyond the largest number on, it is infinite.
        0x3880_0000..0x477f_f000 => (round_off(magnitude, 13) >> 13) - (BIAS << 10),
        0x477f_f000..=INFINITY => 0x7c00,
        _ => 0x7e00 | ((magnitude >> 13) & 0x3ff),
    };
    (half | ((value.to_bits() & SIGN) >> 16)) as u16
}

pub(super) fn bf16_to_f32(half: u16) -> f32 {
    f32::from_bits(u32::from(half) << 16)
}

pub(super) fn f32_to_bf16(value: f32) -> u16 {
    let bits = value.to_bits();
    if value.is_nan() {
        // Its upper half may be zero, which would be infinity.
        return (bits >> 16) as u16 | 0x40;
    }
    (round_off(bits, 16) >> 16) as u16
}

/// Adds what makes cutting off the lowest bits a rounding to even.
fn round_off(bits: u32, lowest: u32) -> u32 {
    bits + ((1 << (lowest - 1)) - 1) + ((bits >> lowest) & 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What IEEE 754 says that the bits of a binary16 mean.
    fn meaning(half: u16) -> f64 {
        let (exponent, fraction) = (i32::from((half >> 10) & 0x1f), f64::from(half & 0x3ff));
        let magnitude = match exponent {
            0 => fraction * 2f64.powi(-24),
            31 => f64::INFINITY,
            _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
        };
        if half & 0x8000 == 0 { magnitude } else { -magnitude }
    }

    #[test]
    fn every_binary16_is_what_it_means_and_comes_back() {
        for half in 0..=u16::MAX {
            let value = f16_to_f32(half);
            if half & 0x7fff > 0x7c00 {
                assert!(value.is_nan() && f16_to_f32(f32_to_f16(value)).is_nan());
                continue;
            }
            assert_eq!(f64::from(value).to_bits(), meaning(half).to_bits(), "{half:#x}");
            assert_eq!(f32_to_f16(value), half);
        }
    }

    #[test]
    fn between_two_binary16_the_nearer_one_is_taken_and_at_half_way_the_even_one() {
        for half in 0..0x7c00_u16 {
            // Beyond the largest number, infinity stands where the next number would.
            let next = if half == 0x7bff { 65536.0 } else { meaning(half + 1) };
            let middle = f64::midpoint(meaning(half), next) as f32;
            for sign in [0, 0x8000] {
                let signed = |value: f32| if sign == 0 { value } else { -value };
                assert_eq!(f32_to_f16(signed(middle.next_down())), sign | half);
                assert_eq!(f32_to_f16(signed(middle)), sign | (half + half % 2));
                assert_eq!(f32_to_f16(signed(middle.next_up())), sign | (half + 1));
            }
        }
        assert_eq!((f32_to_f16(f32::MAX), f32_to_f16(f32::NEG_INFINITY)), (0x7c00, 0xfc00));
    }

    #[test]
    fn bfloat16_rounds_to_even_and_keeps_what_is_no_number() {
        for (bits, half) in
            [(0x3f80_0000, 0x3f80), (0x3f80_8000, 0x3f80), (0x3f81_8000, 0x3f82), (0x3f80_8001, 0x3f81), (0xff80_0000, 0xff80)]
        {
            assert_eq!(f32_to_bf16(f32::from_bits(bits)), half, "{bits:#x}");
        }
        assert!(bf16_to_f32(f32_to_bf16(f32::from_bits(0x7f80_0001))).is_nan());
        assert_eq!(f32_to_bf16(f32::MAX), 0x7f80);
    }
}
