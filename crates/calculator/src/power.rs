use std::cmp::Ordering;

use crate::{
    MAX_BITS,
    error::Fault,
    natural::Natural,
    number::Number,
    rational::{Rational, scaled},
    roots,
};

/// `base` to the power `exponent`; anything to the power 0 is 1.
pub(crate) fn power(base: &Number, exponent: &Number) -> Result<Number, Fault> {
    if base.is_zero() && exponent.is_negative() {
        return Err(Fault::DivisionByZero);
    }
    if let (Number::Exact(base), Number::Exact(exponent)) = (base, exponent)
        && let Some(result) = exact(base, exponent)
    {
        return Number::exact(result);
    }
    let whole = exponent.as_whole().is_some() || matches!(exponent, Number::Approximate(value) if value.fract() == 0.0);
    if base.is_negative() && !whole {
        return Err(Fault::Undefined("a power of a negative number with an exponent that is not whole"));
    }
    approximate(base, exponent)
}

/// A power that stays within [`MAX_BITS`], or the square root that an exponent of 1/2 asks for.
fn exact(base: &Rational, exponent: &Rational) -> Option<Rational> {
    if !exponent.is_whole() {
        let half = exponent.numerator().is_one() && *exponent.denominator() == Natural::from(2);
        return (half && !exponent.is_negative() && !base.is_negative()).then(|| roots::exact(base, 2)).flatten();
    }
    let size = if base.bits() <= 1 {
        // Zero, one and minus one stay what they are, whatever the exponent.
        Some(match exponent.numerator() {
            exponent if exponent.is_zero() => 0,
            exponent if exponent.is_even() => 2,
            _ => 1,
        })
    } else {
        exponent.numerator().to_u64().filter(|size| (base.bits() as u64 - 1).saturating_mul(*size) <= MAX_BITS as u64)
    };
    let power = base.pow(u32::try_from(size?).ok()?);
    if exponent.is_negative() { power.inverse() } else { Some(power) }
}

fn approximate(base: &Number, exponent: &Number) -> Result<Number, Fault> {
    if base.fits_a_double()
        && let (Ok(base), Ok(exponent)) = (base.finite(), exponent.finite())
    {
        return Number::approximate(base.powf(exponent));
    }
    let size = base.clone().abs();
    let power = match exponent.finite() {
        Ok(finite) => of_far(&size, exponent, finite),
        Err(_) => match size.compare(&Number::from(1)) {
            Ordering::Equal => 1.0,
            // Too near one for doubles to tell what becomes of it.
            _ if size.to_f64().total_cmp(&1.0) == Ordering::Equal => return Err(Fault::TooLarge),
            Ordering::Less if !exponent.is_negative() => 0.0,
            Ordering::Greater if exponent.is_negative() => 0.0,
            _ => return Err(Fault::TooLarge),
        },
    };
    Number::approximate(if base.is_negative() && is_odd(exponent) { -power } else { power })
}

/// A power of what no double holds: the base as a double near one times a power of two, and both to the exponent.
fn of_far(base: &Number, exponent: &Number, finite: f64) -> f64 {
    let base = base.fraction();
    let two = base.numerator().bits() as i64 - base.denominator().bits() as i64;
    if finite.abs() >= 2.0 {
        return if (two < 0) == (finite < 0.0) { f64::INFINITY } else { 0.0 };
    }
    let shifted = |value: &Natural, by: i64| value.shl(by.max(0) as usize);
    let near_one = Rational::new(false, shifted(base.numerator(), -two), shifted(base.denominator(), two)).to_f64();
    let twos = Rational::new(two < 0, Natural::from(two.unsigned_abs()), Natural::one()).mul(&exponent.fraction());
    let whole = twos.floor();
    let rest = twos.add(&whole.clone().negated()).to_f64();
    let count = whole.numerator().to_u64().map_or(i64::MAX, |count| count as i64);
    scaled(near_one.powf(finite) * rest.exp2(), if whole.is_negative() { -count } else { count })
}

fn is_odd(exponent: &Number) -> bool {
    match exponent {
        Number::Exact(value) => value.is_whole() && !value.numerator().is_even(),
        Number::Approximate(value) => value % 2.0 != 0.0,
    }
}

/// The product of the whole numbers up to this one.
pub(crate) fn factorial(number: &Number) -> Result<Number, Fault> {
    let Some((false, size)) = number.as_whole() else {
        return Err(Fault::Undefined("a factorial of what is not a whole number from 0 on"));
    };
    // 1000! has 8,530 bits and no double holds it.
    let size = size.to_u64().filter(|size| *size < 1000).ok_or(Fault::TooLarge)?;
    let product = (2..=size).fold(Natural::one(), |product, factor| product.mul(&Natural::from(factor)));
    Number::exact(Rational::whole(product))
}
