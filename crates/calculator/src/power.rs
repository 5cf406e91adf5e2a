use crate::{MAX_BITS, error::Fault, natural::Natural, number::Number, rational::Rational, roots};

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
    // A base beyond a double's range has a power within it where the exponent is small.
    let (base, exponent) = match (base.finite(), exponent.finite()) {
        (Ok(base), Ok(exponent)) => (base, exponent),
        (Ok(base), Err(_)) if (base.abs() < 1.0) != exponent.is_negative() => return Ok(Number::Approximate(0.0)),
        _ => return Err(Fault::TooLarge),
    };
    Number::approximate(base.powf(exponent))
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
