use std::{cmp::Ordering, fmt};

/// A natural number: limbs of 32 bits, the lowest first, the highest not zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Natural(Vec<u32>);

impl Natural {
    pub(crate) fn one() -> Self {
        Self(vec![1])
    }

    /// The number with these digits, the highest first, each less than `radix`.
    pub(crate) fn from_digits(radix: u32, digits: &[u32]) -> Self {
        let mut number = Self::default();
        for digit in digits {
            number.mul_add_small(radix, *digit);
        }
        number
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn is_one(&self) -> bool {
        self.0 == [1]
    }

    pub(crate) fn is_even(&self) -> bool {
        self.0.first().is_none_or(|low| low % 2 == 0)
    }

    pub(crate) fn limbs(&self) -> usize {
        self.0.len()
    }

    /// The place of the highest bit, from 1; 0 for zero.
    pub(crate) fn bits(&self) -> usize {
        self.0.last().map_or(0, |high| self.0.len() * 32 - high.leading_zeros() as usize)
    }

    pub(crate) fn to_u64(&self) -> Option<u64> {
        match *self.0 {
            [] => Some(0),
            [low] => Some(u64::from(low)),
            [low, high] => Some(u64::from(high) << 32 | u64::from(low)),
            _ => None,
        }
    }

    pub(crate) fn to_u128(&self) -> Option<u128> {
        (self.0.len() <= 4).then(|| self.0.iter().rev().fold(0, |sum, limb| sum << 32 | u128::from(*limb)))
    }

    pub(crate) fn add(&self, other: &Self) -> Self {
        let (long, short) = if self.0.len() >= other.0.len() { (self, other) } else { (other, self) };
        let mut sum = Vec::with_capacity(long.0.len() + 1);
        let mut carry = 0u64;
        for (index, limb) in long.0.iter().enumerate() {
            let total = u64::from(*limb) + u64::from(short.0.get(index).copied().unwrap_or(0)) + carry;
            sum.push(total as u32);
            carry = total >> 32;
        }
        sum.push(carry as u32);
        Self::trimmed(sum)
    }

    /// What is left where `other`, which is not larger, is taken away.
    pub(crate) fn sub(&self, other: &Self) -> Self {
        let mut rest = Vec::with_capacity(self.0.len());
        let mut borrow = 0i64;
        for (index, limb) in self.0.iter().enumerate() {
            let total = i64::from(*limb) - i64::from(other.0.get(index).copied().unwrap_or(0)) - borrow;
            borrow = i64::from(total < 0);
            rest.push(total as u32);
        }
        Self::trimmed(rest)
    }

    pub(crate) fn mul(&self, other: &Self) -> Self {
        let mut product = vec![0u32; self.0.len() + other.0.len()];
        for (shift, left) in self.0.iter().enumerate() {
            let mut carry = 0u64;
            for (index, right) in other.0.iter().enumerate() {
                let total = u64::from(*left) * u64::from(*right) + u64::from(product[shift + index]) + carry;
                product[shift + index] = total as u32;
                carry = total >> 32;
            }
            product[shift + other.0.len()] = carry as u32;
        }
        Self::trimmed(product)
    }

    pub(crate) fn shl(&self, bits: usize) -> Self {
        if self.is_zero() {
            return Self::default();
        }
        let mut shifted = vec![0u32; bits / 32];
        let mut carry = 0u64;
        for limb in &self.0 {
            let total = u64::from(*limb) << (bits % 32) | carry;
            shifted.push(total as u32);
            carry = total >> 32;
        }
        shifted.push(carry as u32);
        Self::trimmed(shifted)
    }

    pub(crate) fn shr(&self, bits: usize) -> Self {
        let kept = self.0.get(bits / 32..).unwrap_or_default();
        let limb = |index: usize| u64::from(kept.get(index).copied().unwrap_or(0));
        Self::trimmed((0..kept.len()).map(|index| ((limb(index + 1) << 32 | limb(index)) >> (bits % 32)) as u32).collect())
    }

    /// Quotient and remainder; `divisor` is not zero. Knuth, The Art of Computer Programming, volume 2, 4.3.1, algorithm D.
    pub(crate) fn div_rem(&self, divisor: &Self) -> (Self, Self) {
        if self < divisor {
            return (Self::default(), self.clone());
        }
        if let [small] = *divisor.0 {
            let mut quotient = self.clone();
            let rest = quotient.div_small(small);
            return (quotient, Self::trimmed(vec![rest]));
        }
        // The highest bit of the divisor is set, so that a guess from two limbs is at most two too large.
        let shift = divisor.0.last().map_or(0, |high| high.leading_zeros() as usize);
        let divisor = divisor.shl(shift).0;
        let mut rest = self.shl(shift).0;
        rest.resize(self.0.len() + 1, 0);
        let places = rest.len() - divisor.len();
        let mut quotient = vec![0; places];
        for place in (0..places).rev() {
            quotient[place] = quotient_limb(&mut rest[place..=place + divisor.len()], &divisor);
        }
        (Self::trimmed(quotient), Self::trimmed(rest).shr(shift))
    }

    pub(crate) fn gcd(&self, other: &Self) -> Self {
        let (mut left, mut right) = (self.clone(), other.clone());
        while !right.is_zero() {
            let rest = left.div_rem(&right).1;
            left = std::mem::replace(&mut right, rest);
        }
        left
    }

    pub(crate) fn pow(&self, mut exponent: u32) -> Self {
        let (mut result, mut square) = (Self::one(), self.clone());
        while exponent > 0 {
            if exponent % 2 == 1 {
                result = result.mul(&square);
            }
            exponent /= 2;
            if exponent > 0 {
                square = square.mul(&square);
            }
        }
        result
    }

    fn mul_add_small(&mut self, factor: u32, summand: u32) {
        let mut carry = u64::from(summand);
        for limb in &mut self.0 {
            let total = u64::from(*limb) * u64::from(factor) + carry;
            *limb = total as u32;
            carry = total >> 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    /// Divides in place by what is not zero and returns the remainder.
    fn div_small(&mut self, divisor: u32) -> u32 {
        let mut rest = 0u64;
        for limb in self.0.iter_mut().rev() {
            let total = rest << 32 | u64::from(*limb);
            *limb = (total / u64::from(divisor)) as u32;
            rest = total % u64::from(divisor);
        }
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        rest as u32
    }

    fn trimmed(mut limbs: Vec<u32>) -> Self {
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        Self(limbs)
    }
}

/// One limb of a quotient; what it stands for is taken from `rest`, which is one limb longer than the divisor.
fn quotient_limb(rest: &mut [u32], divisor: &[u32]) -> u32 {
    let length = divisor.len();
    let (high, next) = (u64::from(divisor[length - 1]), u64::from(divisor[length - 2]));
    let top = u64::from(rest[length]) << 32 | u64::from(rest[length - 1]);
    let (mut guess, mut left) = (top / high, top % high);
    while guess >> 32 > 0 || guess * next > (left << 32 | u64::from(rest[length - 2])) {
        guess -= 1;
        left += high;
        if left >> 32 > 0 {
            break;
        }
    }
    if subtract_multiple(rest, divisor, guess) {
        guess -= 1;
        let mut carry = 0u64;
        for (limb, summand) in rest.iter_mut().zip(divisor.iter().chain([&0])) {
            let total = u64::from(*limb) + u64::from(*summand) + carry;
            *limb = total as u32;
            carry = total >> 32;
        }
    }
    guess as u32
}

/// Whether it was too much.
fn subtract_multiple(rest: &mut [u32], divisor: &[u32], factor: u64) -> bool {
    let (mut carry, mut borrow) = (0u64, 0i64);
    for (limb, part) in rest.iter_mut().zip(divisor.iter().chain([&0])) {
        let product = factor * u64::from(*part) + carry;
        carry = product >> 32;
        let total = i64::from(*limb) - i64::from(product as u32) - borrow;
        borrow = i64::from(total < 0);
        *limb = total as u32;
    }
    borrow == 1
}

impl From<u64> for Natural {
    fn from(value: u64) -> Self {
        Self::trimmed(vec![value as u32, (value >> 32) as u32])
    }
}

impl Ord for Natural {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Natural {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.clone();
        let mut groups = Vec::new();
        while !rest.is_zero() {
            groups.push(rest.div_small(1_000_000_000));
        }
        write!(f, "{}", groups.pop().unwrap_or(0))?;
        groups.iter().rev().try_for_each(|group| write!(f, "{group:09}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn natural(value: u128) -> Natural {
        let limbs = (0..4).map(|index| (value >> (32 * index)) as u32).collect();
        Natural::trimmed(limbs)
    }

    fn any_natural() -> impl Strategy<Value = Natural> {
        // Limbs of all ones and zeros are where guesses of a quotient go wrong.
        let limb = prop_oneof![any::<u32>(), Just(u32::MAX), Just(0), Just(1 << 31)];
        proptest::collection::vec(limb, 0..12).prop_map(Natural::trimmed)
    }

    proptest! {
        #[test]
        fn small_numbers_are_those_of_the_machine(left in any::<u64>(), right in 1..u64::MAX) {
            let (l, r) = (natural(left.into()), natural(right.into()));
            prop_assert_eq!(l.add(&r), natural(u128::from(left) + u128::from(right)));
            prop_assert_eq!(l.mul(&r), natural(u128::from(left) * u128::from(right)));
            prop_assert_eq!(l.div_rem(&r), (natural((left / right).into()), natural((left % right).into())));
            prop_assert_eq!(l.cmp(&r), left.cmp(&right));
            prop_assert_eq!(l.to_string(), left.to_string());
        }

        #[test]
        fn a_quotient_times_its_divisor_and_the_rest_is_what_was_divided(left in any_natural(), right in any_natural()) {
            prop_assume!(!right.is_zero());
            let (quotient, rest) = left.div_rem(&right);
            prop_assert!(rest < right);
            prop_assert_eq!(quotient.mul(&right).add(&rest), left);
        }

        #[test]
        fn shifts_are_powers_of_two(number in any_natural(), bits in 0usize..100) {
            let power = Natural::from(2).pow(bits as u32);
            prop_assert_eq!(number.shl(bits), number.mul(&power));
            prop_assert_eq!(number.shr(bits), number.div_rem(&power).0);
            prop_assert_eq!(number.add(&power).sub(&power), number);
        }

        #[test]
        fn the_greatest_divisor_divides_and_leaves_nothing_common(left in any_natural(), right in any_natural()) {
            prop_assume!(!left.is_zero() && !right.is_zero());
            let gcd = left.gcd(&right);
            let (l, r) = (left.div_rem(&gcd), right.div_rem(&gcd));
            prop_assert!(l.1.is_zero() && r.1.is_zero());
            prop_assert!(l.0.gcd(&r.0).is_one());
        }

        #[test]
        fn digits_are_read_as_they_are_written(number in any_natural()) {
            let digits: Vec<u32> = number.to_string().chars().filter_map(|c| c.to_digit(10)).collect();
            prop_assert_eq!(Natural::from_digits(10, &digits), number);
        }
    }
}
