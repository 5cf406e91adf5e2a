use std::{borrow::Cow, cmp::Ordering};

use crate::{MAX_BITS, error::Fault, natural::Natural, rational::Rational};

/// A number that is known exactly, or a double near it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Number {
    Exact(Rational),
    /// Finite.
    Approximate(f64),
}

impl Number {
    /// The fraction, or the nearest double where it is longer than is kept.
    pub(crate) fn exact(value: Rational) -> Result<Self, Fault> {
        if value.bits() <= MAX_BITS { Ok(Self::Exact(value)) } else { Self::approximate(value.to_f64()) }
    }

    pub(crate) fn approximate(value: f64) -> Result<Self, Fault> {
        match value {
            value if value.is_nan() => Err(Fault::Undefined("no real number is the result")),
            value if value.is_infinite() => Err(Fault::TooLarge),
            value => Ok(Self::Approximate(value)),
        }
    }

    pub(crate) fn to_f64(&self) -> f64 {
        match self {
            Self::Exact(value) => value.to_f64(),
            Self::Approximate(value) => *value,
        }
    }

    /// As a double that an operation on doubles takes: finite.
    pub(crate) fn finite(&self) -> Result<f64, Fault> {
        Some(self.to_f64()).filter(|value| value.is_finite()).ok_or(Fault::TooLarge)
    }

    /// Whether its double is as near as doubles are: neither infinite nor among those that are near zero and short of digits.
    pub(crate) fn fits_a_double(&self) -> bool {
        match self {
            Self::Exact(value) => value.is_zero() || value.to_f64().is_normal(),
            Self::Approximate(_) => true,
        }
    }

    /// As a fraction, also where it is a double.
    pub(crate) fn fraction(&self) -> Cow<'_, Rational> {
        match self {
            Self::Exact(value) => Cow::Borrowed(value),
            Self::Approximate(value) => Cow::Owned(Rational::of_double(*value)),
        }
    }

    pub(crate) fn is_zero(&self) -> bool {
        match self {
            Self::Exact(value) => value.is_zero(),
            Self::Approximate(value) => *value == 0.0,
        }
    }

    pub(crate) fn is_negative(&self) -> bool {
        match self {
            Self::Exact(value) => value.is_negative(),
            Self::Approximate(value) => *value < 0.0,
        }
    }

    /// The exact whole number, where it is one: its sign and its size.
    pub(crate) fn as_whole(&self) -> Option<(bool, &Natural)> {
        match self {
            Self::Exact(value) if value.is_whole() => Some((value.is_negative(), value.numerator())),
            _ => None,
        }
    }

    /// How much memory and work it stands for.
    pub(crate) fn limbs(&self) -> usize {
        match self {
            Self::Exact(value) => value.numerator().limbs() + value.denominator().limbs(),
            Self::Approximate(_) => 2,
        }
    }

    pub(crate) fn negated(self) -> Self {
        match self {
            Self::Exact(value) => Self::Exact(value.negated()),
            Self::Approximate(value) => Self::Approximate(-value),
        }
    }

    pub(crate) fn abs(self) -> Self {
        if self.is_negative() { self.negated() } else { self }
    }

    pub(crate) fn add(&self, other: &Self) -> Result<Self, Fault> {
        self.both(other, Rational::add, |left, right| left + right)
    }

    pub(crate) fn mul(&self, other: &Self) -> Result<Self, Fault> {
        self.both(other, Rational::mul, |left, right| left * right)
    }

    pub(crate) fn div(&self, other: &Self) -> Result<Self, Fault> {
        match (self, other) {
            (_, other) if other.is_zero() => Err(Fault::DivisionByZero),
            (Self::Exact(left), Self::Exact(right)) => Self::exact(left.mul(&right.inverse().ok_or(Fault::DivisionByZero)?)),
            (left, right) if left.fits_a_double() && right.fits_a_double() => Self::approximate(left.to_f64() / right.to_f64()),
            // The quotient of one that no double holds may be one that a double does.
            (left, right) => Self::approximate(left.fraction().mul(&right.fraction().inverse().ok_or(Fault::DivisionByZero)?).to_f64()),
        }
    }

    /// What is left of the division that is rounded down: it has the sign of the divisor.
    pub(crate) fn modulo(&self, other: &Self) -> Result<Self, Fault> {
        if other.is_zero() {
            return Err(Fault::DivisionByZero);
        }
        if let (Self::Exact(_), Self::Exact(_)) = (self, other) {
            return match self.div(other)?.floor() {
                whole @ Self::Exact(_) => self.add(&whole.mul(other)?.negated()),
                Self::Approximate(_) => Err(Fault::TooLarge),
            };
        }
        let (left, right) = (self.finite()?, other.finite()?);
        let rest = left % right;
        Self::approximate(if rest != 0.0 && (rest < 0.0) != (right < 0.0) { rest + right } else { rest })
    }

    pub(crate) fn floor(self) -> Self {
        match self {
            Self::Exact(value) => Self::Exact(value.floor()),
            Self::Approximate(value) => Self::Approximate(value.floor()),
        }
    }

    /// Which is larger; of an exact number and a double, as doubles.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Exact(left), Self::Exact(right)) => left.cmp(right),
            _ => self.to_f64().total_cmp(&other.to_f64()),
        }
    }

    fn both(
        &self,
        other: &Self,
        exact: impl FnOnce(&Rational, &Rational) -> Rational,
        approximate: impl FnOnce(f64, f64) -> f64,
    ) -> Result<Self, Fault> {
        match (self, other) {
            (Self::Exact(left), Self::Exact(right)) => Self::exact(exact(left, right)),
            _ => Self::approximate(approximate(self.finite()?, other.finite()?)),
        }
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self::Exact(Rational::whole(Natural::from(value)))
    }
}
