//! Sums of exponentials over a vocabulary: plain arithmetic that the compiler turns into vector code, so that a sum gives the same bits on
//! every machine, and the same seed the same tokens.

/// Below this the result is no longer a normal number; 0 is taken for it.
const LOWEST: f32 = -87.0;

/// Terms that are computed together.
const BLOCK: usize = 128;

/// e to the power of `x`, for `x` up to 88: relative error below 2e-7; 0 below -87.
///
/// `x = n ln 2 + r` with a whole `n`, so that `e^x = 2^n e^r`, and `|r| <= ln 2 / 2` leaves 5e-9 to a Taylor series of eight terms.
#[inline]
pub(super) fn exp(x: f32) -> f32 {
    /// Adding 1.5 * 2^23 rounds to whole numbers and leaves them in the low bits.
    const SHIFT: f32 = 12_582_912.0;
    /// ln 2 in two parts, of which the first has few enough bits for an exact product with n.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    /// One over the factorials of 7 to 0.
    const TAYLOR: [f32; 8] = [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let bounded = if x < LOWEST { LOWEST } else { x };
    let shifted = bounded * std::f32::consts::LOG2_E + SHIFT;
    let n = shifted - SHIFT;
    let r = bounded - n * LN_2[0] - n * LN_2[1];
    let series = TAYLOR[1..].iter().fold(TAYLOR[0], |sum, term| sum * r + term);
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    if x < LOWEST { 0.0 } else { series * power }
}

/// The sum of `term` over `items`: terms in `f32`, their sum in `f64`, in eight lanes.
#[inline]
pub(super) fn sum<T>(items: &[T], term: impl Fn(&T) -> f32) -> f64 {
    let mut lanes = [0.0; 8];
    for items in items.chunks(BLOCK) {
        for terms in block(items, &term).chunks_exact(8) {
            for (lane, &term) in lanes.iter_mut().zip(terms) {
                *lane += f64::from(term);
            }
        }
    }
    lanes.iter().sum()
}

/// Calls `visit` with each item and e to the power of its `exponent`.
#[inline]
pub(super) fn for_each_exp<T>(items: &[T], exponent: impl Fn(&T) -> f32, mut visit: impl FnMut(&T, f32)) {
    for items in items.chunks(BLOCK) {
        for (item, exp) in items.iter().zip(block(items, |item| exp(exponent(item)))) {
            visit(item, exp);
        }
    }
}

/// Terms by themselves, with nothing between them, are what the compiler makes vector code of. Zeros follow where items are few.
#[inline]
fn block<T>(items: &[T], term: impl Fn(&T) -> f32) -> [f32; BLOCK] {
    let mut terms = [0.0; BLOCK];
    for (slot, item) in terms.iter_mut().zip(items) {
        *slot = term(item);
    }
    terms
}

/// The highest `value` of `items`, in eight lanes; negative infinity where there are none. NaN is passed over.
#[inline]
pub(super) fn max<T>(items: &[T], value: impl Fn(&T) -> f32) -> f32 {
    let higher = |a: f32, b: f32| if b > a { b } else { a };
    let chunks = items.chunks_exact(8);
    let rest = chunks.remainder().iter().map(&value).fold(f32::NEG_INFINITY, higher);
    let mut lanes = [f32::NEG_INFINITY; 8];
    for chunk in chunks {
        for (lane, item) in lanes.iter_mut().zip(chunk) {
            *lane = higher(*lane, value(item));
        }
    }
    lanes.into_iter().fold(rest, higher)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "one, zero and small whole numbers are exact")]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_that_of_the_standard_library() {
        let worst = (-870_000..=880_000).map(|i| i as f32 / 1e4).fold(0.0_f64, |worst, x| {
            let exact = f64::from(x).exp();
            worst.max((f64::from(exp(x)) - exact).abs() / exact)
        });
        assert!(worst < 2e-7, "{worst}");
        assert_eq!([exp(0.0), exp(-87.1), exp(-1e30), exp(f32::NEG_INFINITY)], [1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn sums_take_every_item_once_and_maxima_miss_none() {
        for len in (0..40).chain([BLOCK as u16 - 1, BLOCK as u16, 300]) {
            let items: Vec<u16> = (1..=len).collect();
            let len = f32::from(len);
            assert_eq!(sum(&items, |&item| f32::from(item)), f64::from(len * (len + 1.0) / 2.0));
            for &place in &items {
                let height = |item: &u16| if *item == place { len } else { f32::NAN };
                assert_eq!(max(&items, height), len);
            }
        }
        assert_eq!(max(&[0_u8; 0], |_| 0.0), f32::NEG_INFINITY);
    }
}
