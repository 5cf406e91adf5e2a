use std::cmp::Ordering;

use crate::natural::Natural;

/// A fraction in lowest terms; zero is not negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rational {
    negative: bool,
    numerator: Natural,
    /// Not zero.
    denominator: Natural,
}

impl Rational {
    /// The fraction; `denominator` is not zero.
    pub(crate) fn new(negative: bool, numerator: Natural, denominator: Natural) -> Self {
        if denominator.is_one() {
            return Self { negative: negative && !numerator.is_zero(), numerator, denominator };
        }
        let common = numerator.gcd(&denominator);
        let (numerator, denominator) = (numerator.div_rem(&common).0, denominator.div_rem(&common).0);
        Self { negative: negative && !numerator.is_zero(), numerator, denominator }
    }

    pub(crate) fn whole(numerator: Natural) -> Self {
        Self { negative: false, numerator, denominator: Natural::one() }
    }

    /// What a double is; 0 for one that is not finite.
    pub(crate) fn of_double(value: f64) -> Self {
        if !value.is_finite() {
            return Self::whole(Natural::default());
        }
        let bits = value.abs().to_bits();
        let (digits, power) = (bits & ((1 << 52) - 1), bits >> 52);
        // Below the smallest power the leading bit is not implied.
        let (digits, power) = if power == 0 { (digits, 1) } else { (digits | 1 << 52, power as usize) };
        let (up, down) = (power.saturating_sub(1075), 1075_usize.saturating_sub(power));
        Self::new(value < 0.0, Natural::from(digits).shl(up), Natural::one().shl(down))
    }

    pub(crate) fn numerator(&self) -> &Natural {
        &self.numerator
    }

    pub(crate) fn denominator(&self) -> &Natural {
        &self.denominator
    }

    pub(crate) fn is_negative(&self) -> bool {
        self.negative
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.numerator.is_zero()
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.denominator.is_one()
    }

    /// Bits of the longer of numerator and denominator.
    pub(crate) fn bits(&self) -> usize {
        self.numerator.bits().max(self.denominator.bits())
    }

    pub(crate) fn negated(self) -> Self {
        Self { negative: !self.negative && !self.numerator.is_zero(), ..self }
    }

    pub(crate) fn add(&self, other: &Self) -> Self {
        let left = self.numerator.mul(&other.denominator);
        let right = other.numerator.mul(&self.denominator);
        let denominator = self.denominator.mul(&other.denominator);
        if self.negative == other.negative {
            return Self::new(self.negative, left.add(&right), denominator);
        }
        match left.cmp(&right) {
            Ordering::Less => Self::new(other.negative, right.sub(&left), denominator),
            _ => Self::new(self.negative, left.sub(&right), denominator),
        }
    }

    pub(crate) fn mul(&self, other: &Self) -> Self {
        let numerator = self.numerator.mul(&other.numerator);
        Self::new(self.negative != other.negative, numerator, self.denominator.mul(&other.denominator))
    }

    /// `None` for zero.
    pub(crate) fn inverse(&self) -> Option<Self> {
        let turned = || Self { negative: self.negative, numerator: self.denominator.clone(), denominator: self.numerator.clone() };
        (!self.is_zero()).then(turned)
    }

    pub(crate) fn pow(&self, exponent: u32) -> Self {
        let negative = self.negative && exponent % 2 == 1;
        // Powers of numbers without a common divisor have none either.
        Self { negative, numerator: self.numerator.pow(exponent), denominator: self.denominator.pow(exponent) }
    }

    /// The largest whole number that is not larger.
    pub(crate) fn floor(&self) -> Self {
        let (quotient, rest) = self.numerator.div_rem(&self.denominator);
        let down = self.negative && !rest.is_zero();
        let numerator = if down { quotient.add(&Natural::one()) } else { quotient };
        Self::new(self.negative, numerator, Natural::one())
    }

    /// The nearest double, ties to even.
    pub(crate) fn to_f64(&self) -> f64 {
        if self.is_zero() {
            return 0.0;
        }
        // A quotient of 64 or 65 bits, with a last bit for what was cut off, rounds as the fraction does.
        let shift = 65 + self.denominator.bits() as i64 - self.numerator.bits() as i64;
        let up = self.numerator.shl(shift.max(0) as usize);
        let down = self.denominator.shl((-shift).max(0) as usize);
        let (quotient, rest) = up.div_rem(&down);
        let quotient = quotient.to_u128().expect("a quotient of at most 66 bits fits") << 1 | u128::from(!rest.is_zero());
        let size = scaled(quotient as f64, -shift - 1);
        if self.negative { -size } else { size }
    }
}

impl Ord for Rational {
    fn cmp(&self, other: &Self) -> Ordering {
        let sizes = || self.numerator.mul(&other.denominator).cmp(&other.numerator.mul(&self.denominator));
        match (self.negative, other.negative) {
            (false, false) => sizes(),
            (true, true) => sizes().reverse(),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Rational {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// `value` times two to the power `exponent`, in steps that stay within a double's range as long as the result does.
pub(crate) fn scaled(mut value: f64, exponent: i64) -> f64 {
    let mut left = exponent.clamp(-10_000, 10_000) as i32;
    while left != 0 {
        let step = left.clamp(-1000, 1000);
        value *= 2f64.powi(step);
        left -= step;
    }
    value
}

/// Ten to the power `exponent`.
pub(crate) fn ten_to(exponent: u32) -> Natural {
    Natural::from(10).pow(exponent)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(value: i64) -> Rational {
        Rational::new(value < 0, Natural::from(value.unsigned_abs()), Natural::one())
    }

    proptest! {
        #[test]
        fn quotients_of_exact_doubles_round_as_doubles_do(left in 1i64..1 << 53, right in 1i64..1 << 53) {
            let fraction = whole(left).mul(&whole(right).inverse().unwrap());
            prop_assert_eq!(fraction.to_f64().total_cmp(&(left as f64 / right as f64)), Ordering::Equal);
        }

        #[test]
        fn fractions_are_ordered_as_their_products(a in -999i64..999, b in 1i64..999, c in -999i64..999, d in 1i64..999) {
            let (left, right) = (whole(a).mul(&whole(b).inverse().unwrap()), whole(c).mul(&whole(d).inverse().unwrap()));
            prop_assert_eq!(left.cmp(&right), (a * d).cmp(&(c * b)));
            prop_assert_eq!(left.floor(), whole(a.div_euclid(b)));
        }
    }

    #[test]
    fn a_double_is_a_fraction() {
        for value in [0.0, 1.0, -0.1, 1e300, -3e-310, f64::MAX, f64::MIN_POSITIVE, f64::from_bits(1)] {
            assert_eq!(Rational::of_double(value).to_f64().to_bits(), value.to_bits(), "{value}");
        }
        assert_eq!(Rational::of_double(-0.75), Rational::new(true, Natural::from(3), Natural::from(4)));
    }

    #[test]
    fn far_numbers_are_zero_and_infinite() {
        let power = |bits| Rational::whole(Natural::one().shl(bits));
        let cases = [
            (power(5000), f64::INFINITY),
            (power(5000).inverse().unwrap().negated(), -0.0),
            (power(1023), 2f64.powi(1023)),
            (power(1074).inverse().unwrap(), f64::from_bits(1)),
        ];
        for (fraction, nearest) in cases {
            assert_eq!(fraction.to_f64().to_bits(), nearest.to_bits(), "{nearest}");
        }
    }
}
