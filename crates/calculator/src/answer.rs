use std::fmt;

use crate::{
    natural::Natural,
    number::Number,
    rational::{Rational, ten_to},
};

/// The most decimals in which a fraction is written out whole.
const DECIMALS: usize = 30;

/// What an expression comes to.
///
/// Displayed exactly where it is exact: as a whole number, as a decimal where at most 30 decimals tell all of it, as `1/3 ≈ 0.3333333333333333`
/// otherwise. What is not exact is displayed as `≈` and the shortest decimal that reads as the same double.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer(Number);

impl Answer {
    pub(crate) fn new(number: Number) -> Self {
        Self(number)
    }

    /// Whether nothing was rounded on the way.
    pub fn is_exact(&self) -> bool {
        matches!(self.0, Number::Exact(_))
    }

    /// The nearest double; infinite where an exact number is beyond.
    pub fn to_f64(&self) -> f64 {
        self.0.to_f64()
    }

    /// The whole number, where it is exact, whole and fits.
    pub fn to_i128(&self) -> Option<i128> {
        let (negative, size) = self.0.as_whole()?;
        let size = i128::try_from(size.to_u128()?).ok()?;
        Some(if negative { -size } else { size })
    }

    /// Numerator and denominator in lowest terms, in decimal, where it is exact.
    pub fn to_fraction(&self) -> Option<(String, String)> {
        let Number::Exact(value) = &self.0 else { return None };
        let sign = if value.is_negative() { "-" } else { "" };
        Some((format!("{sign}{}", value.numerator()), value.denominator().to_string()))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Number::Approximate(value) => write!(f, "≈ {}", double(*value)),
            Number::Exact(value) => exact(value, f),
        }
    }
}

fn exact(value: &Rational, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let sign = if value.is_negative() { "-" } else { "" };
    if value.is_whole() {
        return write!(f, "{sign}{}", value.numerator());
    }
    if let Some(places) = decimals(value.denominator()) {
        let (whole, rest) = value.numerator().div_rem(value.denominator());
        let digits = rest.mul(&ten_to(places as u32)).div_rem(value.denominator()).0.to_string();
        return write!(f, "{sign}{whole}.{digits:0>places$}");
    }
    write!(f, "{sign}{}/{} ≈ {}", value.numerator(), value.denominator(), double(value.to_f64()))
}

/// How many decimals tell all of a fraction with this denominator, where it is no more than [`DECIMALS`].
fn decimals(denominator: &Natural) -> Option<usize> {
    (1..=DECIMALS).find(|places| ten_to(*places as u32).div_rem(denominator).1.is_zero())
}

/// Without an exponent where that is short.
fn double(value: f64) -> String {
    if value == 0.0 || (1e-6..1e17).contains(&value.abs()) { value.to_string() } else { format!("{value:e}") }
}
