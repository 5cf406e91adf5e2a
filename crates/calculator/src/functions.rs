use std::{cmp::Ordering, f64::consts};

use crate::{
    error::Fault,
    integers::{combinations, gcd, lcm, permutations},
    natural::Natural,
    number::Number,
    power::{factorial, power},
    rational::{Rational, ten_to},
    roots,
};

/// A function of the grammar.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    /// The fewest arguments.
    pub(crate) least: usize,
    /// The most arguments.
    pub(crate) most: usize,
    /// Takes as many numbers as that allows.
    pub(crate) apply: fn(&[Number]) -> Result<Number, Fault>,
}

impl Function {
    pub(crate) fn takes(&self) -> String {
        match (self.least, self.most) {
            (1, 1) => "one argument".into(),
            (least, most) if least == most => format!("{least} arguments"),
            (least, MANY) => format!("at least {least} arguments"),
            (least, most) => format!("{least} or {most} arguments"),
        }
    }
}

const MANY: usize = usize::MAX;

const fn function(name: &'static str, least: usize, most: usize, apply: fn(&[Number]) -> Result<Number, Fault>) -> Function {
    Function { name, least, most, apply }
}

static FUNCTIONS: &[Function] = &[
    function("abs", 1, 1, |x| Ok(x[0].clone().abs())),
    function("acos", 1, 1, |x| double(x, f64::acos)),
    function("acosh", 1, 1, |x| double(x, f64::acosh)),
    function("asin", 1, 1, |x| double(x, f64::asin)),
    function("asinh", 1, 1, |x| double(x, f64::asinh)),
    function("atan", 1, 1, |x| double(x, f64::atan)),
    function("atan2", 2, 2, |x| Number::approximate(x[0].finite()?.atan2(x[1].finite()?))),
    function("atanh", 1, 1, |x| double(x, f64::atanh)),
    function("avg", 1, MANY, mean),
    function("cbrt", 1, 1, |x| roots::cube(&x[0])),
    function("ceil", 1, 1, |x| Ok(x[0].clone().negated().floor().negated())),
    function("comb", 2, 2, |x| combinations(&x[0], &x[1])),
    function("cos", 1, 1, |x| double(x, f64::cos)),
    function("cosh", 1, 1, |x| double(x, f64::cosh)),
    function("degrees", 1, 1, |x| double(x, f64::to_degrees)),
    function("exp", 1, 1, |x| if x[0].is_zero() { Ok(Number::from(1)) } else { double(x, f64::exp) }),
    function("factorial", 1, 1, |x| factorial(&x[0])),
    function("floor", 1, 1, |x| Ok(x[0].clone().floor())),
    function("gcd", 1, MANY, gcd),
    function("hypot", 2, 2, hypotenuse),
    function("lcm", 1, MANY, lcm),
    function("ln", 1, 1, |x| logarithm(&x[0], None)),
    function("log", 2, 2, |x| logarithm(&x[0], Some(&x[1]))),
    function("log10", 1, 1, |x| logarithm(&x[0], Some(&Number::from(10)))),
    function("log2", 1, 1, |x| logarithm(&x[0], Some(&Number::from(2)))),
    function("max", 1, MANY, |x| Ok(most(x, Ordering::Greater))),
    function("mean", 1, MANY, mean),
    function("min", 1, MANY, |x| Ok(most(x, Ordering::Less))),
    function("perm", 2, 2, |x| permutations(&x[0], &x[1])),
    function("pow", 2, 2, |x| power(&x[0], &x[1])),
    function("radians", 1, 1, |x| double(x, f64::to_radians)),
    function("round", 1, 2, round),
    function("sign", 1, 1, |x| Ok(sign(&x[0]))),
    function("sin", 1, 1, |x| double(x, f64::sin)),
    function("sinh", 1, 1, |x| double(x, f64::sinh)),
    function("sqrt", 1, 1, |x| roots::square(&x[0])),
    function("sum", 1, MANY, sum),
    function("tan", 1, 1, |x| double(x, f64::tan)),
    function("tanh", 1, 1, |x| double(x, f64::tanh)),
    function("trunc", 1, 1, |x| Ok(truncated(&x[0]))),
];

const CONSTANTS: [(&str, f64); 3] = [("e", consts::E), ("pi", consts::PI), ("tau", consts::TAU)];

/// The names that an expression may use: constants, then functions.
pub fn names() -> impl Iterator<Item = &'static str> {
    CONSTANTS.iter().map(|(name, _)| *name).chain(FUNCTIONS.iter().map(|function| function.name))
}

pub(crate) fn constant(name: &str) -> Option<Number> {
    CONSTANTS.iter().find(|(known, _)| *known == name).map(|(_, value)| Number::Approximate(*value))
}

pub(crate) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// A known name that begins or ends as `name` does, or is one letter away.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let aliases = [("average", "avg"), ("binomial", "comb"), ("choose", "comb"), ("ceiling", "ceil"), ("int", "trunc"), ("root", "sqrt")];
    let alias = aliases.iter().find(|(alias, _)| *alias == name).map(|(_, known)| *known);
    alias.or_else(|| names().filter(|known| known.len() > 1).find(|known| one_apart(name, known)))
}

/// Whether one of the names is the other with a letter added, or with one in the place of another.
fn one_apart(left: &str, right: &str) -> bool {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let start = left.iter().zip(&right).take_while(|(l, r)| l == r).count();
    let (left, right) = (&left[start..], &right[start..]);
    let end = left.iter().rev().zip(right.iter().rev()).take_while(|(l, r)| l == r).count();
    left.len().max(right.len()) - end <= 1
}

fn double(x: &[Number], apply: fn(f64) -> f64) -> Result<Number, Fault> {
    Number::approximate(apply(x[0].finite()?))
}

/// By the squares where these are exact and their sum neither overflows nor vanishes; else as doubles.
fn hypotenuse(x: &[Number]) -> Result<Number, Fault> {
    if let (Number::Exact(_), Number::Exact(_)) = (&x[0], &x[1])
        && let Ok(square) = x[0].mul(&x[0]).and_then(|left| left.add(&x[1].mul(&x[1])?))
        && let Ok(root) = roots::square(&square)
        && (matches!(root, Number::Exact(_)) || square.to_f64().is_normal())
    {
        return Ok(root);
    }
    Number::approximate(x[0].finite()?.hypot(x[1].finite()?))
}

fn sum(numbers: &[Number]) -> Result<Number, Fault> {
    numbers.iter().try_fold(Number::from(0), |sum, number| sum.add(number))
}

fn mean(numbers: &[Number]) -> Result<Number, Fault> {
    sum(numbers)?.div(&Number::from(numbers.len() as u64))
}

fn most(numbers: &[Number], direction: Ordering) -> Number {
    let better = |best: &Number, number: &Number| number.compare(best) == direction;
    numbers.iter().skip(1).fold(&numbers[0], |best, number| if better(best, number) { number } else { best }).clone()
}

fn sign(number: &Number) -> Number {
    match number {
        number if number.is_zero() => Number::from(0),
        number if number.is_negative() => Number::from(1).negated(),
        _ => Number::from(1),
    }
}

fn truncated(number: &Number) -> Number {
    let size = number.clone().abs().floor();
    if number.is_negative() { size.negated() } else { size }
}

/// To the nearest whole number, or to so many decimals, negative ones left of the point; halves go away from zero.
fn round(x: &[Number]) -> Result<Number, Fault> {
    let Some(digits) = x.get(1) else { return half_away(&x[0]) };
    let Some((negative, size)) = digits.as_whole() else {
        return Err(Fault::Undefined("rounding to a number of decimals that is not whole"));
    };
    let size = size.to_u64().filter(|size| *size <= 1000).ok_or(Fault::Undefined("rounding to more than 1000 decimals"))?;
    let scale = Number::exact(Rational::whole(ten_to(size as u32)))?;
    let scale = if negative { Number::from(1).div(&scale)? } else { scale };
    half_away(&x[0].mul(&scale)?)?.div(&scale)
}

fn half_away(number: &Number) -> Result<Number, Fault> {
    if let Number::Approximate(value) = number {
        return Number::approximate(value.round());
    }
    let half = Number::Exact(Rational::new(false, Natural::one(), Natural::from(2)));
    let size = number.clone().abs().add(&half)?.floor();
    Ok(if number.is_negative() { size.negated() } else { size })
}

/// To a base, or the natural one; exact where the number is a whole power of the base.
fn logarithm(number: &Number, base: Option<&Number>) -> Result<Number, Fault> {
    let positive = |number: &Number| !number.is_zero() && !number.is_negative();
    if !positive(number) || base.is_some_and(|base| !positive(base)) {
        return Err(Fault::Undefined("a logarithm of or to what is not above zero"));
    }
    let Some(base) = base else { return Number::approximate(natural_logarithm(number)) };
    let divisor = natural_logarithm(base);
    if divisor == 0.0 {
        return Err(Fault::Undefined("a logarithm to the base 1"));
    }
    let value = natural_logarithm(number) / divisor;
    let whole = value.round();
    if whole.abs() <= 4096.0 && (value - whole).abs() < 1e-6 {
        let exponent = Number::from(whole.abs() as u64);
        let exponent = if whole < 0.0 { exponent.negated() } else { exponent };
        if matches!(number, Number::Exact(_)) && power(base, &exponent).is_ok_and(|power| power == *number) {
            return Ok(exponent);
        }
    }
    Number::approximate(value)
}

/// Also of fractions whose parts no double holds.
fn natural_logarithm(number: &Number) -> f64 {
    let size = |value: &Natural| {
        let cut = value.bits().saturating_sub(64);
        Rational::whole(value.shr(cut)).to_f64().ln() + cut as f64 * consts::LN_2
    };
    match number {
        Number::Exact(value) if value.bits() > 1000 => size(value.numerator()) - size(value.denominator()),
        number => number.to_f64().ln(),
    }
}
