use std::f64::consts::PI;

use super::rational::Rational;
use crate::text::number::within;

/// Two figures that are not fractions are the same where they differ by less than this share.
const TOLERANCE: f64 = 1e-9;
/// Exponents beyond are left as they stand.
const LARGEST_EXPONENT: u128 = 1_000;

/// An expression whose constants are folded and whose sums and products are flat and sorted, so that their order does not count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Expression {
    Number(Rational),
    Symbol(String),
    Sum(Vec<Expression>),
    Product(Vec<Expression>),
    Power(Box<Expression>, Box<Expression>),
}

impl Expression {
    pub(super) fn integer(value: i128) -> Self {
        Self::Number(Rational::integer(value))
    }

    pub(super) fn sum(terms: Vec<Self>) -> Self {
        let flat = terms.into_iter().flat_map(|term| if let Self::Sum(inner) = term { inner } else { vec![term] });
        let (constant, mut rest) = fold(flat, Rational::ZERO, Rational::add);
        match rest.len() {
            0 => Self::Number(constant),
            1 if constant == Rational::ZERO => rest.remove(0),
            _ => Self::Sum(with_constant(rest, constant, Rational::ZERO)),
        }
    }

    pub(super) fn product(factors: Vec<Self>) -> Self {
        let flat = factors.into_iter().flat_map(|factor| if let Self::Product(inner) = factor { inner } else { vec![factor] });
        let (constant, mut rest) = fold(flat, Rational::ONE, Rational::mul);
        match rest.len() {
            0 => Self::Number(constant),
            _ if constant == Rational::ZERO => Self::Number(constant),
            1 if constant == Rational::ONE => rest.remove(0),
            _ => Self::Product(with_constant(rest, constant, Rational::ONE)),
        }
    }

    pub(super) fn negated(self) -> Self {
        Self::product(vec![Self::integer(-1), self])
    }

    /// `None` for a division by zero.
    pub(super) fn over(self, divisor: Self) -> Option<Self> {
        Some(Self::product(vec![self, divisor.power(Self::integer(-1))?]))
    }

    /// `None` for zero to a negative power, and for zero to zero.
    pub(super) fn power(self, exponent: Self) -> Option<Self> {
        let (Self::Number(base), Self::Number(power)) = (&self, &exponent) else {
            return Some(Self::Power(Box::new(self), Box::new(exponent)));
        };
        if *base == Rational::ZERO && (*power == Rational::ZERO || power.is_negative()) {
            return None;
        }
        let folded = match power.as_integer() {
            Some(power) if power.unsigned_abs() <= LARGEST_EXPONENT => base.pow(power),
            _ => power.as_root_index().and_then(|index| base.root(index)),
        };
        Some(folded.map_or_else(|| Self::Power(Box::new(self), Box::new(exponent)), Self::Number))
    }

    /// The root of index `index`; odd roots of negative numbers are negative.
    pub(super) fn root(self, index: Self) -> Option<Self> {
        let odd = matches!(&index, Self::Number(index) if index.as_integer().is_some_and(|index| index % 2 != 0));
        let inverse = index.power(Self::integer(-1))?;
        match &self {
            Self::Number(base) if odd && base.is_negative() => Some(self.negated().power(inverse)?.negated()),
            _ => self.power(inverse),
        }
    }

    /// Whether both are the same: as fractions exactly, as other figures to nine digits, and with letters if they are written alike but for
    /// the order of terms and factors.
    pub(super) fn same(&self, other: &Self) -> bool {
        if let (Self::Number(left), Self::Number(right)) = (self, other) {
            return left == right;
        }
        let figures = self.value().zip(other.value());
        self == other || figures.is_some_and(|(left, right)| within(left, right, TOLERANCE))
    }

    /// `None` where letters stand in it, or the figure is not a finite real one.
    fn value(&self) -> Option<f64> {
        let value = match self {
            Self::Number(number) => number.to_f64(),
            Self::Symbol(name) => (name == "pi").then_some(PI)?,
            Self::Sum(terms) => terms.iter().map(Self::value).sum::<Option<f64>>()?,
            Self::Product(factors) => factors.iter().map(Self::value).product::<Option<f64>>()?,
            Self::Power(base, exponent) => base.value()?.powf(exponent.value()?),
        };
        value.is_finite().then_some(value)
    }
}

/// The numbers among `parts` put together as far as they fit, and everything else.
fn fold(
    parts: impl Iterator<Item = Expression>,
    mut constant: Rational,
    combine: fn(Rational, Rational) -> Option<Rational>,
) -> (Rational, Vec<Expression>) {
    let mut rest = Vec::new();
    for part in parts {
        let combined = if let Expression::Number(number) = part { combine(constant, number) } else { None };
        match combined {
            Some(all) => constant = all,
            None => rest.push(part),
        }
    }
    (constant, rest)
}

fn with_constant(mut parts: Vec<Expression>, constant: Rational, neutral: Rational) -> Vec<Expression> {
    if constant != neutral {
        parts.push(Expression::Number(constant));
    }
    parts.sort();
    parts
}
