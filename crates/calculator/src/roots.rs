use crate::{error::Fault, natural::Natural, number::Number, rational::Rational};

/// The square root: exact where it is a fraction.
pub(crate) fn square(number: &Number) -> Result<Number, Fault> {
    if number.is_negative() {
        return Err(Fault::Undefined("a square root of a negative number"));
    }
    match number {
        Number::Exact(value) => exact(value, 2).map_or_else(|| Number::approximate(number.finite()?.sqrt()), Number::exact),
        Number::Approximate(value) => Number::approximate(value.sqrt()),
    }
}

/// The cube root: exact where it is a fraction, negative for negative numbers.
pub(crate) fn cube(number: &Number) -> Result<Number, Fault> {
    match number {
        Number::Exact(value) => exact(value, 3).map_or_else(|| Number::approximate(number.finite()?.cbrt()), Number::exact),
        Number::Approximate(value) => Number::approximate(value.cbrt()),
    }
}

/// The root of this degree, where it is a fraction; the sign is kept.
pub(crate) fn exact(value: &Rational, degree: u32) -> Option<Rational> {
    let numerator = whole(value.numerator(), degree)?;
    Some(Rational::new(value.is_negative(), numerator, whole(value.denominator(), degree)?))
}

fn whole(value: &Natural, degree: u32) -> Option<Natural> {
    let root = floor(value, degree);
    (root.pow(degree) == *value).then_some(root)
}

/// The largest number whose power is not larger than `value`: Newton's steps from above, which only go down.
fn floor(value: &Natural, degree: u32) -> Natural {
    if value.is_zero() {
        return Natural::default();
    }
    let mut root = Natural::one().shl(value.bits().div_ceil(degree as usize));
    loop {
        let others = Natural::from(u64::from(degree - 1)).mul(&root);
        let sum = others.add(&value.div_rem(&root.pow(degree - 1)).0);
        let next = sum.div_rem(&Natural::from(u64::from(degree))).0;
        if next >= root {
            return root;
        }
        root = next;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_root_is_the_largest_whose_power_fits(value in any::<u64>(), degree in 2u32..4) {
            let value = Natural::from(value);
            let root = floor(&value, degree);
            prop_assert!(root.pow(degree) <= value);
            prop_assert!(root.add(&Natural::one()).pow(degree) > value);
        }
    }
}
