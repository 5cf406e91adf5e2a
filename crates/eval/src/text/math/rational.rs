/// A fraction in lowest terms with a positive denominator. Operations that do not fit give `None`, and so does division by zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Rational {
    top: i128,
    bottom: i128,
}

impl Rational {
    pub(super) const ZERO: Self = Self::integer(0);
    pub(super) const ONE: Self = Self::integer(1);

    pub(super) const fn integer(value: i128) -> Self {
        Self { top: value, bottom: 1 }
    }

    pub(super) fn new(top: i128, bottom: i128) -> Option<Self> {
        let divisor = i128::try_from(gcd(top.unsigned_abs(), bottom.unsigned_abs())).ok().filter(|_| bottom != 0)?;
        let sign = if bottom < 0 { -1 } else { 1 };
        Some(Self { top: (top / divisor).checked_mul(sign)?, bottom: (bottom / divisor).checked_mul(sign)? })
    }

    /// Reads digits with at most one point among them.
    pub(super) fn decimal(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let bottom = 10_i128.checked_pow(u32::try_from(part.len()).ok()?)?;
        Self::new(format!("{whole}{part}").parse().ok()?, bottom)
    }

    pub(super) fn as_integer(self) -> Option<i128> {
        (self.bottom == 1).then_some(self.top)
    }

    /// One over a whole number: the number.
    pub(super) fn as_root_index(self) -> Option<u32> {
        (self.top == 1).then(|| u32::try_from(self.bottom).ok())?
    }

    pub(super) fn is_negative(self) -> bool {
        self.top < 0
    }

    /// Whether it lies between 0 and 1, both exclusive.
    pub(super) fn is_proper(self) -> bool {
        self.top > 0 && self.top < self.bottom
    }

    pub(super) fn to_f64(self) -> f64 {
        self.top as f64 / self.bottom as f64
    }

    pub(super) fn add(self, other: Self) -> Option<Self> {
        let left = self.top.checked_mul(other.bottom)?;
        Self::new(left.checked_add(other.top.checked_mul(self.bottom)?)?, self.bottom.checked_mul(other.bottom)?)
    }

    pub(super) fn mul(self, other: Self) -> Option<Self> {
        Self::new(self.top.checked_mul(other.top)?, self.bottom.checked_mul(other.bottom)?)
    }

    pub(super) fn pow(self, exponent: i128) -> Option<Self> {
        let steps = u32::try_from(exponent.unsigned_abs()).ok()?;
        let (top, bottom) = (self.top.checked_pow(steps)?, self.bottom.checked_pow(steps)?);
        if exponent < 0 { Self::new(bottom, top) } else { Self::new(top, bottom) }
    }

    /// The root where it is a fraction itself; of a negative number for odd indices only.
    pub(super) fn root(self, index: u32) -> Option<Self> {
        Some(Self { top: integer_root(self.top, index)?, bottom: integer_root(self.bottom, index)? })
    }
}

fn integer_root(value: i128, index: u32) -> Option<i128> {
    if value < 0 {
        return if index % 2 == 1 { integer_root(value.checked_neg()?, index).map(|root| -root) } else { None };
    }
    // The float lies within one of roots of this size; larger ones are left to floats.
    let near = (value as f64).powf(1.0 / f64::from(index)).round() as i128;
    (near.saturating_sub(1)..=near.saturating_add(1)).find(|root| root.checked_pow(index) == Some(value))
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
