//! Functions of whole numbers.

use crate::{error::Fault, natural::Natural, number::Number, rational::Rational};

/// The greatest common divisor; of nothing but zeros it is 0.
pub(crate) fn gcd(numbers: &[Number]) -> Result<Number, Fault> {
    let common = sizes(numbers)?.fold(Natural::default(), |common, size| common.gcd(size));
    Number::exact(Rational::whole(common))
}

/// The least common multiple; 0 where one is 0.
pub(crate) fn lcm(numbers: &[Number]) -> Result<Number, Fault> {
    let mut multiple = Natural::one();
    for size in sizes(numbers)? {
        if size.is_zero() {
            return Ok(Number::from(0));
        }
        multiple = multiple.div_rem(&multiple.gcd(size)).0.mul(size);
        within(&multiple)?;
    }
    Number::exact(Rational::whole(multiple))
}

fn sizes(numbers: &[Number]) -> Result<impl Iterator<Item = &Natural>, Fault> {
    let whole = numbers.iter().all(|number| number.as_whole().is_some());
    let sizes = numbers.iter().filter_map(Number::as_whole).map(|(_, size)| size);
    if whole { Ok(sizes) } else { Err(Fault::Undefined("a divisor or multiple of what is not a whole number")) }
}

/// How many ways there are to choose `k` of `n` things.
pub(crate) fn combinations(n: &Number, k: &Number) -> Result<Number, Fault> {
    let (n, k) = (counted(n)?, counted(k)?);
    if k > n {
        return Ok(Number::from(0));
    }
    let mut ways = Natural::one();
    for index in 0..k.min(n - k) {
        // Nothing is left over: these are the ways to choose one thing more.
        ways = ways.mul(&Natural::from(n - index)).div_rem(&Natural::from(index + 1)).0;
        within(&ways)?;
    }
    Number::exact(Rational::whole(ways))
}

/// How many ways there are to put `k` of `n` things in a row.
pub(crate) fn permutations(n: &Number, k: &Number) -> Result<Number, Fault> {
    let (n, k) = (counted(n)?, counted(k)?);
    if k > n {
        return Ok(Number::from(0));
    }
    let mut ways = Natural::one();
    for index in 0..k {
        ways = ways.mul(&Natural::from(n - index));
        within(&ways)?;
    }
    Number::exact(Rational::whole(ways))
}

/// Stops where a number is longer than is kept: it only grows from there.
fn within(number: &Natural) -> Result<(), Fault> {
    if number.bits() <= crate::MAX_BITS { Ok(()) } else { Err(Fault::TooLarge) }
}

fn counted(number: &Number) -> Result<u64, Fault> {
    match number.as_whole() {
        Some((false, size)) => size.to_u64().ok_or(Fault::TooLarge),
        _ => Err(Fault::Undefined("a choice of what is not a whole number from 0 on")),
    }
}
