//! Functions of one number without a branch and without a call, so that loops over them vectorise.

use std::f32::consts::{FRAC_1_SQRT_2, LN_2, LOG2_E};

/// `1 / sqrt(2 pi)`.
const FRAC_1_SQRT_TAU: f32 = 0.398_942_3;
/// `sqrt(2 / pi)`.
const SQRT_2_OVER_PI: f32 = 0.797_884_6;
/// The coefficient of the cube in GELU's form with the hyperbolic tangent.
const CUBIC: f32 = 0.044_715;

/// `e^x` for x <= 0 within 2e-7 of the value: 2^n times a Taylor polynomial on [-ln 2 / 2, ln 2 / 2]. Below -87 the result is about
/// 1e-38 instead of smaller numbers.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    /// 1.5 * 2^23: adding it rounds a small float to an integer, which then stands in its low bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.max(-87.0);
    let shifted = x * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN_2;
    let poly = 1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0))))));
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    poly * power
}

/// Abramowitz and Stegun, formula 7.1.26: absolute error below 1.5e-7.
#[inline(always)]
fn erf(x: f32) -> f32 {
    let z = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let poly = t * (0.254_829_6 + t * (-0.284_496_72 + t * (1.421_413_8 + t * (-1.453_152_1 + t * 1.061_405_4))));
    (1.0 - poly * exp(-z * z)).copysign(x)
}

#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let t = exp(-2.0 * x.abs());
    ((1.0 - t) / (1.0 + t)).copysign(x)
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    let t = exp(-x.abs());
    let s = 1.0 / (1.0 + t);
    if x >= 0.0 { s } else { t * s }
}

/// `0.5 x (1 + erf(x / sqrt 2))`, which is `y + |y| - |y| erfc(sqrt 2 |y|)` with `y = x / 2`, within 2e-7, of large `x` within 2e-7 of its
/// size.
///
/// As in formula 7.1.28 of Abramowitz and Stegun, `erfc` is one over a power of a polynomial, so that no exponential is needed. Here it is
/// the eighth power, and the coefficients keep the error of the whole function, but for rounding, below 5e-8.
#[inline(always)]
pub(crate) fn gelu(x: f32) -> f32 {
    /// From here on `erfc` counts as nothing beside 1, and its power would not fit.
    const FAR: f32 = 8.0;
    const TERMS: [f32; 8] =
        [0.199_464_99, 0.179_155_2, 0.068_733_05, 0.015_690_595, 0.003_563_235_7, 0.006_245_251_3, -0.002_143_639_8, 0.000_750_717_7];
    let half = 0.5 * x;
    let size = half.abs();
    let y = if size > FAR { FAR } else { size };
    let square = y * y;
    let low = (TERMS[0] + y * TERMS[1]) + square * (TERMS[2] + y * TERMS[3]);
    let high = (TERMS[4] + y * TERMS[5]) + square * (TERMS[6] + y * TERMS[7]);
    let root = 1.0 + y * (low + square * square * high);
    let fourth = (root * root) * (root * root);
    (half + size) - y / (fourth * fourth)
}

/// The derivative of [`gelu`]: `Phi(x) + x phi(x)`.
#[inline(always)]
pub(crate) fn gelu_slope(x: f32) -> f32 {
    0.5 * (1.0 + erf(x * FRAC_1_SQRT_2)) + x * FRAC_1_SQRT_TAU * exp(-0.5 * x * x)
}

/// `0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))`.
#[inline(always)]
pub(crate) fn gelu_tanh(x: f32) -> f32 {
    0.5 * x * (1.0 + tanh(SQRT_2_OVER_PI * (x + CUBIC * x * x * x)))
}

/// The derivative of [`gelu_tanh`].
#[inline(always)]
pub(crate) fn gelu_tanh_slope(x: f32) -> f32 {
    let t = tanh(SQRT_2_OVER_PI * (x + CUBIC * x * x * x));
    0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * SQRT_2_OVER_PI * (1.0 + 3.0 * CUBIC * x * x)
}

/// `x sigmoid(x)`.
#[inline(always)]
pub(crate) fn silu(x: f32) -> f32 {
    x * sigmoid(x)
}

/// The derivative of [`silu`].
#[inline(always)]
pub(crate) fn silu_slope(x: f32) -> f32 {
    let s = sigmoid(x);
    s + x * s * (1.0 - s)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The slope of `f` at `x` from its values in f64, `f` being a reference of high precision.
    fn slope(f: impl Fn(f64) -> f64, x: f32) -> f64 {
        let (x, h) = (f64::from(x), 1e-5);
        (f(x + h) - f(x - h)) / (2.0 * h)
    }

    fn reference_sigmoid(x: f64) -> f64 {
        1.0 / (1.0 + (-x).exp())
    }

    fn reference_gelu_tanh(x: f64) -> f64 {
        0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))).tanh())
    }

    /// `2 / sqrt(pi)` times the integral of `e^-t^2` from `x` on, by Simpson's rule.
    fn reference_erfc(x: f64) -> f64 {
        const PARTS: u32 = 2000;
        let (from, width) = (x.abs(), 8.0 / f64::from(PARTS));
        let term = |i: u32| {
            let weight = if i == 0 || i == PARTS { 1.0 } else { f64::from(2 + 2 * (i % 2)) };
            weight * (-(from + f64::from(i) * width).powi(2)).exp()
        };
        let tail = (0..=PARTS).map(term).sum::<f64>() * width / 3.0 * std::f64::consts::FRAC_2_SQRT_PI;
        if x < 0.0 { 2.0 - tail } else { tail }
    }

    #[test]
    fn gelu_of_what_is_large_or_no_number() {
        for (x, expected) in [(f32::INFINITY, f32::INFINITY), (f32::MAX, f32::MAX), (0.0, 0.0), (1e-45, 0.0)] {
            assert!(gelu(x) >= expected && gelu(x) <= x, "gelu({x}) = {}", gelu(x));
        }
        assert!(gelu(f32::NAN).is_nan() && gelu(-1e30).abs() < 1e-30 && gelu(f32::MIN).abs() < 1e-30);
    }

    proptest! {
        #[test]
        fn exp_is_within_its_bound(x in -200.0_f32..=0.0) {
            let expected = f64::from(x).exp();
            prop_assert!((f64::from(exp(x)) - expected).abs() < 2e-7, "exp({x}) = {} instead of {expected}", exp(x));
        }

        #[test]
        fn sigmoid_and_silu_agree_with_f64(x in -40.0_f32..=40.0) {
            let expected = reference_sigmoid(f64::from(x));
            prop_assert!((f64::from(sigmoid(x)) - expected).abs() < 3e-7);
            prop_assert!((f64::from(silu(x)) - f64::from(x) * expected).abs() < 3e-7 * f64::from(x).abs().max(1.0));
            let expected = slope(|x| x * reference_sigmoid(x), x);
            prop_assert!((f64::from(silu_slope(x)) - expected).abs() < 5e-6, "{} {expected}", silu_slope(x));
        }

        #[test]
        fn gelu_with_tanh_agrees_with_f64(x in -12.0_f32..=12.0) {
            let expected = reference_gelu_tanh(f64::from(x));
            prop_assert!((f64::from(gelu_tanh(x)) - expected).abs() < 5e-7 * f64::from(x).abs().max(1.0));
            let expected = slope(reference_gelu_tanh, x);
            prop_assert!((f64::from(gelu_tanh_slope(x)) - expected).abs() < 5e-6, "{} {expected}", gelu_tanh_slope(x));
        }

        #[test]
        fn gelu_agrees_with_the_error_function(x in -30.0_f32..=30.0) {
            let expected = f64::from(x) * (1.0 - 0.5 * reference_erfc(f64::from(x) / std::f64::consts::SQRT_2));
            prop_assert!((f64::from(gelu(x)) - expected).abs() < 2e-7 * f64::from(x).abs().max(1.0), "gelu({x}) = {}", gelu(x));
        }

        #[test]
        fn the_slope_of_gelu_is_that_of_its_values(x in -6.0_f32..=6.0) {
            let h = 0.02;
            let expected = (gelu(x + h) - gelu(x - h)) / (2.0 * h);
            prop_assert!((gelu_slope(x) - expected).abs() < 2e-4, "{} {expected}", gelu_slope(x));
        }
    }
}
